import type { Connection, Statement } from './database.ts'

/** How many intents there are by namespace, publisher and status: kept up with every change, never counted. */
export class Tallies {
  readonly #committed = new Map<string, number>()
  readonly #active = new Map<string, number>()
  readonly #pending = new Map<string, Delta>()
  readonly #upsert: Statement
  readonly #deleteEmpty: Statement

  constructor(db: Connection) {
    this.#upsert = db.prepare(
      `INSERT INTO tallies (namespace, publisher, status, count) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = excluded.count`
    )
    this.#deleteEmpty = db.prepare('DELETE FROM tallies WHERE namespace = ? AND publisher = ? AND status = ?')
    const rows = db.prepare('SELECT namespace, publisher, status, count FROM tallies').raw().all()
    for (const [namespace, publisher, status, count] of rows as [string, string, number, number][]) {
      this.#committed.set(tallyKey(namespace, publisher, status), count)
      this.#addActive(publisher, status, count)
    }
  }

  /** Notes a change inside the running transaction; `status` as stored. */
  add(namespace: string, publisher: string, status: number, change: number): void {
    const key = tallyKey(namespace, publisher, status)
    const pending = this.#pending.get(key)
    if (pending) pending.change += change
    else this.#pending.set(key, { namespace, publisher, status, change })
    this.#addActive(publisher, status, change)
  }

  /** One intent went from one status to another. */
  move(namespace: string, publisher: string, from: number, to: number): void {
    this.add(namespace, publisher, from, -1)
    this.add(namespace, publisher, to, 1)
  }

  /** Open and claimed intents of one publisher, those of the running transaction included (SPEC 15's cap). */
  activeOf(publisher: string): number {
    return this.#active.get(publisher) ?? 0
  }

  /** Writes the changes of this transaction into it. */
  write(): void {
    for (const [key, { namespace, publisher, status, change }] of this.#pending) {
      if (change === 0) continue
      const count = (this.#committed.get(key) ?? 0) + change
      if (count === 0) this.#deleteEmpty.run(namespace, publisher, status)
      else this.#upsert.run(namespace, publisher, status, count)
    }
  }

  committed(): void {
    if (this.#pending.size === 0) return
    for (const [key, { change }] of this.#pending) {
      const count = (this.#committed.get(key) ?? 0) + change
      if (count === 0) this.#committed.delete(key)
      else this.#committed.set(key, count)
    }
    this.#pending.clear()
  }

  rolledBack(): void {
    for (const { publisher, status, change } of this.#pending.values()) this.#addActive(publisher, status, -change)
    this.#pending.clear()
  }

  #addActive(publisher: string, status: number, change: number): void {
    if (status > 1) return
    const count = (this.#active.get(publisher) ?? 0) + change
    if (count === 0) this.#active.delete(publisher)
    else this.#active.set(publisher, count)
  }
}

interface Delta {
  readonly namespace: string
  readonly publisher: string
  readonly status: number
  change: number
}

function tallyKey(namespace: string, publisher: string, status: number): string {
  return `${namespace}\n${publisher}\n${status}`
}
