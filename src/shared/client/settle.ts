import type { ClaimedIntent } from './answers.ts'
import { IntentBusError, LeaseLostError } from './errors.ts'
import { TextResult, type Outcome } from './handler.ts'
import type { LeaseOperations } from './leases.ts'
import { monotonic, sleep } from './patience.ts'
import { isPassing, mayHaveHappened, pauseWithin } from './retry.ts'

/**
 * Tells the bus how the work on an intent ended. Trouble on the way is answered by trying again while the lease is certainly
 * held: the token is the same, so the outcome is, too. `seconds`: how long that is. Resolves with how it ended for the bus;
 * rejects when that could not be told, and the intent will be delivered again.
 */
export async function settle(
  leases: LeaseOperations,
  intent: ClaimedIntent,
  outcome: Outcome,
  seconds: number
): Promise<Outcome> {
  if (outcome.status === 'lost') return outcome
  const until = monotonic() + seconds
  let mayBeDone = false
  for (let failures = 0; ; failures++) {
    try {
      await send(leases, intent, outcome)
      return outcome
    } catch (error) {
      if (error instanceof LeaseLostError) {
        const isDone = mayBeDone && (await wentThrough(leases, intent, outcome))
        return isDone ? outcome : { status: 'lost', error }
      }
      const left = until - monotonic()
      const pause = pauseWithin(left, error, failures)
      if (isPassing(error) && pause < left) {
        mayBeDone ||= mayHaveHappened(error)
        await sleep(pause)
        continue
      }
      // The result is at fault, not the way to the bus: it is no JSON, or too large.
      if (outcome.status === 'fulfilled' && isRefusal(error)) {
        return settle(leases, intent, { status: 'failed', error }, left)
      }
      throw error
    }
  }
}

async function send(leases: LeaseOperations, { id, claimToken }: ClaimedIntent, outcome: Outcome): Promise<void> {
  if (outcome.status === 'failed') return leases.fail(id, claimToken, outcome.error.message, {})
  if (outcome.status === 'lost') return
  const { result } = outcome
  if (result instanceof TextResult) await leases.fulfill(id, claimToken, result.text, { resultType: 'text' })
  else await leases.fulfill(id, claimToken, result, {})
}

/** A 404 behind an attempt without an answer: that attempt may have been the one that counts. */
async function wentThrough(leases: LeaseOperations, { id }: ClaimedIntent, outcome: Outcome): Promise<boolean> {
  // Whoever failed an intent may not be one of its readers any more; its lease ends either way.
  if (outcome.status === 'failed') return true
  try {
    return (await leases.getStatus(id, {})).status === 'fulfilled'
  } catch {
    return false
  }
}

function isRefusal(error: unknown): error is Error {
  if (error instanceof IntentBusError) return error.status === 400 || error.status === 413
  return error instanceof Error
}
