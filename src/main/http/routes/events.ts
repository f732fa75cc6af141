import type { ServerResponse } from 'node:http'
import type { IntentChange } from '../../../shared/control/intent-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import type { Bus } from '../../bus/bus.ts'
import type { Caller } from '../../bus/caller.ts'
import type { Reply } from '../exchange.ts'

/** Milliseconds: proxies and clients give up on a stream that says nothing for long. */
const HEARTBEAT_MS = 15_000
/** Bytes that a slow client may lag behind; then it is cut off, and goes on where it was when it comes back. */
const MAX_LAG = 1_048_576
const MAX_STREAMS_PER_KEY = 16

/** GET /events: what happens to a key's intents, as server-sent events. `lastId`: the header Last-Event-ID. */
export function followEvents(bus: Bus, { key }: Caller, lastId: string | undefined): Reply {
  if (bus.clientEvents.countOf(key.id) >= MAX_STREAMS_PER_KEY) {
    throw new ProtocolError('limit_exceeded', `A key can follow events ${MAX_STREAMS_PER_KEY} times at once.`, 5)
  }
  const stream = (res: ServerResponse): void => {
    let maxLag = Infinity
    const send = (id: string, event: string, data: string): void => {
      res.write(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`)
      if (res.writableLength > maxLag) res.destroy()
    }
    const stop = bus.clientEvents.follow(
      {
        keyId: key.id,
        // An id without an event: a stream that breaks before the first event can be gone on with.
        onBegin: (id) => void res.write(`id: ${id}\n\n`),
        onChange: (id, change) => send(id, 'change', JSON.stringify(toEvent(change))),
        onGap: (id) => send(id, 'gap', '{}'),
        onEnd: () => res.end()
      },
      lastId
    )
    // Something at once, so that a client knows that it is heard.
    res.write(': following\n\n')
    // All that was missed comes at once and is no lag.
    maxLag = res.writableLength + MAX_LAG
    res.on('drain', () => (maxLag = MAX_LAG))
    const heartbeat = setInterval(() => res.write(': still here\n\n'), HEARTBEAT_MS)
    res.on('error', () => res.destroy())
    res.on('close', () => {
      clearInterval(heartbeat)
      stop()
    })
  }
  return { status: 200, body: '', type: 'text/event-stream', headers: ['X-Accel-Buffering', 'no'], stream }
}

/** A change in the words of the protocol. */
function toEvent({ id, at, event, status, namespace, goal, attempts, runAt, leaseEndsAt, worker, key, error }: IntentChange) {
  const claimer = key === undefined || event === 'published' ? {} : { claimed_by: key, worker: worker ?? null }
  return {
    id,
    at,
    event,
    status,
    namespace,
    goal,
    ...claimer,
    claim_attempts: attempts,
    run_at: runAt,
    claim_expires_at: leaseEndsAt,
    error: error ?? undefined
  }
}
