import { ProtocolError } from '../../shared/errors.ts'
import { MAX_STORE_KEYS } from '../../shared/limits.ts'
import type { SetRequest } from '../../shared/requests.ts'
import type { Connection, Statement } from './store/database.ts'

const CLEARED_BY_SET = 20

/** The ephemeral key-value store, one for each API key (SPEC 7.9). Values are JSON text. */
export class KeyValueStore {
  readonly #get: Statement
  readonly #upsert: Statement
  readonly #count: Statement
  readonly #deleteExpired: Statement
  readonly #deleteExpiredOfKey: Statement

  constructor(db: Connection) {
    this.#get = db.prepare('SELECT value FROM store WHERE key_id = ? AND name = ? AND expires_at > ?').pluck()
    this.#count = db.prepare('SELECT count(*) FROM store WHERE key_id = ? AND expires_at > ?').pluck()
    this.#upsert = db.prepare('INSERT OR REPLACE INTO store (key_id, name, value, expires_at) VALUES (?, ?, ?, ?)')
    this.#deleteExpiredOfKey = db.prepare(
      `DELETE FROM store WHERE key_id = ? AND name IN
         (SELECT name FROM store WHERE key_id = ? AND expires_at <= ? LIMIT ?)`
    )
    this.#deleteExpired = db.prepare(
      `DELETE FROM store WHERE (key_id, name) IN
         (SELECT key_id, name FROM store WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
    )
  }

  /** JSON text, undefined when there is no such key or its time is over. */
  get(keyId: string, name: string, now: number): string | undefined {
    return this.#get.get(keyId, name, now) as string | undefined
  }

  /** Throws 429 `limit_exceeded` for one key too many. */
  set(keyId: string, name: string, { value, ttl }: SetRequest, now: number): void {
    const isNew = this.get(keyId, name, now) === undefined
    if (isNew && (this.#count.get(keyId, now) as number) >= MAX_STORE_KEYS) {
      throw new ProtocolError('limit_exceeded', `An API key holds at most ${MAX_STORE_KEYS} keys at a time.`, 60)
    }
    // Who sets short-lived keys all the time must not pile them up until the next cleanup.
    this.#deleteExpiredOfKey.run(keyId, keyId, now, CLEARED_BY_SET)
    this.#upsert.run(keyId, name, value, now + ttl)
  }

  /** Deletes up to `limit` rows whose time is over; the answer is how many it were. */
  deleteExpired(now: number, limit: number): number {
    return this.#deleteExpired.run(now, limit).changes
  }
}
