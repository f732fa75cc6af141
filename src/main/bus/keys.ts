import { hash } from 'node:crypto'
import { ProtocolError } from '../../shared/errors.ts'
import { NO_LIMITS, type KeyLimits } from '../../shared/scope.ts'
import { readLimits, storedLimits, type StoredLimits } from './key-limits.ts'
import type { Random } from './random.ts'
import { isExpired } from './scopes.ts'
import type { Connection, Statement } from './store/database.ts'
import { Pace } from './store/pace.ts'
import type { Participant } from './store/participant.ts'

/** The public id of the main key: what answers say where they speak of it. */
export const MAIN_KEY_ID = 'main'

/** A key as the bus knows it: never the key itself. */
export interface Key {
  /** `main` or `key_…`. Data belongs to it, so that a key can be replaced without orphaning anything. */
  readonly id: string
  readonly owner: string
  readonly isMain: boolean
  /** The main key has none. */
  readonly limits: KeyLimits
}

/** Whether a text has the form of a generated key's public id. */
export function isKeyId(text: string): boolean {
  return /^key_[0-9a-f]{16}$/.test(text)
}

interface KeyUse {
  requests: number
  lastUsedAt: number
  address: string
}

interface KeyRow extends StoredLimits {
  readonly id: string
  readonly owner: string
  readonly digest: string
}

/** SHA-256 of a secret, as stored and compared: looking a digest up tells nothing about the secret by its timing. */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** The main key and the generated ones (SPEC 5.1, 8.2). */
export class Keys implements Participant {
  readonly #byDigest = new Map<string, Key>()
  readonly #used = new Map<string, KeyUse>()
  readonly #random: Random
  readonly #pace = new Pace()
  readonly #insert: Statement
  readonly #rename: Statement
  readonly #limit: Statement
  readonly #revoke: Statement
  readonly #noteUse: Statement
  #generation = 0
  #mainDigest: string | undefined

