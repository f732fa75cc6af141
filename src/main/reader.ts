import { parentPort, workerData } from 'node:worker_threads'
import { ProtocolError } from '../shared/errors.ts'
import type { FromThread, ToThread } from './bus/reading/messages.ts'
import { Queries } from './bus/reading/queries.ts'
import { Share, Turns } from './bus/reading/turns.ts'
import { isDamage, openForReading } from './bus/store/database.ts'
import { giveWay } from './give-way.ts'

/** The reading thread: answers questions from its own connection, long ones in turns with others. */
const queries = new Queries(openForReading(workerData as string))
const turns = new Turns()
const running = new Map<number, AbortController>()

giveWay()
parentPort!.on('message', (message: ToThread) => {
  if ('isGivenUp' in message) running.get(message.id)?.abort()
  else void answer(message)
})

async function answer({ id, name, args }: Exclude<ToThread, { isGivenUp: true }>): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  const share = new Share(turns, controller.signal)
  const query = queries[name] as (...args: readonly unknown[]) => unknown
  // A short question is one turn, and no other begins before its rest is over.
  const reply = await resultOf(id, () => share.turn(() => query.apply(queries, [...args, share])))
  running.delete(id)
  parentPort!.postMessage(reply)
}

async function resultOf(id: number, ask: () => unknown): Promise<FromThread> {
  try {
    return { id, value: await ask() }
  } catch (error) {
    return { id, error: (error as Error).message, code: error instanceof ProtocolError ? error.code : null, isDamage: isDamage(error) }
  }
}
