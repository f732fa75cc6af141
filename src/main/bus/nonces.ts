import { NONCE_LIFETIME } from '../../shared/limits.ts'
import type { Connection, Statement } from './store/database.ts'
import type { Participant } from './store/participant.ts'

/** Maps are started anew this often (seconds), so that old nonces go by the map and not one by one. */
const GENERATION_SECONDS = 150
/** A Map holds at most 2^24 entries; a generation ends before. */
const MAX_GENERATION_SIZE = 4_000_000

/** Nonces that may wait to be written: some milliseconds' worth. */
const MAX_UNWRITTEN = 2_000

interface Generation {
  readonly startedAt: number
  /** Until when each nonce is spent. */
  readonly spent: Map<string, number>
}

/**
 * The nonces of signed requests (SPEC 5.2). They are looked up in memory, and appended to a table in the transaction of
 * the request that spends them, so that a restart forgets none. A request that changes nothing leaves its nonce to the
 * next transaction.
 */
export class Nonces implements Participant {
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
    const spent = new Map<string, number>()
    for (const [keyId, nonce, expiresAt] of db
      .prepare('SELECT key_id, nonce, expires_at FROM nonces WHERE expires_at > ?')
      .raw()
      .iterate(now) as Iterable<[string, string, number]>) {
      spent.set(entry(keyId, nonce), expiresAt)
    }
    this.#generations.push({ startedAt: now, spent })
  }

  /** Spends a nonce for the length of a request; false when it is spent already. */
  reserve(keyId: string, nonce: string, now: number): boolean {
    const key = entry(keyId, nonce)
    if (this.#generations.some(({ spent }) => (spent.get(key) ?? -Infinity) > now)) return false
    this.#currentGeneration(now).spent.set(key, now + NONCE_LIFETIME)
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

  /** True when so many wait that they should not wait for company. */
  get isCrowded(): boolean {
    return this.#unwritten.length >= MAX_UNWRITTEN
  }

  ride(now: number): void {
    for (const { keyId, nonce } of this.#unwritten) this.write(keyId, nonce, now)
    this.#writing = this.#unwritten
    this.#unwritten = []
  }

  committed(): void {
    this.#writing = []
  }

  rolledBack(): void {
    this.#unwritten = [...this.#writing, ...this.#unwritten]
    this.#writing = []
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
    const next = { startedAt: now, spent: new Map<string, number>() }
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
