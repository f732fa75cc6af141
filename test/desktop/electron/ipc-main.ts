import { EventEmitter } from 'node:events'
import { StrictEmitter } from './strict.ts'

type Handler = (event: object, ...args: unknown[]) => unknown

/** The main process's end of messages from pages. */
class IpcMain extends StrictEmitter {
  static override readonly events = null
  readonly #handlers = new Map<string, Handler>()

  handle(channel: string, handler: Handler): void {
    if (this.#handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    if (typeof handler !== 'function') throw new TypeError(`Expected handler to be a function, but found type '${typeof handler}'`)
    this.#handlers.set(channel, handler)
  }

  static async answer(ipc: IpcMain, event: object, channel: string, args: readonly unknown[]): Promise<unknown> {
    const handler = ipc.#handlers.get(channel)
    if (handler === undefined) throw new Error(`No handler registered for '${channel}'`)
    return handler(event, ...args)
  }

  static receive(ipc: IpcMain, event: object, channel: string, args: readonly unknown[]): void {
    EventEmitter.prototype.emit.call(ipc, channel, event, ...args)
  }
}

export const ipcMain = new IpcMain()

/** What the app answers to `ipcRenderer.invoke`. */
export function answerInvoke(event: object, channel: string, args: readonly unknown[]): Promise<unknown> {
  return IpcMain.answer(ipcMain, event, channel, args)
}

/** Hands out what `ipcRenderer.send` sent. */
export function receiveSend(event: object, channel: string, args: readonly unknown[]): void {
  IpcMain.receive(ipcMain, event, channel, args)
}
