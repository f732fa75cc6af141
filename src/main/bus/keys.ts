import { hash } from 'node:crypto'
import { ProtocolError } from '../../shared/errors.ts'
import type { Random } from './random.ts'
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
}

/** Whether a text has the form of a generated key's public id. */
export function isKeyId(text: string): boolean {
  return /^key_[0-9a-f]{16}$/.test(text)
}

interface KeyUse {
  requests: number
  lastUsedAt: number
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
  readonly #revoke: Statement
  readonly #noteUse: Statement
  #generation = 0
  #mainDigest: string | undefined

  constructor(db: Connection, random: Random) {
    this.#random = random
    this.#insert = db.prepare('INSERT INTO keys (id, owner, digest, created_at) VALUES (?, ?, ?, ?)')
    this.#rename = db.prepare('UPDATE keys SET owner = ? WHERE id = ?')
    this.#revoke = db.prepare('UPDATE keys SET revoked_at = ? WHERE id = ?')
    this.#noteUse = db.prepare(
      `INSERT INTO keys (id, owner, digest, created_at, requests, last_used_at) VALUES (?, '', '', ?, ?, ?)
       ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, last_used_at = excluded.last_used_at`
    )
    const rows = db.prepare(`SELECT id, owner, digest FROM keys WHERE revoked_at IS NULL AND digest <> ''`).raw().all()
    for (const [id, owner, digest] of rows as [string, string, string][]) {
      this.#byDigest.set(digest, { id, owner, isMain: false })
    }
  }

  /** Changes whenever a key ceases to count: who was let in before must be looked up again. */
  get generation(): number {
    return this.#generation
  }

  /** Sets which key is the main one, by its digest. */
  setMain(digest: string): void {
    this.#generation++
    if (this.#mainDigest !== undefined) this.#byDigest.delete(this.#mainDigest)
    this.#mainDigest = digest
    this.#byDigest.set(digest, { id: MAIN_KEY_ID, owner: MAIN_KEY_ID, isMain: true })
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

  /** Makes a key inside a transaction; it counts from `activate` on. */
  create(owner: string, now: number): NewKey {
    const secret = `tk_${this.#random.hex(24)}`
    const key: Key = { id: `key_${this.#random.hex(8)}`, owner, isMain: false }
    this.#insert.run(key.id, owner, digestOf(secret), now)
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
    for (const [digest, key] of this.#byDigest) if (key.id === id) this.#byDigest.set(digest, { ...key, owner })
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

  /** Counts a request; written with the next transaction. */
  noteUse(key: Key, now: number): void {
    const use = this.#used.get(key.id)
    if (use === undefined) this.#used.set(key.id, { requests: 1, lastUsedAt: now })
    else {
      use.requests++
      use.lastUsedAt = now
    }
  }

  /** Writes the counts that have gathered, at most once a second: they are not worth a page in every transaction. */
  ride(now: number, mustWrite: boolean): void {
    if (!this.#pace.isDue(now, mustWrite)) return
    for (const [id, use] of this.#used) {
      if (use.requests > 0) this.#noteUse.run(id, now, use.requests, use.lastUsedAt)
    }
  }

  committed(): void {
    if (!this.#pace.committed()) return
    for (const use of this.#used.values()) use.requests = 0
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
