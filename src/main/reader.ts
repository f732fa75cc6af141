import { parentPort, workerData } from 'node:worker_threads'
import { ProtocolError } from '../shared/errors.ts'
import type { FromThread, ToThread } from './bus/reading/messages.ts'
import { Queries } from './bus/reading/queries.ts'
import { Share, Turns } from './bus/reading/turns.ts'
import { openForReading } from './bus/store/database.ts'

/** The reading thread: answers questions from its own connection, long ones in turns with others. */
const queries = new Queries(openForReading(workerData as string))
const turns = new Turns()
const running = new Map<number, AbortController>()

parentPort!.on('message', (message: ToThread) => {
  if ('isGivenUp' in message) running.get(message.id)?.abort()
  else void answer(message)
})

async function answer({ id, name, args }: Exclude<ToThread, { isGivenUp: true }>): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  const reply = await resultOf(id, () => {
    const query = queries[name] as (...args: readonly unknown[]) => unknown
    return query.apply(queries, [...args, new Share(turns, controller.signal)])
  })
  running.delete(id)
  parentPort!.postMessage(reply)
}

async function resultOf(id: number, ask: () => unknown): Promise<FromThread> {
  try {
    return { id, value: await ask() }
  } catch (error) {
    return { id, error: (error as Error).message, code: error instanceof ProtocolError ? error.code : null }
  }
}
