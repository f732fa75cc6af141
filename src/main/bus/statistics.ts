import type { Connection, Statement } from './store/database.ts'
import { Histogram } from './store/histogram.ts'
import { Pace } from './store/pace.ts'
import type { Participant } from './store/participant.ts'

/** Minutes that are kept: 31 days. */
const KEPT_MINUTES = 31 * 1_440

const COUNTED = ['published', 'claimed', 'fulfilled', 'failed', 'dead', 'lost', 'expired'] as const
type Counted = (typeof COUNTED)[number]

/**
 * What happened in each minute, and how long intents waited and were worked on. The minutes that are not yet written are
 * in memory; a minute that was begun before a restart goes on.
 */
export class Statistics implements Participant {
  readonly #pace = new Pace()
  readonly #pending = noCounts()
  readonly #unwritten = new Set<Minute>()
  readonly #find: Statement
  readonly #upsert: Statement
  readonly #deleteOld: Statement
  #waits: number[] = []
  #works: number[] = []
  #current = noMinute(-1)
  #isPending = false

  constructor(db: Connection) {
    this.#find = db.prepare(`SELECT ${COUNTED.join(', ')}, wait, work FROM statistics WHERE minute = ?`)
    this.#upsert = db.prepare(
      `INSERT OR REPLACE INTO statistics (minute, ${COUNTED.join(', ')}, wait, work)
       VALUES (?, ${COUNTED.map(() => '?').join(', ')}, ?, ?)`
    )
    this.#deleteOld = db.prepare(
      'DELETE FROM statistics WHERE minute IN (SELECT minute FROM statistics WHERE minute < ? ORDER BY minute LIMIT ?)'
    )
  }

  get isWaiting(): boolean {
    return this.#unwritten.size > 0
  }

  /** Counts one, inside a transaction at `now` (Unix seconds). */
  count(what: Counted, now: number): void {
    const minute = Math.floor(now / 60)
    if (minute !== this.#current.minute) this.#current = this.#read(minute)
    this.#isPending = true
    this.#pending[what]++
  }

  /** A claim; `waited`: seconds since the intent could be claimed. Inside a transaction. */
  claimed(waited: number, now: number): void {
    this.count('claimed', now)
    this.#waits.push(Math.max(0, waited))
  }

  /** A worker settled; `worked`: seconds since its claim. Inside a transaction. */
  settled(how: 'fulfilled' | 'failed', worked: number, now: number): void {
    this.count(how, now)
    this.#works.push(Math.max(0, worked))
  }

  ride(now: number, mustWrite: boolean): void {
    if (!this.#pace.isDue(now, mustWrite)) return
    for (const { minute, counts, wait, work } of this.#unwritten) {
      this.#upsert.run(minute, ...COUNTED.map((name) => counts[name]), wait.toText(), work.toText())
    }
  }

  committed(): void {
    if (this.#pace.committed()) this.#unwritten.clear()
    if (!this.#isPending) return
    const { counts, wait, work } = this.#current
    for (const name of COUNTED) counts[name] += this.#pending[name]
    for (const seconds of this.#waits) wait.note(seconds)
    for (const seconds of this.#works) work.note(seconds)
    this.#unwritten.add(this.#current)
    this.#forgetPending()
  }

  rolledBack(): void {
    if (this.#isPending) this.#forgetPending()
  }

  /** Deletes up to `limit` minutes that were kept long enough, inside a transaction; the answer is how many it were. */
  deleteOld(now: number, limit: number): number {
    return this.#deleteOld.run(Math.floor(now / 60) - KEPT_MINUTES, limit).changes
  }

  #read(minute: number): Minute {
    for (const unwritten of this.#unwritten) if (unwritten.minute === minute) return unwritten
    const row = this.#find.get(minute) as (Record<Counted, number> & { wait: string; work: string }) | undefined
    if (row === undefined) return noMinute(minute)
    const { wait, work, ...counts } = row
    return { minute, counts, wait: Histogram.parse(wait), work: Histogram.parse(work) }
  }

  #forgetPending(): void {
    this.#isPending = false
    for (const name of COUNTED) this.#pending[name] = 0
    this.#waits = []
    this.#works = []
  }
}

interface Minute {
  /** Unix time / 60. */
  readonly minute: number
  readonly counts: Record<Counted, number>
  readonly wait: Histogram
  readonly work: Histogram
}

function noMinute(minute: number): Minute {
  return { minute, counts: noCounts(), wait: new Histogram(), work: new Histogram() }
}

function noCounts(): Record<Counted, number> {
  return { published: 0, claimed: 0, fulfilled: 0, failed: 0, dead: 0, lost: 0, expired: 0 }
}
