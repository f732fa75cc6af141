import { asControlError } from './failure.ts'

export interface Toast {
  readonly id: number
  readonly tone: 'plain' | 'failure'
  readonly text: string
  /** A link to what the toast is about. */
  readonly link: { readonly text: string; readonly href: string; readonly target?: string } | undefined
}

/** Milliseconds; a failure stays until it is closed. */
const LIFETIME_MS = 6_000
const MAX_SHOWN = 4

/** Short messages about what was just done. */
export class Toasts {
  shown = $state.raw<readonly Toast[]>([])
  #lastId = 0
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>()

  say(text: string, link?: Toast['link']): void {
    this.#show({ id: ++this.#lastId, tone: 'plain', text, link })
  }

  /** Tells why something that the user asked for was not done. */
  fail(error: unknown): void {
    const { code, message } = asControlError(error)
    // The login screen says it.
    if (code === 'unauthorized') return
    this.#show({ id: ++this.#lastId, tone: 'failure', text: message, link: undefined })
  }

  close(id: number): void {
    clearTimeout(this.#timers.get(id))
    this.#timers.delete(id)
    this.shown = this.shown.filter((toast) => toast.id !== id)
  }

  /** Holds all while somebody reads them; `false` lets them go on. */
  hold(isHeld: boolean): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    if (!isHeld) for (const toast of this.shown) this.#schedule(toast)
  }

  #show(toast: Toast): void {
    const surplus = Math.max(0, this.shown.length + 1 - MAX_SHOWN)
    for (const { id } of this.shown.slice(0, surplus)) this.close(id)
    this.shown = [...this.shown, toast]
    this.#schedule(toast)
  }

  #schedule({ id, tone }: Toast): void {
    if (tone === 'failure') return
    this.#timers.set(id, setTimeout(() => this.close(id), LIFETIME_MS))
  }
}
