import { Notification } from 'electron'
import type { Notice } from './dead-notices.ts'

/** Shows the system's notifications and leads where a click on one points. */
export class Notifier {
  readonly #open: (hash: string | undefined) => void
  /** A notification that nothing refers to may be collected with its click. */
  readonly #shown = new Set<Notification>()

  constructor(open: (hash: string | undefined) => void) {
    this.#open = open
  }

  show({ title, body, hash }: Notice): void {
    if (!Notification.isSupported()) return
    const notification = new Notification({ title, body })
    const forget = () => this.#shown.delete(notification)
    notification.on('click', () => {
      forget()
      this.#open(hash)
    })
    notification.on('close', forget)
    notification.on('failed', forget)
    this.#shown.add(notification)
    notification.show()
  }
}
