import { appendHistory } from '../../../shared/history.ts'
import { STATUS } from '../intents/intent.ts'
import type { ImportedIntent } from './records.ts'

/**
 * An intent that somebody held on the bus that it comes from: here it is open, as the lease means nothing. Its attempts
 * stay counted, but one is left, else nobody could finish what somebody had begun.
 */
export function opensAgain(intent: ImportedIntent, now: number): ImportedIntent {
  return {
    ...intent,
    status: STATUS.open,
    claim_attempts: Math.min(intent.claim_attempts, intent.max_attempts - 1),
    claimed_at: null,
    claimed_by: null,
    claim_address: null,
    worker: null,
    history: appendHistory(intent.history, { at: now, event: 'moved' })
  }
}
