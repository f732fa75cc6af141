import { Worker } from 'node:worker_threads'
import type { Queries } from './queries.ts'

export type QueryName = keyof Queries

/** What goes to the reading thread and what comes back. */
export interface Question {
  readonly id: number
  readonly name: QueryName
  readonly args: readonly unknown[]
}
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }

/** Asks the reading thread. It starts with the first question, and again after a crash. */
export class Reader {
  readonly #entry: URL
  readonly #path: string
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #worker: Worker | undefined
  #lastId = 0
  #isClosed = false

  /** `entry`: the module that runs in the thread; `path`: the database. */
  constructor(entry: URL, path: string) {
    this.#entry = entry
    this.#path = path
  }

  /** Rejects when the question failed or the thread ended before it answered. */
  ask<N extends QueryName>(name: N, ...args: Parameters<Queries[N]>): Promise<ReturnType<Queries[N]>> {
    if (this.#isClosed) return Promise.reject(new Error('The bus is closed.'))
    const id = ++this.#lastId
    const waiting = Promise.withResolvers<unknown>()
    this.#waiting.set(id, waiting)
    const question: Question = { id, name, args }
    this.#worker ??= this.#start()
    this.#worker.postMessage(question)
    return waiting.promise as Promise<ReturnType<Queries[N]>>
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: this.#path, name: 'reader' })
    worker.unref()
    worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('error' in answer) waiting?.reject(new Error(answer.error))
      else waiting?.resolve(answer.value)
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
