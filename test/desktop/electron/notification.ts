import type { NotificationConstructorOptions } from 'electron'
import { requireReady } from './readiness.ts'
import { ElectronEvent, StrictEmitter } from './strict.ts'

/** A notification of the desktop. A user who is not there neither reads nor clicks it. */
export class Notification extends StrictEmitter {
  static override readonly events = ['show', 'click', 'close', 'failed']
  title: string
  body: string
  readonly silent: boolean

  constructor({ title = '', body = '', silent = false }: NotificationConstructorOptions = {}) {
    requireReady('Cannot create Notification before app is ready')
    super()
    this.title = title
    this.body = body
    this.silent = silent
  }

  static isSupported(): boolean {
    return true
  }

  show(): void {
    setImmediate(() => this.emit('show', new ElectronEvent()))
  }

  close(): void {
    this.emit('close', new ElectronEvent())
  }
}
