import { MAX_ERROR_LENGTH } from '../limits.ts'
import type { ClaimedIntent } from './answers.ts'
import { IntentBusError, IntentBusNetworkError, LeaseLostError } from './errors.ts'
import { TextResult, type Outcome } from './handler.ts'
import type { LeaseOperations } from './leases.ts'
import { monotonic, sleep } from './patience.ts'
import { isPassing, mayHaveHappened, pauseWithin } from './retry.ts'

export interface SettleLimits {
  /** Seconds for which the lease is certainly held: no further attempt begins after them. */
  readonly seconds: number
  /** Aborted, it ends also the attempt or the pause that is under way. */
  readonly signal: AbortSignal
}

/**
 * Tells the bus how the work on an intent ended. Trouble on the way is answered by trying again while the lease is certainly
 * held: the token is the same, so the outcome is, too. Resolves with how it ended for the bus; rejects when that could not be
 * told, and the intent will be delivered again.
 */
export async function settle(
  leases: LeaseOperations,
  intent: ClaimedIntent,
  outcome: Outcome,
  { seconds, signal }: SettleLimits
): Promise<Outcome> {
  if (outcome.status === 'lost') return outcome
  const until = monotonic() + seconds
  let mayBeDone = false
  let trouble: IntentBusError | undefined
  for (let failures = 0; ; failures++) {
    try {
      await send(leases, intent, outcome, signal)
      return outcome
    } catch (error) {
      if (error instanceof LeaseLostError) {
        const isDone = mayBeDone && (await wentThrough(leases, intent, outcome, signal))
        return isDone ? outcome : { status: 'lost', error }
      }
      if (signal.aborted) throw trouble ?? unanswered()
      const left = until - monotonic()
      const pause = pauseWithin(left, error, failures)
      if (isPassing(error) && pause < left) {
        trouble = error
        mayBeDone ||= mayHaveHappened(error)
        await sleep(pause, signal).catch(() => {
          throw error
        })
        continue
      }
      // The result is at fault, not the way to the bus: it is no JSON, or too large.
      if (outcome.status === 'fulfilled' && isRefusal(error)) {
        return settle(leases, intent, { status: 'failed', error }, { seconds: left, signal })
      }
      throw error
    }
  }
}

async function send(
  leases: LeaseOperations,
  { id, claimToken }: ClaimedIntent,
  outcome: Outcome,
  signal: AbortSignal
): Promise<void> {
  if (outcome.status === 'failed') return leases.fail(id, claimToken, sendable(outcome.error.message), { signal })
  if (outcome.status === 'lost') return
  const { result } = outcome
  if (result instanceof TextResult) await leases.fulfill(id, claimToken, result.text, { resultType: 'text', signal })
  else await leases.fulfill(id, claimToken, result, { signal })
}

/** As much of an error as the bus keeps, where a character may be two units: one too large for a request could not be told. */
function sendable(message: string): string {
  return message.slice(0, 2 * MAX_ERROR_LENGTH).toWellFormed()
}

function unanswered(): IntentBusError {
  return new IntentBusNetworkError('The bus did not answer in time when it was told how the work ended.', { code: 'timeout' })
}

/** A 404 behind an attempt without an answer: that attempt may have been the one that counts. */
async function wentThrough(
  leases: LeaseOperations,
  { id }: ClaimedIntent,
  outcome: Outcome,
  signal: AbortSignal
): Promise<boolean> {
  // Whoever failed an intent may not be one of its readers any more; its lease ends either way.
  if (outcome.status === 'failed') return true
  try {
    return (await leases.getStatus(id, { signal })).status === 'fulfilled'
  } catch {
    return false
  }
}

function isRefusal(error: unknown): error is Error {
  if (error instanceof IntentBusError) return error.status === 400 || error.status === 413
  return error instanceof Error
}
