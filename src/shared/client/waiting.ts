import { WAIT } from '../limits.ts'
import { monotonic, sleep } from './patience.ts'
import type { Answer } from './requests.ts'
import { isPassing, pauseAfter, pauseAsTold, readRetryAfter } from './retry.ts'

/**
 * Waiting for something that a bus may hold a request for (`wait=S`). A server that does not know the parameter answers
 * at once, and without this header; there the client asks again and again itself.
 */
const HELD_HEADER = 'X-Intent-Wait'

/** Seconds: an answer that came sooner than asked by more than this was not held to its end. */
const SLACK = 0.5

/** What one request found. */
export interface Found {
  readonly answer: Answer
}

export interface Wait {
  /** In all; 0 asks once. */
  readonly seconds: number
  /** Seconds for which one request may be held at most. Default: as long as a bus does. */
  readonly hold?: number | undefined
  /** Seconds between requests where the bus cannot hold them. */
  readonly pollInterval: number
  /** Whether to ask again after trouble that may pass, as long as there is time; what is asked must be safe to repeat. */
  readonly bearsTrouble?: boolean
  readonly signal?: AbortSignal | undefined
}

/** Whether whoever answered knows about waiting. */
export function knowsWaiting(answer: Answer): boolean {
  return answer.header(HELD_HEADER) !== null
}

/** The query parameter for a request that may be held for `seconds`. */
export function waitParameter(seconds: number): readonly [name: string, value: string] {
  return ['wait', String(Number(seconds.toFixed(3)))]
}

/**
 * Asks until there is something or the time is over. `ask` is told how many seconds the request may be held; `isThere`
 * tells whether what it found was waited for. Resolves and rejects as the last `ask` does.
 */
export async function waitFor<T extends Found>(
  wait: Wait,
  ask: (hold: number) => Promise<T>,
  isThere: (found: T) => boolean
): Promise<T> {
  const end = monotonic() + wait.seconds
  for (let failures = 0; ; ) {
    const hold = Math.min(Math.max(0, end - monotonic()), wait.hold ?? WAIT.max, WAIT.max)
    let pause: number
    try {
      const found = await ask(hold)
      if (isThere(found) || monotonic() >= end) return found
      failures = 0
      pause = pauseBetween(found.answer, hold, wait.pollInterval)
    } catch (error) {
      const isBorne = wait.bearsTrouble === true && !wait.signal?.aborted && isPassing(error)
      if (!isBorne || monotonic() >= end) throw error
      pause = pauseAfter(error, failures++)
    }
    if (pause > 0) await sleep(Math.min(pause, end - monotonic()), wait.signal)
  }
}

/** Seconds before asking again: as the bus says, but no sooner than the interval for polling where it does not wait. */
function pauseBetween(answer: Answer, hold: number, pollInterval: number): number {
  const waits = knowsWaiting(answer)
  if (waits && hold > SLACK && answer.took > hold - SLACK) return 0
  // An answer that comes early, of a bus that is closing or holds too many, must not make a storm.
  const told = pauseAsTold(readRetryAfter(answer.header('Retry-After')) ?? 0)
  return waits && hold > 0 ? told : Math.max(told, pollInterval)
}
