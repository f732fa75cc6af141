import { parentPort, workerData } from 'node:worker_threads'
import { Queries } from './bus/reading/queries.ts'
import type { Answer, Question } from './bus/reading/reader.ts'
import { openForReading } from './bus/store/database.ts'

/** The reading thread: answers one question after the other from its own connection. */
const queries = new Queries(openForReading(workerData as string))

parentPort!.on('message', ({ id, name, args }: Question) => {
  parentPort!.postMessage(answer(id, name, args))
})

function answer(id: number, name: Question['name'], args: readonly unknown[]): Answer {
  try {
    const query = queries[name] as (...args: readonly unknown[]) => unknown
    return { id, value: query.apply(queries, args as unknown[]) }
  } catch (error) {
    return { id, error: (error as Error).message }
  }
}
