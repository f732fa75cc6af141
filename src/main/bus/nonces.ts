import { NONCE_LIFETIME } from '../../shared/limits.ts'
import type { Connection, Statement } from './store/database.ts'

/** Sets are started anew this often (seconds), so that old nonces go by the set and not one by one. */
const GENERATION_SECONDS = 150
/** A Set holds at most 2^24 entries; a generation ends before. */
const MAX_GENERATION_SIZE = 4_000_000

interface Generation {
  readonly startedAt: number
  readonly spent: Set<string>
}

/**
 * The nonces of signed requests (SPEC 5.2). They are looked up in memory, and appended to a table in the transaction of
 * the request that spends them, so that a restart forgets none. A request that changes nothing leaves its nonce to the
 * next transaction.
 */
export class Nonces {
  readonly #insert: Statement
  readonly #deleteExpired: Statement
  readonly #deleteOfKey: Statement
  #generations: Generation[] = []
  #unwritten: Nonce[] = []
  #writing: Nonce[] = []

  constructor(db: Connection, now: number) {
    this.#insert = db.prepare('INSERT INTO nonces (key_id, nonce, expires_at) VALUES (?, ?, ?)')
    // Appended in order of time: the expired ones are the lowest.
    this.#deleteExpired = db.prepare(
      'DELETE FROM nonces WHERE seq IN (SELECT seq FROM nonces ORDER BY seq LIMIT ?) AND expires_at <= ?'
    )
    this.#deleteOfKey = db.prepare('DELETE FROM nonces WHERE key_id = ?')
    const spent = new Set<string>()
    for (const [keyId, nonce] of db
      .prepare('SELECT key_id, nonce FROM nonces WHERE expires_at > ?')
      .raw()
      .iterate(now) as Iterable<[string, string]>) {
      spent.add(entry(keyId, nonce))
    }
    this.#generations.push({ startedAt: now, spent })
  }

  /** Spends a nonce for the length of a request; false when it is spent already. */
  reserve(keyId: string, nonce: string, now: number): boolean {
    const key = entry(keyId, nonce)
    if (this.#generations.some(({ spent }) => spent.has(key))) return false
    this.#currentGeneration(now).spent.add(key)
    return true
  }

  /** Takes a reservation back: the request it was made for came to nothing. */
  release(keyId: string, nonce: string): void {
    const key = entry(keyId, nonce)
    for (const { spent } of this.#generations) spent.delete(key)
  }

  /** Writes a reserved nonce, inside the transaction of its request. */
  write(keyId: string, nonce: string, now: number): void {
    this.#insert.run(keyId, nonce, now + NONCE_LIFETIME)
  }

  /** Leaves a reserved nonce to the next transaction that writes anyway. */
  writeLater(keyId: string, nonce: string): void {
    this.#unwritten.push({ keyId, nonce })
  }

  get hasUnwritten(): boolean {
    return this.#unwritten.length > 0
  }

  ride(now: number): void {
    for (const { keyId, nonce } of this.#unwritten) this.write(keyId, nonce, now)
    this.#writing.push(...this.#unwritten.splice(0))
  }

  committed(): void {
    this.#writing.length = 0
  }

  rolledBack(): void {
    this.#unwritten.unshift(...this.#writing.splice(0))
  }

  /** Deletes up to `limit` rows whose time is over; the answer is how many it were. */
  deleteExpired(now: number, limit: number): number {
    return this.#deleteExpired.run(limit, now).changes
  }

  /** Removes the rows of a key. Its entries in memory go with their generation: nobody can present that key again. */
  deleteOfKey(keyId: string): void {
    this.#deleteOfKey.run(keyId)
  }

  #currentGeneration(now: number): Generation {
    const current = this.#generations.at(-1)!
    const isFull = current.spent.size >= MAX_GENERATION_SIZE
    if (now - current.startedAt < GENERATION_SECONDS && now >= current.startedAt && !isFull) return current
    // A generation may be dropped once its youngest nonce, spent as its successor began, has had its time.
    this.#generations = this.#generations.filter(
      (_, i, all) => now - (all[i + 1]?.startedAt ?? now) <= NONCE_LIFETIME
    )
    const next = { startedAt: now, spent: new Set<string>() }
    this.#generations.push(next)
    return next
  }
}

interface Nonce {
  readonly keyId: string
  readonly nonce: string
}

function entry(keyId: string, nonce: string): string {
  return `${keyId}\n${nonce}`
}
