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
  try {
    // A short question is one turn, and no other begins before its rest is over.
    const value = await share.turn(() => query.apply(queries, [...args, share]))
    // An answer that cannot be sent is a fault of this question alone.
    send({ id, value })
  } catch (error) {
    send({ id, error: (error as Error).message, code: error instanceof ProtocolError ? error.code : null, isDamage: isDamage(error) })
  } finally {
    running.delete(id)
  }
}

function send(reply: FromThread): void {
  parentPort!.postMessage(reply)
}
