import { ProtocolError } from '../../../shared/errors.ts'
import { MAIN_KEY_ID, type Key } from '../keys.ts'
import type { Gaps } from '../gaps.ts'
import type { Connection } from '../store/database.ts'
import {
  findById,
  intentNotFound,
  inUnixTime,
  STATUS,
  toDetail,
  toStatus,
  type IntentDetail,
  type IntentRow,
  type IntentStatus
} from './intent.ts'

/** Single intents, by their id. */
export class Reading {
  readonly #find
  readonly #gaps: Gaps

  constructor(db: Connection, gaps: Gaps) {
    this.#gaps = gaps
    this.#find = db.prepare('SELECT * FROM intents WHERE n = ?')
  }

  /** True when the stored status is out of date: its lease or its lifetime is over, but nothing has swept it yet. */
  isOverdue(id: string, now: number): boolean {
    const row = this.#row(id)
    if (row?.status === STATUS.claimed) return row.claim_expires_at! <= now
    return row?.status === STATUS.open && row.expires_at <= now
  }

  /**
   * For the publisher, the current claimer, or a reader of all (SPEC 7.7): the main key, or `null` for an operator.
   * Throws 404, and 403 for a stranger.
   */
  status(reader: Key | null, id: string): IntentStatus {
    const row = this.#row(id)
    if (row === undefined || row.status === STATUS.expired) throw intentNotFound()
    const mayRead = reader === null || reader.id === MAIN_KEY_ID || reader.id === row.publisher || reader.id === row.claimed_by
    if (!mayRead) throw new ProtocolError('forbidden', 'This intent belongs to another key.')
    return toStatus(row)
  }

  /** Everything, expired intents included. Throws 404. */
  detail(id: string): IntentDetail {
    const row = this.#row(id)
    if (row === undefined) throw intentNotFound()
    return toDetail(row)
  }

  #row(id: string): IntentRow | undefined {
    const row = findById<IntentRow>(this.#find, id)
    return row && inUnixTime(row, this.#gaps.unix(0))
  }
}
