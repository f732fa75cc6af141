import { Worker } from 'node:worker_threads'
import { ProtocolError } from '../../../shared/errors.ts'
import { THREAD_LIMITS } from '../memory.ts'
import type { FromThread, QueryAnswer, QueryArguments, QueryName, ToThread } from './messages.ts'

/** Asks the reading thread. It starts with the first question, and again after a crash. */
export class Reader {
  readonly #entry: URL
  readonly #path: string
  readonly #onDamage: (problem: string) => void
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | undefined
  #lastId = 0
  #isClosed = false

  /** `entry`: the module that runs in the thread; `path`: the database; `onDamage` hears that it cannot be read. */
  constructor(entry: URL, path: string, onDamage: (problem: string) => void = () => {}) {
    this.#onDamage = onDamage
    this.#entry = entry
    this.#path = path
  }

  /**
   * Asks one of `Queries`. Rejects with ProtocolError for what the operator did wrong, with another error when the
   * question failed or the thread ended before it answered. A signal behind the arguments gives a long question up.
   */
  async ask<N extends QueryName>(name: N, ...given: [...QueryArguments<N>, signal?: AbortSignal]): Promise<QueryAnswer<N>> {
    if (this.#isClosed) throw new Error('The bus is closed.')
    const signal = given.at(-1) instanceof AbortSignal ? (given.pop() as AbortSignal) : undefined
    signal?.throwIfAborted()
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    this.#worker ??= this.#start()
    this.#send({ id, name, args: given })
    const giveUp = (): void => {
      this.#waiting.delete(id)
      this.#send({ id, isGivenUp: true })
      waiting.reject(signal!.reason as Error)
    }
    signal?.addEventListener('abort', giveUp)
    try {
      return (await waiting.promise) as QueryAnswer<N>
    } finally {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#worker?.terminate()
  }

  #send(message: ToThread): void {
    this.#worker?.postMessage(message)
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: this.#path, name: 'reader', resourceLimits: THREAD_LIMITS })
    worker.unref()
    worker.on('message', (answer: FromThread) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('error' in answer && answer.isDamage) this.#onDamage(answer.error)
      if (!('error' in answer)) waiting?.resolve(answer.value)
      else waiting?.reject(answer.code === null ? new Error(answer.error) : new ProtocolError(answer.code, answer.error))
    })
    worker.on('error', (error) => this.#lost(worker, error as Error))
    worker.on('exit', () => this.#lost(worker, new Error('The reading thread ended.')))
    return worker
  }

  #lost(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const waiting of this.#waiting.values()) waiting.reject(error)
    this.#waiting.clear()
  }
}
