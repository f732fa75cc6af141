import { hash } from 'node:crypto'
import { ProtocolError } from '../../shared/errors.ts'
import { canonicalJson } from '../../shared/json-text.ts'
import { IDEMPOTENCY_LIFETIME } from '../../shared/limits.ts'
import type { Connection, Statement } from './store/database.ts'

/** What makes two requests the same request (SPEC 7.2). */
export interface IdempotencyMark {
  readonly keyId: string
  /** The operation: an Idempotency-Key of one says nothing about another. */
  readonly scope: string
  readonly idempotencyKey: string
  readonly bodyDigest: string
}

/** Two bodies have the same digest when they mean the same JSON. */
export function markRequest(keyId: string, scope: string, idempotencyKey: string, body: string): IdempotencyMark {
  return { keyId, scope, idempotencyKey, bodyDigest: hash('sha256', canonicalJson(body), 'base64url') }
}

export class Idempotency {
  readonly #find: Statement
  readonly #upsert: Statement
  readonly #deleteExpired: Statement
  readonly #deleteOfKey: Statement

  constructor(db: Connection) {
    this.#find = db
      .prepare(
        `SELECT body_digest, response FROM idempotency
         WHERE key_id = ? AND scope = ? AND idempotency_key = ? AND expires_at > ?`
      )
      .raw()
    this.#upsert = db.prepare(
      `INSERT OR REPLACE INTO idempotency (key_id, scope, idempotency_key, body_digest, response, expires_at)
       VALUES (?, ?, ?, ?, ?, ?)`
    )
    this.#deleteExpired = db.prepare(
      `DELETE FROM idempotency WHERE (key_id, scope, idempotency_key) IN
         (SELECT key_id, scope, idempotency_key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`
    )
    this.#deleteOfKey = db.prepare('DELETE FROM idempotency WHERE key_id = ?')
  }

  /** The stored answer to the same request, undefined for a new one; throws 422 when the body differs. */
  recall({ keyId, scope, idempotencyKey, bodyDigest }: IdempotencyMark, now: number): string | undefined {
    const row = this.#find.get(keyId, scope, idempotencyKey, now) as [string, string] | undefined
    if (row === undefined) return undefined
    const [knownDigest, response] = row
    if (knownDigest === bodyDigest) return response
    throw new ProtocolError('idempotency_conflict', 'Key reused with different payload.')
  }

  remember({ keyId, scope, idempotencyKey, bodyDigest }: IdempotencyMark, response: string, now: number): void {
    this.#upsert.run(keyId, scope, idempotencyKey, bodyDigest, response, now + IDEMPOTENCY_LIFETIME)
  }

  /** Deletes up to `limit` rows whose time is over; the answer is how many it were. */
  deleteExpired(now: number, limit: number): number {
    return this.#deleteExpired.run(now, limit).changes
  }

  deleteOfKey(keyId: string): void {
    this.#deleteOfKey.run(keyId)
  }
}
