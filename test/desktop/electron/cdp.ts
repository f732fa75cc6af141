import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import type { CDPSession } from 'playwright'

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: object
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

interface Waiting extends PromiseWithResolvers<unknown> {
  readonly sessionId: string | undefined
  readonly method: string
}

/** Commands to, and events of, the browser or one target. Commands and events have the types of DevTools' protocol. */
export interface CdpSession {
  readonly send: CDPSession['send']
  readonly on: CDPSession['on']
}

/** The DevTools protocol over the pipe of a Chromium: JSON texts that end with a zero byte. */
export class CdpConnection {
  readonly browser: CdpSession
  readonly #write: Writable
  readonly #waiting = new Map<number, Waiting>()
  readonly #emitters = new Map<string | undefined, EventEmitter>()
  #lastId = 0

  constructor(write: Writable, read: Readable) {
    this.#write = write
    // A browser that ends closes the pipe while commands may be on their way.
    write.on('error', () => {})
    this.browser = this.session(undefined)
    let rest = ''
    read.setEncoding('utf8').on('data', (chunk: string) => {
      const texts = (rest + chunk).split('\0')
      rest = texts.pop()!
      for (const text of texts) this.#receive(JSON.parse(text) as Message)
    })
    read.on('close', () => this.#abandon(() => true))
  }

  session(sessionId: string | undefined): CdpSession {
    const emitter = new EventEmitter()
    this.#emitters.set(sessionId, emitter)
    const send = (method: string, params: object = {}) => this.#send(sessionId, method, params)
    return { send: send as CDPSession['send'], on: emitter.on.bind(emitter) as unknown as CDPSession['on'] }
  }

  #send(sessionId: string | undefined, method: string, params: object): Promise<unknown> {
    const id = ++this.#lastId
    const waiting = { sessionId, method, ...Promise.withResolvers<unknown>() }
    // Whoever does not wait for an answer does not care for a target that is gone either.
    waiting.promise.catch(() => {})
    this.#waiting.set(id, waiting)
    this.#write.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return waiting.promise
  }

  #receive({ id, sessionId, method, params, result, error }: Message): void {
    if (id === undefined) {
      if (method === 'Target.detachedFromTarget') {
        const gone = (params as { sessionId: string }).sessionId
        this.#abandon((waiting) => waiting.sessionId === gone)
        this.#emitters.delete(gone)
      }
      this.#emitters.get(sessionId)?.emit(method!, params)
      return
    }
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(`${waiting.method}: ${error.message}`))
  }

  #abandon(isGone: (waiting: Waiting) => boolean): void {
    for (const [id, waiting] of this.#waiting) {
      if (!isGone(waiting)) continue
      this.#waiting.delete(id)
      waiting.reject(new Error(`${waiting.method}: the target is gone`))
    }
  }
}
