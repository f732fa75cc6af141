import type { IntentChange, StatusName } from '../../../shared/control/intent-views.ts'
import { formatId } from '../ids.ts'
import type { LeaseHolder } from '../workers.ts'

/** What a change tells of its intent, as it was before. */
interface ChangedRow extends LeaseHolder {
  readonly n: number
  readonly tail: string
  readonly namespace: string
  readonly goal: string
  readonly claim_attempts: number
  readonly publisher: string
}

/** What follows from a change. */
type Outcome = Pick<IntentChange, 'attempts' | 'runAt' | 'leaseEndsAt' | 'error'> & { readonly status: StatusName }

/** A change by whoever holds or held the lease: `worker` and `key` are theirs. */
export function changeByWorker(row: ChangedRow, event: IntentChange['event'], at: number, outcome: Outcome): IntentChange {
  const { worker, claimed_by, claim_attempts } = row
  return { ...changeOf(row, event, at, { attempts: claim_attempts, ...outcome }), worker, key: claimed_by! }
}

/** A change by the bus itself or an operator. */
export function changeOf(row: ChangedRow, event: IntentChange['event'], at: number, outcome: Outcome): IntentChange {
  const { n, tail, namespace, goal, publisher } = row
  return { id: formatId(n, tail), at, event, namespace, goal, publisher, ...outcome }
}
