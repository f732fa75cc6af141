import type { Gap, GapSource } from './clock.ts'
import type { Connection } from './store/database.ts'
import type { Participant } from './store/participant.ts'

/** Seconds that gaps are told of; the newest one is kept for good, as it has the total. */
const KEPT = 90 * 86_400
/** Gaps that are remembered for how long something took. */
const REMEMBERED = 100

/** Gaps that did not take the time that they moved the clock by. */
const JUMPS = `SELECT at, seconds FROM gaps WHERE cause <> 'sleep' ORDER BY n DESC`

const TOTAL = 'SELECT total FROM gaps ORDER BY n DESC LIMIT 1'

/**
 * Time in which nothing could run: the machine slept, or its clock was set. Leases and lifetimes are kept on a time of their
 * own, *awake time*, which is Unix time less all gaps so far. A gap moves awake time against Unix time in one row, and every
 * lease has what was left of it, without being touched.
 */
export class Gaps implements Participant {
  readonly #source: GapSource
  readonly #onGaps: (gaps: readonly Gap[]) => void
  readonly #insert
  readonly #deleteOld
  readonly #jumps
  #total: number
  /** Newest last. */
  #recent: Gap[]
  /** Of this transaction. */
  #noted: readonly Gap[] = []
  /** Of transactions that failed. */
  #left: readonly Gap[] = []

  /** `onGaps` hears of gaps once they are on disk. */
  constructor(db: Connection, source: GapSource, onGaps: (gaps: readonly Gap[]) => void) {
    this.#source = source
    this.#onGaps = onGaps
    this.#insert = db.prepare('INSERT INTO gaps (at, seconds, cause, total) VALUES (?, ?, ?, ?)')
    this.#deleteOld = db.prepare('DELETE FROM gaps WHERE at < ? AND n < (SELECT max(n) FROM gaps)')
    this.#jumps = db.prepare(JUMPS)
    this.#total = totalOf(db)
    this.#recent = readGaps(db, -Infinity, REMEMBERED)
  }

  /** First in a transaction: notes what the host has noticed since the last one. */
  look(now: number): void {
    const found = this.#source.take()
    if (found.length === 0 && this.#left.length === 0) return
    this.#noted = [...this.#left, ...found]
    for (const { at, seconds, cause } of this.#noted) {
      this.#total += seconds
      this.#insert.run(at, seconds, cause, this.#total)
    }
    this.#recent = [...this.#recent, ...this.#noted].slice(-REMEMBERED)
    this.#deleteOld.run(now - KEPT)
  }

  /** Awake time at a Unix time from the last gap on, in seconds. */
  awake(now: number): number {
    return now - this.#total
  }

  /** Unix time of an awake time, if no gap comes. */
  unix(awake: number): number {
    return awake + this.#total
  }

  /** Seconds from one Unix time to another in which things could run. */
  between(from: number, to: number): number {
    return withoutGaps(from, to, this.#recent)
  }

  /**
   * The Unix time that things bear which are now so many seconds old, if not older. A sleep makes them older; a clock that is
   * set forward does not, nor does a restored backup. Reads what is on disk.
   */
  ago(now: number, seconds: number): number {
    let then = now - seconds
    for (const jump of this.#jumps.iterate() as IterableIterator<Pick<Gap, 'at' | 'seconds'>>) {
      if (jump.at <= then) break
      then -= jump.seconds
    }
    return Math.min(then, now - seconds)
  }

  committed(): void {
    const noted = this.#noted
    if (noted.length === 0) return
    this.#noted = []
    this.#left = []
    this.#onGaps(noted)
  }

  rolledBack(): void {
    if (this.#noted.length === 0) return
    for (const { seconds } of this.#noted) this.#total -= seconds
    this.#recent = this.#recent.slice(0, -this.#noted.length)
    this.#left = this.#noted
    this.#noted = []
  }
}

/** Seconds from one Unix time to another, less those of the gaps that were over in between. */
export function withoutGaps(from: number, to: number, gaps: readonly Gap[]): number {
  const gone = gaps.filter(({ at }) => at > from && at <= to).reduce((sum, { seconds }) => sum + seconds, 0)
  return Math.max(0, to - from - gone)
}

/** Seconds of all gaps so far: what Unix time is ahead of awake time. */
export function totalOf(db: Connection): number {
  return (db.prepare(TOTAL).pluck().get() as number | undefined) ?? 0
}

/** The newest gaps that were over after a Unix time, oldest first. */
export function readGaps(db: Connection, after: number, limit: number): Gap[] {
  const newest = db.prepare('SELECT at, seconds, cause FROM gaps WHERE at > ? ORDER BY n DESC LIMIT ?').all(after, limit) as Gap[]
  return newest.reverse()
}
