import { parseHistory } from '../../../shared/history.ts'
import { compactJson } from '../../../shared/json-text.ts'
import { formatId } from '../ids.ts'
import { statusName, type IntentRow } from '../intents/intent.ts'
import { readLimits, type StoredLimits } from '../key-limits.ts'

/** An intent as a line of an export; `gone`: seconds of all gaps so far. */
export function intentLine(row: IntentRow & { readonly traceparent: string | null }, gone: number): string {
  const fields = {
    type: 'intent',
    id: formatId(row.n, row.tail),
    status: statusName(row.status),
    namespace: row.namespace,
    goal: row.goal,
    visibility: row.visibility,
    priority: row.priority,
    publisher: row.publisher,
    target_worker: row.target_worker,
    required_capability: row.required_capability,
    created_at: row.created_at,
    run_at: row.run_at,
    expires_at: row.expires_at + gone,
    claim_attempts: row.claim_attempts,
    max_attempts: row.max_attempts,
    backoff_base: row.backoff_base,
    claimed_at: row.claimed_at,
    claimed_by: row.claimed_by,
    worker: row.worker,
    claim_address: row.claim_address,
    finished_at: row.finished_at,
    error: row.last_error,
    result_type: row.result_type,
    traceparent: row.traceparent,
    history: parseHistory(row.history)
  }
  const result = row.result === null ? [] : [['result', row.result] as const]
  return lineOf(fields, ...result, ['payload', row.payload])
}

export interface KeyRow extends StoredLimits {
  readonly id: string
  readonly owner: string
  readonly created_at: number
  readonly revoked_at: number | null
  readonly requests: number
  readonly last_used_at: number | null
}

export function keyLine({ scope, expires_at, rate_limit, ...fields }: KeyRow): string {
  const { scope: readable } = readLimits({ scope, expires_at, rate_limit })
  return lineOf({ type: 'key', ...fields, expires_at, rate_limit, scope: readable })
}

export function templateLine({ id, updated_at, content }: { readonly id: string; readonly updated_at: number; readonly content: string }): string {
  return lineOf({ type: 'template', id, updated_at }, ['template', content])
}

export function viewLine(view: { readonly id: string; readonly name: string; readonly filter: string }): string {
  return lineOf({ type: 'saved_view', ...view })
}

interface KeyValueRow {
  readonly key_id: string
  readonly name: string
  readonly value: string
  readonly expires_at: number
}

export function keyValueLine({ key_id, name, value, expires_at }: KeyValueRow): string {
  return lineOf({ type: 'key_value', key: key_id, name, expires_at }, ['value', value])
}

/** A line of `fields`, and behind them members whose values are JSON text already: their numbers keep every digit. */
export function lineOf(fields: object, ...spliced: readonly (readonly [name: string, json: string])[]): string {
  const members = spliced.map(([name, json]) => `,"${name}":${/[\r\n]/.test(json) ? compactJson(json) : json}`)
  return `${JSON.stringify(fields).slice(0, -1)}${members.join('')}}\n`
}
