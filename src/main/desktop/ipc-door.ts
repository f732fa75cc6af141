import { ipcMain, type IpcMainInvokeEvent, type WebContents } from 'electron'
import type { ControlFailure, Envelope } from '../../shared/control/transport.ts'
import type { Log } from '../log.ts'
import type { BusClient } from './bus-client.ts'
import { checkCall } from './call-check.ts'
import { isOwnUrl } from './origin.ts'
import type { OwnWindows } from './own-windows.ts'

export interface IpcDoorOptions {
  readonly bus: BusClient
  readonly windows: OwnWindows
  readonly log: Log
}

const FOREIGN: ControlFailure = { code: 'forbidden', message: 'Only the windows of the app may call the bus.' }

/** The one way from the app's pages to the bus: who sends is checked, and what is sent. */
export class IpcDoor {
  readonly #options: IpcDoorOptions
  readonly #listening = new Map<WebContents, () => void>()
  /** Pages whose end is heard: once, however often they begin to listen. */
  readonly #watched = new WeakSet<WebContents>()

  constructor(options: IpcDoorOptions) {
    this.#options = options
  }

  open(): void {
    this.#handle('control:call', (_contents, args) => this.#call(args))
    this.#handle('control:listen', (contents) => this.#listen(contents))
    this.#handle('control:unlisten', (contents) => this.#unlisten(contents))
  }

  #handle(channel: string, carryOut: (contents: WebContents, args: readonly unknown[]) => Envelope | Promise<Envelope>): void {
    ipcMain.handle(channel, (event, ...args: unknown[]) =>
      this.#isOwnPage(event) ? carryOut(event.sender, args) : this.#refuse(channel, FOREIGN, event.senderFrame?.url)
    )
  }

  /** A page of the interface, in a window of the app, and not something framed in it. */
  #isOwnPage({ sender, senderFrame }: IpcMainInvokeEvent): boolean {
    const isWindow = this.#options.windows.viewOf(sender) !== undefined
    return isWindow && senderFrame !== null && senderFrame.parent === null && isOwnUrl(senderFrame.url)
  }

  #refuse(channel: string, error: ControlFailure, url?: string): Envelope {
    this.#options.log.warn({ channel, code: error.code, url: url?.slice(0, 200) }, 'a message of a page was refused')
    return { ok: false, error }
  }

  #call(args: readonly unknown[]): Envelope | Promise<Envelope> {
    const call = checkCall(args)
    return call.isFine ? this.#options.bus.call(call.method, call.input) : this.#refuse('control:call', call.failure)
  }

  /** A page that was loaded again listens again; it takes the place of what it was. */
  #listen(contents: WebContents): Envelope {
    this.#unlisten(contents)
    const send = (channel: string, value: unknown) => {
      if (!contents.isDestroyed()) contents.send(channel, value)
    }
    const stop = this.#options.bus.listen(
      (frame) => send('control:frame', frame),
      (isLive) => send('control:state', isLive)
    )
    this.#listening.set(contents, stop)
    if (!this.#watched.has(contents)) {
      this.#watched.add(contents)
      contents.once('destroyed', () => this.#unlisten(contents))
    }
    return { ok: true, value: null }
  }

  #unlisten(contents: WebContents): Envelope {
    this.#listening.get(contents)?.()
    this.#listening.delete(contents)
    return { ok: true, value: null }
  }
}
