import { WAIT } from '../limits.ts'
import { monotonic, sleep } from './patience.ts'
import type { Answer } from './requests.ts'
import { readRetryAfter } from './retry.ts'

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
 * tells whether what it found was waited for. Resolves with what was found last.
 */
export async function waitFor<T extends Found>(
  wait: Wait,
  ask: (hold: number) => Promise<T>,
  isThere: (found: T) => boolean
): Promise<T> {
  const end = monotonic() + wait.seconds
  for (;;) {
    const hold = Math.min(Math.max(0, end - monotonic()), wait.hold ?? WAIT.max, WAIT.max)
    const found = await ask(hold)
    const left = end - monotonic()
    if (isThere(found) || left <= 0) return found
    // An answer that comes early, of a bus that is closing or holds too many, must not make a storm.
    const wasHeld = knowsWaiting(found.answer) && hold > SLACK && found.answer.took > hold - SLACK
    if (!wasHeld) await sleep(Math.min(pauseAfter(found.answer, hold > 0, wait.pollInterval), left), wait.signal)
  }
}

/** Seconds before asking again: as the bus says, but no sooner than the interval for polling where it does not wait. */
function pauseAfter(answer: Answer, isWaiting: boolean, pollInterval: number): number {
  const told = Math.max(readRetryAfter(answer.header('Retry-After')) ?? 1, 1)
  return isWaiting && knowsWaiting(answer) ? told : Math.max(told, pollInterval)
}
