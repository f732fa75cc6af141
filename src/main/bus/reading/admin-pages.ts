import { findById, STATUS, statusName, toDetail, type IntentRow, type StatusName } from '../intents/intent.ts'
import { formatId } from '../ids.ts'
import type { Connection, Statement } from '../store/database.ts'
import { readCounts } from './names.ts'

/** A line of GET /admin/dead (SPEC 8.6). */
export interface DeadLetter {
  readonly intent_id: string
  readonly namespace: string
  readonly goal: string
  readonly attempts: number
  readonly reason: string
  readonly created_at: number
}

/** `payload` is JSON text. */
export interface DeadLetterDetail extends DeadLetter {
  readonly payload: string
}

/** The numbers of GET /metrics (SPEC 9). */
export interface Metrics {
  readonly intents: readonly { readonly status: StatusName; readonly namespace: string; readonly count: number }[]
  readonly deadLetters: number
  readonly keys: number
}

export interface IntentSummary {
  readonly id: string
  readonly namespace: string
  readonly goal: string
  readonly status: StatusName
  readonly claim_attempts: number
  readonly created_at: number
  readonly last_error: string | null
}

export interface KeySummary {
  readonly id: string
  readonly owner: string
  readonly created_at: number
  readonly last_used_at: number | null
  readonly requests: number
}

/** What the dashboard shows (SPEC 8.1). */
export interface Overview {
  readonly counts: Readonly<Record<StatusName, number>>
  readonly recent: readonly IntentSummary[]
  readonly keys: readonly KeySummary[]
  readonly deadLetters: readonly DeadLetter[]
}

const DEAD_LETTERS_LISTED = 100
const RECENT_INTENTS_SHOWN = 50

export const DEAD_LETTERS = `
  SELECT n, tail, namespace, goal, claim_attempts AS attempts, last_error AS reason, finished_at AS created_at
  FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = 3 ORDER BY finished_at DESC, n DESC LIMIT ?`

export const RECENT_INTENTS = `
  SELECT n, tail, namespace, goal, status, claim_attempts, created_at, last_error
  FROM intents ORDER BY n DESC LIMIT ?`

/** What the routes of SPEC 8 and 9 tell. */
export class AdminPages {
  readonly #db: Connection
  readonly #deadLetters: Statement
  readonly #recent: Statement
  readonly #find: Statement

  constructor(db: Connection) {
    this.#db = db
    this.#deadLetters = db.prepare(DEAD_LETTERS)
    this.#recent = db.prepare(RECENT_INTENTS)
    this.#find = db.prepare('SELECT * FROM intents WHERE n = ?')
  }

  metrics(): Metrics {
    const rows = this.#db
      .prepare(
        `SELECT status, namespace, sum(count) FROM tallies GROUP BY namespace, status HAVING sum(count) > 0
         ORDER BY namespace, status`
      )
      .raw()
      .all() as [number, string, number][]
    const intents = rows
      .filter(([status]) => status !== STATUS.expired)
      .map(([status, namespace, count]) => ({ status: statusName(status), namespace, count }))
    const deadLetters = intents.reduce((sum, { status, count }) => (status === 'dead' ? sum + count : sum), 0)
    return { intents, deadLetters, keys: this.#keys().length }
  }

  deadLetters(): DeadLetter[] {
    const rows = this.#deadLetters.all(DEAD_LETTERS_LISTED) as (Omit<DeadLetter, 'intent_id'> & Numbered)[]
    return rows.map(({ n, tail, ...letter }) => ({ intent_id: formatId(n, tail), ...letter }))
  }

  /** undefined when there is no dead letter with that id. */
  deadLetter(id: string): DeadLetterDetail | undefined {
    const row = findById<IntentRow>(this.#find, id)
    if (row?.status !== STATUS.dead) return undefined
    const { namespace, goal, claim_attempts, payload } = toDetail(row)
    return {
      intent_id: id,
      namespace,
      goal,
      attempts: claim_attempts,
      reason: row.last_error!,
      created_at: row.finished_at!,
      payload
    }
  }

  overview(): Overview {
    const recent = (this.#recent.all(RECENT_INTENTS_SHOWN) as (Omit<IntentSummary, 'id' | 'status'> & StoredSummary)[]).map(
      ({ n, tail, status, ...rest }) => ({ id: formatId(n, tail), status: statusName(status), ...rest })
    )
    return { counts: readCounts(this.#db), recent, keys: this.#keys(), deadLetters: this.deadLetters() }
  }

  #keys(): KeySummary[] {
    return this.#db
      .prepare(
        `SELECT id, owner, created_at, last_used_at, requests FROM keys
         WHERE revoked_at IS NULL AND digest <> '' ORDER BY created_at DESC, id`
      )
      .all() as KeySummary[]
  }
}

interface Numbered {
  readonly n: number
  readonly tail: string
}
interface StoredSummary extends Numbered {
  readonly status: number
}
