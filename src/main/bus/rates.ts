import { ProtocolError } from '../../shared/errors.ts'
import { RATE_LIMIT } from '../../shared/limits.ts'
import type { Connection, Statement } from './store/database.ts'
import type { Participant } from './store/participant.ts'

interface Window {
  startedAt: number
  requests: number
}

/** Requests per generated key and minute (SPEC 15). Counted in memory; the counts ride along with other writes. */
export class Rates implements Participant {
  readonly #windows = new Map<string, Window>()
  readonly #unwritten = new Set<string>()
  /** Windows that the running transaction deletes. */
  readonly #removed = new Set<string>()
  readonly #upsert: Statement
  readonly #delete: Statement

  constructor(db: Connection) {
    this.#upsert = db.prepare(
      `INSERT INTO rate_windows (key_id, started_at, requests) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET started_at = excluded.started_at, requests = excluded.requests`
    )
    this.#delete = db.prepare('DELETE FROM rate_windows WHERE key_id = ?')
    const rows = db.prepare('SELECT key_id, started_at, requests FROM rate_windows').raw().all()
    for (const [keyId, startedAt, requests] of rows as [string, number, number][]) {
      this.#windows.set(keyId, { startedAt, requests })
    }
  }

  /**
   * Counts one request of those that a key may make in a minute, by default SPEC 15's. Throws 429 `rate_limited` with the
   * seconds until the window ends when it is one too many.
   */
  admit(keyId: string, now: number, limit: number = RATE_LIMIT.requests): void {
    let window = this.#windows.get(keyId)
    if (window === undefined || isOver(window, now)) {
      window = { startedAt: now, requests: 0 }
      this.#windows.set(keyId, window)
    }
    if (window.requests >= limit) {
      const wait = Math.max(1, Math.ceil(window.startedAt + RATE_LIMIT.window - now))
      throw new ProtocolError('rate_limited', 'Too many requests.', wait)
    }
    window.requests++
    this.#unwritten.add(keyId)
  }

  ride(): void {
    for (const keyId of this.#unwritten) {
      const window = this.#windows.get(keyId)
      if (window && !this.#removed.has(keyId)) this.#upsert.run(keyId, window.startedAt, window.requests)
    }
  }

  committed(): void {
    for (const keyId of this.#removed) this.#windows.delete(keyId)
    this.#removed.clear()
    this.#unwritten.clear()
  }

  rolledBack(): void {
    this.#removed.clear()
  }

  /** Deletes windows that are over, inside a transaction; the answer is how many it were. */
  deleteOver(now: number): number {
    const over = [...this.#windows].filter(([, window]) => isOver(window, now))
    for (const [keyId] of over) this.deleteOfKey(keyId)
    return over.length
  }

  /** Inside a transaction. */
  deleteAll(): void {
    for (const keyId of this.#windows.keys()) this.deleteOfKey(keyId)
  }

  /** Inside a transaction. */
  deleteOfKey(keyId: string): void {
    this.#delete.run(keyId)
    this.#removed.add(keyId)
  }
}

/** A window from the future was written before the clock was set back: it ends, too. */
function isOver(window: Window, now: number): boolean {
  return now - window.startedAt >= RATE_LIMIT.window || now < window.startedAt
}