  constructor(db: Connection, random: Random) {
    this.#random = random
    this.#insert = db.prepare(
      `INSERT INTO keys (id, owner, digest, created_at, scope, expires_at, rate_limit)
       VALUES (@id, @owner, @digest, @now, @scope, @expires_at, @rate_limit)`
    )
    this.#rename = db.prepare('UPDATE keys SET owner = ? WHERE id = ?')
    this.#limit = db.prepare(
      'UPDATE keys SET scope = @scope, expires_at = @expires_at, rate_limit = @rate_limit WHERE id = @id'
    )
    this.#revoke = db.prepare('UPDATE keys SET revoked_at = ? WHERE id = ?')
    this.#noteUse = db.prepare(
      `INSERT INTO keys (id, owner, digest, created_at, requests, last_used_at, last_address) VALUES (?, '', '', ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, last_used_at = excluded.last_used_at,
         last_address = excluded.last_address`
    )
    const rows = db
      .prepare(`SELECT id, owner, digest, scope, expires_at, rate_limit FROM keys WHERE revoked_at IS NULL AND digest <> ''`)
      .all() as KeyRow[]
    for (const { id, owner, digest, ...limits } of rows) {
      this.#byDigest.set(digest, { id, owner, isMain: false, limits: readLimits(limits) })
    }
  }

  /** Changes whenever a key ceases to count or its limits change: who was let in before must be looked up again. */
  get generation(): number {
    return this.#generation
  }

  /** Sets which key is the main one, by its digest. */
  setMain(digest: string): void {
    this.#generation++
    if (this.#mainDigest !== undefined) this.#byDigest.delete(this.#mainDigest)
    this.#mainDigest = digest
    this.#byDigest.set(digest, { id: MAIN_KEY_ID, owner: MAIN_KEY_ID, isMain: true, limits: NO_LIMITS })
  }

  /** The key that was presented, undefined when there is none like it. */
  identify(presented: string): Key | undefined {
    return this.#byDigest.get(digestOf(presented))
  }

  /** The id of a key given as itself or by its id; undefined when unknown. */
  resolveId(keyOrId: string): string | undefined {
    if (keyOrId === MAIN_KEY_ID) return MAIN_KEY_ID
    return this.identify(keyOrId)?.id ?? this.byId(keyOrId)?.id
  }

  /** The key with that public id, undefined when there is none (any more). */
  byId(id: string): Key | undefined {
    for (const key of this.#byDigest.values()) if (key.id === id) return key
    return undefined
  }

  /** The id of the key with that digest, undefined when there is none (any more). */
  idOfDigest(digest: string): string | undefined {
    return this.#byDigest.get(digest)?.id
  }

  /** A key that was stored counts from now on. */
  adopt(key: Key, digest: string): void {
    this.#byDigest.set(digest, key)
  }

  /** When the next key expires (Unix seconds), Infinity when none will. */
  nextExpiry(now: number): number {
    let next = Infinity
    for (const { limits } of this.#byDigest.values()) {
      if (limits.expiresAt !== null && limits.expiresAt > now) next = Math.min(next, limits.expiresAt)
    }
    return next
  }

  /** The ids of the keys that have expired. */
  expired(now: number): string[] {
    return [...this.#byDigest.values()].filter(({ limits }) => isExpired(limits, now)).map(({ id }) => id)
  }

  /** Makes a key inside a transaction; it counts from `activate` on. */
  create(owner: string, limits: KeyLimits, now: number): NewKey {
    const secret = `tk_${this.#random.hex(24)}`
    const key: Key = { id: `key_${this.#random.hex(8)}`, owner, isMain: false, limits }
    this.#insert.run({ id: key.id, owner, digest: digestOf(secret), now, ...storedLimits(limits) })
    return { key, secret }
  }

  activate({ key, secret }: NewKey): void {
    this.#byDigest.set(digestOf(secret), key)
  }

  /** Gives a key another owner inside a transaction; it shows from `renamed` on. Throws 404, and 400 for the main key. */
  rename(id: string, owner: string): void {
    if (id === MAIN_KEY_ID) throw new ProtocolError('invalid_api_key', 'The main key has no other name.')
    if (this.byId(id) === undefined) throw keyNotFound()
    this.#rename.run(owner, id)
  }

  renamed(id: string, owner: string): void {
    this.#change(id, { owner })
  }

  /** Gives a key other limits inside a transaction; they count from `limited` on. Throws 404, and 400 for the main key. */
  limit(id: string, limits: KeyLimits): void {
    if (id === MAIN_KEY_ID) throw new ProtocolError('invalid_api_key', 'The main key cannot be limited.')
    if (this.byId(id) === undefined) throw keyNotFound()
    this.#limit.run({ id, ...storedLimits(limits) })
  }

  limited(id: string, limits: KeyLimits): void {
    this.#change(id, { limits })
    this.#generation++
  }

  /** Some keys have expired since their holders were let in. */
  noteExpiry(): void {
    this.#generation++
  }

  /** Revokes a key inside a transaction; it is refused from `deactivate` on. Throws 404, and 400 for the main key. */
  revoke(keyOrId: string, now: number): string {
    const id = this.resolveId(keyOrId)
    if (id === undefined) throw keyNotFound()
    if (id === MAIN_KEY_ID) {
      throw new ProtocolError('invalid_api_key', 'The main key cannot be revoked; rotate it instead.')
    }
    this.#revoke.run(now, id)
    return id
  }

  deactivate(id: string): void {
    this.#generation++
    for (const [digest, key] of this.#byDigest) if (key.id === id) this.#byDigest.delete(digest)
    this.#used.delete(id)
  }

  /** Counts a request from an address; written with the next transaction. */
  noteUse(key: Key, address: string, now: number): void {
    const use = this.#used.get(key.id)
    if (use === undefined) this.#used.set(key.id, { requests: 1, lastUsedAt: now, address })
    else {
      use.requests++
      use.lastUsedAt = now
      use.address = address
    }
  }

  /** Writes the counts that have gathered, at most once a second: they are not worth a page in every transaction. */
  ride(now: number, mustWrite: boolean): void {
    if (!this.#pace.isDue(now, mustWrite)) return
    for (const [id, { requests, lastUsedAt, address }] of this.#used) {
      if (requests > 0) this.#noteUse.run(id, now, requests, lastUsedAt, address)
    }
  }

  committed(): void {
    if (!this.#pace.committed()) return
    for (const use of this.#used.values()) use.requests = 0
  }

  #change(id: string, change: Partial<Key>): void {
    for (const [digest, key] of this.#byDigest) if (key.id === id) this.#byDigest.set(digest, { ...key, ...change })
  }
}

export interface NewKey {
  readonly key: Key
  /** The key itself, shown once and not kept. */
  readonly secret: string
}

function keyNotFound(): ProtocolError {
  return new ProtocolError('not_found', 'API key not found.')
}
