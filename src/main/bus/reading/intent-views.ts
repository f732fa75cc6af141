import type { IntentRow as IntentLine, IntentView } from '../../../shared/control/intent-views.ts'
import type { Gap } from '../clock.ts'
import { formatId } from '../ids.ts'
import { statusName, toDetail, type IntentRow } from '../intents/intent.ts'

/** The columns of a line of the list: all but the long ones. */
export const LINE_COLUMNS = `n, tail, namespace, goal, status, priority, claim_attempts, max_attempts, created_at, run_at,
  expires_at, claim_expires_at, finished_at, publisher, worker, claimed_by, target_worker, required_capability, last_error`

export type StoredLine = Pick<
  IntentRow,
  | 'n'
  | 'tail'
  | 'namespace'
  | 'goal'
  | 'status'
  | 'priority'
  | 'claim_attempts'
  | 'max_attempts'
  | 'created_at'
  | 'run_at'
  | 'expires_at'
  | 'claim_expires_at'
  | 'finished_at'
  | 'publisher'
  | 'worker'
  | 'claimed_by'
  | 'target_worker'
  | 'required_capability'
  | 'last_error'
>

/** An intent as a line of the list. */
export function toLine(row: StoredLine): IntentLine {
  return {
    id: formatId(row.n, row.tail),
    namespace: row.namespace,
    goal: row.goal,
    status: statusName(row.status),
    priority: row.priority,
    attempts: row.claim_attempts,
    maxAttempts: row.max_attempts,
    createdAt: row.created_at,
    runAt: row.run_at,
    expiresAt: row.expires_at,
    leaseEndsAt: row.claim_expires_at,
    finishedAt: row.finished_at,
    publisher: row.publisher,
    worker: row.worker,
    claimedBy: row.claimed_by,
    target: row.target_worker,
    capability: row.required_capability,
    error: row.last_error
  }
}

/** All about an intent, with the gaps of its life; `payload` and `result` as the text that came in, digit for digit. */
export function toView(row: IntentRow, gaps: readonly Gap[]): IntentView {
  const { history, result_type: resultType } = toDetail(row)
  return {
    ...toLine(row),
    visibility: row.visibility,
    backoffBase: row.backoff_base,
    payload: row.payload,
    result: row.result,
    resultType,
    claimedAt: row.claimed_at,
    claimAddress: row.claim_address,
    history,
    gaps: gaps.filter(({ at }) => row.finished_at === null || at <= row.finished_at)
  }
}
