import type { IntentState } from './answers.ts'
import { EventStreamReader, type StreamEvent } from './event-stream.ts'
import { IntentBusNetworkError } from './errors.ts'
import { readObject } from './objects.ts'
import type { EventsOptions } from './options.ts'
import { Patience, sleep } from './patience.ts'
import type { Requests } from './requests.ts'
import { isPassing, pauseAfter } from './retry.ts'

/** Something that happened to an intent of the key's own. Times are Unix seconds. */
export interface IntentChange {
  readonly type: 'change'
  /** Where to go on from, as `lastEventId` of a later `events()`. */
  readonly lastEventId: string
  readonly id: string
  readonly at: number
  /** What happened: `published`, `claimed`, `extended`, `fulfilled`, `failed` … */
  readonly event: string
  readonly status: IntentState
  readonly namespace: string
  readonly goal: string
  /** How often it was claimed. What follows is there where the event changed or concerns it. */
  readonly attempts?: number
  /** Public id of the key that holds or held the lease, and the name of its worker. */
  readonly claimedBy?: string
  readonly worker?: string | null
  readonly runAt?: number
  readonly leaseEndsAt?: number | null
  readonly error?: string
}

/** Some changes were missed and are no longer known: ask for the states of the intents that matter. */
export interface EventGap {
  readonly type: 'gap'
  readonly lastEventId: string
}

export type IntentEvent = IntentChange | EventGap

/** Seconds: the bus says something every 15. */
const SILENCE = 40

/** How far a reader has come. */
interface Place {
  lastEventId: string
  /** Whether it was there before the connection that it reads now. */
  wasThere: boolean
}

/**
 * The key's own events, until the reader leaves the loop or the signal is aborted (then it rejects with its reason). A broken
 * connection is opened again where it broke. Rejects when the bus refuses.
 */
export async function* followEvents(requests: Requests, options: EventsOptions): AsyncGenerator<IntentEvent> {
  const { lastEventId = '', signal } = options
  const place: Place = { lastEventId, wasThere: false }
  for (let failures = 0; ; ) {
    try {
      for await (const event of readConnection(requests, place, signal)) {
        failures = 0
        yield event
      }
    } catch (error) {
      if (signal?.aborted || !isPassing(error)) throw error
      await sleep(pauseAfter(error, failures++), signal)
    }
  }
}

/** The events of one connection, which ends with a network error. */
async function* readConnection(requests: Requests, place: Place, signal: AbortSignal | undefined): AsyncGenerator<IntentEvent> {
  const patience = new Patience(SILENCE, signal)
  try {
    const headers = place.lastEventId === '' ? {} : { 'Last-Event-ID': place.lastEventId }
    const response = await requests.open({ method: 'GET', path: '/events', headers }, patience)
    // It broke before there was a place to go on from.
    if (place.wasThere && place.lastEventId === '') yield { type: 'gap', lastEventId: '' }
    place.wasThere = true
    const reader = new EventStreamReader(place.lastEventId)
    const decoder = new TextDecoder()
    for await (const bytes of requests.pieces(response, patience)) {
      patience.restart(SILENCE)
      for (const event of reader.read(decoder.decode(bytes, { stream: true }))) {
        place.lastEventId = event.lastEventId
        const known = toIntentEvent(event, requests.baseUrl)
        if (known !== undefined) yield known
      }
      place.lastEventId = reader.lastEventId
    }
    throw new IntentBusNetworkError(`${requests.baseUrl} ended the stream of events.`, { code: 'network' })
  } finally {
    patience.end()
  }
}

/** Undefined for an event that this client does not know. */
function toIntentEvent({ event, data, lastEventId }: StreamEvent, baseUrl: string): IntentEvent | undefined {
  if (event === 'gap') return { type: 'gap', lastEventId }
  if (event !== 'change') return undefined
  const { claim_attempts: attempts, claimed_by: claimedBy, run_at: runAt, ...others } = readObject(data, baseUrl)
  const { claim_expires_at: leaseEndsAt, ...rest } = others
  const given = Object.entries({ attempts, claimedBy, runAt, leaseEndsAt }).filter(([, value]) => value !== undefined)
  return { ...(rest as IntentChange), ...Object.fromEntries(given), type: 'change', lastEventId }
}
