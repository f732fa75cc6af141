import { IntentBusError, IntentBusNetworkError } from './errors.ts'

/** How often a request that may be repeated is sent again. */
const RETRIES = 2
/** Statuses behind which the next attempt may find a bus that is well again. */
const PASSING = new Set([500, 502, 503, 504])
/** Seconds: what goes on until it succeeds waits no longer, whatever it is told; anything else gets the error at once. */
const LONGEST_PAUSE = 120
/** Seconds, at least, that a bus's word counts for: 0 is no leave to storm a bus in trouble. */
const SHORTEST_TOLD = 1
/** Seconds, at least, between attempts that must succeed before a lease ends. */
const SHORTEST_PAUSE = 0.25
/** Seconds between attempts that go on for as long as they must. */
const LONGEST_BACKOFF = 30

/** Seconds before attempt `attempt + 1`, the first being attempt 0: they double, and a little chance keeps clients apart. */
export function backoff(attempt: number): number {
  return Math.min(2 ** attempt, LONGEST_BACKOFF) + Math.random() * 0.5
}

/** Whether trouble may pass by itself: no answer, a server in trouble, or too many requests. */
export function isPassing(error: unknown): error is IntentBusError {
  if (error instanceof IntentBusNetworkError) return true
  if (!(error instanceof IntentBusError) || error.status === undefined) return false
  return error.status >= 500 || error.status === 429 || error.status === 408
}

/** Whether an attempt that ended with this error may have been carried out all the same. */
export function mayHaveHappened(error: IntentBusError): boolean {
  return error.status === undefined || (error.status >= 500 && error.status !== 503)
}

/** Seconds to wait for who is told to wait for `seconds`. */
export function pauseAsTold(seconds: number): number {
  return Math.min(Math.max(seconds, SHORTEST_TOLD), LONGEST_PAUSE)
}

/** Seconds to wait after the failure number `attempt`, from 0: as the bus says, where it says, but two minutes at most. */
export function pauseAfter(error: unknown, attempt: number): number {
  const told = error instanceof IntentBusError ? error.retryAfter : undefined
  // Whoever was told the same second would come back together.
  return told === undefined ? backoff(attempt) : pauseAsTold(told) + Math.random() * 0.5
}

/** The same for what must succeed within `left` seconds: short enough for another attempt, where the bus does not say. */
export function pauseWithin(left: number, error: unknown, attempt: number): number {
  const pause = pauseAfter(error, attempt)
  const isTold = error instanceof IntentBusError && error.retryAfter !== undefined
  return isTold ? pause : Math.min(pause, Math.max(left / 2, SHORTEST_PAUSE))
}

/**
 * Seconds before a request that may be repeated is sent again; undefined when it is not. `attempt`: 0 for the first.
 * Network errors, 500, 502, 503 and 504 are tried again; 429 only when the bus says how long to wait.
 */
export function pauseBeforeRetry(error: unknown, attempt: number): number | undefined {
  if (attempt >= RETRIES || !(error instanceof IntentBusError)) return undefined
  const isRetried =
    error instanceof IntentBusNetworkError ||
    (error.status !== undefined && PASSING.has(error.status)) ||
    (error.status === 429 && error.retryAfter !== undefined)
  const isToldTooLong = error.retryAfter !== undefined && error.retryAfter > LONGEST_PAUSE
  return isRetried && !isToldTooLong ? pauseAfter(error, attempt) : undefined
}

/** Seconds of a Retry-After header, which holds a number or a date; undefined when it makes no sense. */
export function readRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header)
  // Some languages' dates are lenient: a number that is no count of seconds is none.
  if (/^[\d.+-]/.test(header.trim())) return undefined
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000)
}
