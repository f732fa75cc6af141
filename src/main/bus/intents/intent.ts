import type { HistoryEvent } from '../../../shared/history.ts'
import { parseHistory } from '../../../shared/history.ts'
import type { ResultType, Visibility } from '../../../shared/requests.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import { formatId, parseId } from '../ids.ts'
import type { Statement } from '../store/database.ts'

/** As stored. `expired` is the tombstone of an intent that outlived its lifetime: gone for clients, kept for operators. */
export const STATUS = { open: 0, claimed: 1, fulfilled: 2, dead: 3, expired: 4 } as const
export type StatusName = keyof typeof STATUS

const STATUS_NAMES: readonly StatusName[] = ['open', 'claimed', 'fulfilled', 'dead', 'expired']

export function statusName(status: number): StatusName {
  return STATUS_NAMES[status]!
}

/** A row of the table `intents`. Times are Unix seconds; those of ends are stored as awake time, see `gaps.ts`. */
export interface IntentRow {
  readonly n: number
  readonly tail: string
  readonly status: number
  readonly priority: number
  readonly run_at: number
  readonly claim_attempts: number
  readonly created_at: number
  readonly expires_at: number
  readonly claimed_at: number | null
  readonly claim_expires_at: number | null
  readonly finished_at: number | null
  readonly max_attempts: number
  readonly backoff_base: number
  readonly claimed_by: string | null
  readonly claim_address: string | null
  readonly worker: string | null
  readonly namespace: string
  readonly goal: string
  readonly publisher: string
  readonly visibility: Visibility
  readonly target_worker: string | null
  readonly required_capability: string | null
  readonly last_error: string | null
  readonly result_type: ResultType | null
  readonly result: string | null
  readonly history: string
  readonly payload: string
}

/** What GET /status and GET /result tell (SPEC 7.7, 7.8). `result` is JSON text. */
export interface IntentStatus {
  readonly id: string
  readonly namespace: string
  readonly goal: string
  readonly status: StatusName
  readonly priority: number
  readonly visibility: Visibility
  readonly claim_attempts: number
  readonly run_at: number
  readonly claim_expires_at: number | null
  readonly target_worker: string | null
  readonly required_capability: string | null
  readonly completed_at: number | null
  readonly error: string | null
  readonly result_type: ResultType
  readonly result: string | null
}

/** All about an intent, for operators. `payload` and `result` are JSON text; `publisher` and `claimed_by` public ids. */
export interface IntentDetail extends IntentStatus {
  readonly payload: string
  readonly publisher: string
  readonly max_attempts: number
  readonly backoff_base: number
  readonly claimed_by: string | null
  readonly claimed_at: number | null
  readonly worker: string | null
  readonly created_at: number
  readonly expires_at: number
  readonly history: readonly HistoryEvent[]
}

/**
 * The row that belongs to an id, undefined when there is none. `byNumber` selects one row by its `n`, the `tail` included:
 * the first half of an id finds the row, the other half proves that it is meant.
 */
export function findById<Row extends { readonly tail: string }>(byNumber: Statement, id: string): Row | undefined {
  const parsed = parseId(id)
  const row = parsed && (byNumber.get(parsed.n) as Row | undefined)
  return row?.tail === parsed?.tail ? row : undefined
}

/** A row as it was stored, with all its times as Unix time. `gone`: seconds of all gaps so far. */
export function inUnixTime<Row extends Pick<IntentRow, 'expires_at' | 'claim_expires_at'>>(row: Row, gone: number): Row {
  if (gone === 0) return row
  return { ...row, expires_at: row.expires_at + gone, claim_expires_at: row.claim_expires_at && row.claim_expires_at + gone }
}

export function intentNotFound(): ProtocolError {
  return new ProtocolError('not_found', 'Intent not found.')
}

export function toStatus(row: IntentRow): IntentStatus {
  return {
    id: formatId(row.n, row.tail),
    namespace: row.namespace,
    goal: row.goal,
    status: statusName(row.status),
    priority: row.priority,
    visibility: row.visibility,
    claim_attempts: row.claim_attempts,
    run_at: row.run_at,
    claim_expires_at: row.claim_expires_at,
    target_worker: row.target_worker,
    required_capability: row.required_capability,
    completed_at: row.status === STATUS.fulfilled ? row.finished_at : null,
    error: row.last_error,
    result_type: row.result_type ?? 'json',
    result: row.result
  }
}

export function toDetail(row: IntentRow): IntentDetail {
  const published: HistoryEvent = { at: row.created_at, event: 'published', key: row.publisher }
  return {
    ...toStatus(row),
    payload: row.payload,
    publisher: row.publisher,
    max_attempts: row.max_attempts,
    backoff_base: row.backoff_base,
    claimed_by: row.claimed_by,
    claimed_at: row.claimed_at,
    worker: row.worker,
    created_at: row.created_at,
    expires_at: row.expires_at,
    history: [published, ...parseHistory(row.history)]
  }
}
