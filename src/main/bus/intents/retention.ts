import { MEGABYTE } from '../../../shared/bytes.ts'
import { RETENTION } from '../../../shared/limits.ts'
import type { Audit } from '../audit.ts'
import { BEFORE_ALL, type GoalName } from '../goals.ts'
import type { KeyValueStore } from '../key-value.ts'
import type { Nonces } from '../nonces.ts'
import type { Rates } from '../rates.ts'
import type { Sessions } from '../sessions.ts'
import type { Commits, Step } from '../store/commits.ts'
import type { Space } from '../store/space.ts'
import type { Store } from '../store/store.ts'
import { STATUS } from './intent.ts'
import type { Sweep, SweepCounts } from './sweep.ts'

/** The answer to POST /admin/cleanup (SPEC 8.4). */
export interface CleanupStats extends SweepCounts {
  fulfilled_deleted: number
  dead_deleted: number
  dead_letters_deleted: number
  store_deleted: number
  rate_limits_deleted: number
  idempotency_deleted: number
  nonces_deleted: number
}

/** A purge of one namespace looks at this many rows for each that a step may delete, whosever they are. */
const SCANNED_PER_ROW = 4

export const FINISHED_BEFORE = `
  DELETE FROM intents WHERE n IN
    (SELECT n FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = +? AND finished_at <= +? ORDER BY finished_at LIMIT ?)
  RETURNING namespace, goal, publisher`

const UNUSED_LANES = `
  DELETE FROM lanes WHERE lane > ? AND lane <= ?
    AND NOT EXISTS (SELECT 1 FROM intents INDEXED BY intents_lane WHERE status = 0 AND intents.lane = lanes.lane)
    AND NOT EXISTS (SELECT 1 FROM intents INDEXED BY intents_wide_lane WHERE status = 0 AND wide_lane = lanes.lane)
    AND NOT EXISTS (SELECT 1 FROM intents INDEXED BY intents_public_lane
      WHERE status = 0 AND public_lane IS NOT NULL AND public_lane = lanes.lane)
    AND NOT EXISTS (SELECT 1 FROM intents INDEXED BY intents_public_wide_lane
      WHERE status = 0 AND public_wide_lane IS NOT NULL AND public_wide_lane = lanes.lane)`

export interface Housekeeping {
  readonly nonces: Nonces
  readonly rates: Rates
  readonly keyValues: KeyValueStore
  readonly sessions: Sessions
  readonly audit: Audit
  readonly space: Space
}

/** How much of what is finished is kept; SPEC 15 says seven days. */
export interface RetentionRules {
  readonly fulfilledDays: number
  /** Also for the tombstones of expired ones. */
  readonly deadDays: number
  /** What the database may hold before finished intents are deleted earlier; 0 for no bound. */
  readonly maxDatabaseMegabytes: number
}

const SECONDS_PER_DAY = 86_400

/** What was done about the size of the database. */
export interface Trimmed {
  /** Intents that were deleted before their time. */
  readonly trimmed: number
  readonly bytesGivenBack: number
}

/** When the database is larger than it may be, it is brought down to this share of that: else it would be too large again at once. */
const TRIMMED_TO = 0.9

const SECONDS_PER_HOUR = 3_600

/** What goes first when the database is too large, and how many seconds old it must be: results are fetched, and tombstones published again. */
const TRIMMABLE = [
  { status: STATUS.fulfilled, age: SECONDS_PER_HOUR },
  { status: STATUS.expired, age: SECONDS_PER_DAY },
  { status: STATUS.dead, age: RETENTION }
] as const

/**
 * Deletes what has had its time (SPEC 15), and what an operator purges: in small steps between the requests, which hardly
 * notice. One DELETE of a million rows would block them for seconds.
 */
export class Retention {
  readonly #store: Store
  readonly #commits: Commits
  readonly #sweep: Sweep
  readonly #housekeeping: Housekeeping
  readonly #deleteFinishedBefore
  readonly #deleteUnusedLanes
  readonly #lastLane
  readonly #scan
  readonly #delete
  readonly #deleteIdempotency
  /** Seconds, and what the database may hold. */
  #kept = { fulfilled: RETENTION, dead: RETENTION, bytes: Infinity }

  constructor(store: Store, commits: Commits, sweep: Sweep, housekeeping: Housekeeping) {
    this.#store = store
    this.#commits = commits
    this.#sweep = sweep
    this.#housekeeping = housekeeping
    const { db } = store
    this.#deleteFinishedBefore = db.prepare(FINISHED_BEFORE).raw()
    this.#deleteUnusedLanes = db.prepare(UNUSED_LANES)
    this.#lastLane = db
      .prepare('SELECT max(lane) FROM (SELECT lane FROM lanes WHERE lane > ? ORDER BY lane LIMIT ?)')
      .pluck()
    this.#scan = db
      .prepare('SELECT n, namespace, goal, publisher, status FROM intents WHERE n > ? AND n <= ? ORDER BY n LIMIT ?')
      .raw()
    this.#delete = db.prepare('DELETE FROM intents WHERE n = ?')
    this.#deleteIdempotency = db.prepare('DELETE FROM idempotency LIMIT ?')
  }

  /** Changes what is kept, from the next pass on. */
  keep({ fulfilledDays, deadDays, maxDatabaseMegabytes }: RetentionRules): void {
    const bytes = maxDatabaseMegabytes === 0 ? Infinity : maxDatabaseMegabytes * MEGABYTE
    this.#kept = { fulfilled: fulfilledDays * SECONDS_PER_DAY, dead: deadDays * SECONDS_PER_DAY, bytes }
  }

  /** One pass of cleanup (SPEC 8.4, 16). Sweep counts are those since the pass before. */
  async clean(): Promise<CleanupStats> {
    const { idempotency } = this.#store
    const { keyValues, nonces, rates } = this.#housekeeping
    const kept = this.#kept
    const fulfilled = await this.#deleteOlder(STATUS.fulfilled, kept.fulfilled)
    const dead = await this.#deleteOlder(STATUS.dead, kept.dead)
    await this.#deleteOlder(STATUS.expired, kept.dead)
    const stats = {
      fulfilled_deleted: fulfilled,
      // A dead intent is its own dead letter here: one row stands for both, so both numbers are always the same.
      dead_deleted: dead,
      dead_letters_deleted: dead,
      store_deleted: await this.#steps((now, rows) => keyValues.deleteExpired(now, rows)),
      rate_limits_deleted: await this.#commits.run((now) => rates.deleteOver(now)),
      idempotency_deleted: await this.#steps((now, rows) => idempotency.deleteExpired(now, rows)),
      nonces_deleted: await this.#steps((now, rows) => nonces.deleteExpired(now, rows))
    }
    await this.#removeUnusedLanes()
    await this.#forgetWhatWasWatched()
    return { ...this.#sweep.takeCounts(), ...stats }
  }

  /** Whether the database holds more than it may. */
  get isTooLarge(): boolean {
    return this.#housekeeping.space.used > this.#kept.bytes
  }

  /** Whether so much of the file is empty that some of it should be given back. */
  get isSlack(): boolean {
    return this.#housekeeping.space.isSlack
  }

  /** Deletes what may go of a database that is too large, the oldest first, and gives back what the file has too much. */
  async trim(): Promise<Trimmed> {
    const { space } = this.#housekeeping
    let trimmed = 0
    const enough = this.#kept.bytes * TRIMMED_TO
    for (const { status, age } of this.isTooLarge ? TRIMMABLE : []) {
      trimmed += await this.#deleteOlder(status, age, () => space.used > enough)
    }
    return { trimmed, bytesGivenBack: await this.#giveBack() }
  }

  async #giveBack(): Promise<number> {
    const { space } = this.#housekeeping
    if (!space.isSlack) return 0
    const before = space.total
    // A page that is given back costs as much as two rows that are deleted: another one moves into its place.
    while (await this.#commits.background((_now, rows) => space.giveBack(rows >> 1)));
    return Math.max(0, before - space.total)
  }

  /**
   * Deletes the intents and dead letters that are there now, those of one namespace or all (SPEC 8.3). A purge of all
   * takes Idempotency-Keys and rate windows along; nonces stay, so that no request recorded before can be replayed.
   */
  async purge(namespace: string | null): Promise<void> {
    const last = this.#store.ids.last
    let cursor = 0
    while (cursor < last) {
      cursor = await this.#commits.background((_now, rows) => this.#purgeStep(cursor, last, namespace, rows))
    }
    if (namespace !== null) return
    await this.#steps((_now, rows) => this.#deleteIdempotency.run(rows).changes)
    await this.#commits.run(() => this.#housekeeping.rates.deleteAll())
  }

  /** Deletes among the rows after `cursor`; the answer is the next cursor. */
  #purgeStep(cursor: number, last: number, namespace: string | null, atMost: number): number {
    const limit = namespace === null ? atMost : atMost * SCANNED_PER_ROW
    const rows = this.#scan.all(cursor, last, limit) as [number, string, string, string, number][]
    let deleted = 0
    for (const [n, rowNamespace, goal, publisher, status] of rows) {
      if (namespace !== null && namespace !== rowNamespace) continue
      this.#delete.run(n)
      this.#store.tallies.add(rowNamespace, goal, publisher, status, -1)
      deleted++
    }
    this.#store.events.noteDeleted(deleted)
    return rows.length < limit ? last : rows.at(-1)![0]
  }

  /** Deletes what was finished so many seconds ago, as long as `isWanted`; the answer is how many. */
  async #deleteOlder(status: number, age: number, isWanted: () => boolean = () => true): Promise<number> {
    const before = await this.#commits.run((now) => this.#store.gaps.ago(now, age))
    return this.#steps((_now, rows) => (isWanted() ? this.#deleteFinished(status, before, rows) : 0))
  }

  #deleteFinished(status: number, before: number, atMost: number): number {
    const rows = this.#deleteFinishedBefore.all(status, before, atMost) as [string, string, string][]
    for (const [namespace, goal, publisher] of rows) this.#store.tallies.add(namespace, goal, publisher, status, -1)
    this.#store.events.noteDeleted(rows.length)
    return rows.length
  }

  /** Lanes without open intents: whoever comes back into one makes it again. */
  async #removeUnusedLanes(): Promise<void> {
    for (let from = 0; ; ) {
      const to = await this.#commits.background((_now, rows) => {
        const last = this.#lastLane.get(from, rows) as number | null
        // Nothing in this transaction may use a number that is gone, so this cannot wait for the commit.
        if (last !== null && this.#deleteUnusedLanes.run(from, last).changes > 0) this.#store.lanes.forget()
        return last
      })
      if (to === null) return
      from = to
    }
  }

  /** What operators have seen long enough; none of it counts in the answer of SPEC 8.4. */
  async #forgetWhatWasWatched(): Promise<void> {
    const { goals, statistics, workers } = this.#store
    for (let from: GoalName | null = BEFORE_ALL; from !== null; ) {
      const after: GoalName = from
      from = await this.#commits.background((now, rows) => goals.deleteUnused(after, now, rows))
    }
    await this.#steps((now, rows) => statistics.deleteOld(now, rows))
    await this.#commits.run((now) => workers.forgetUnseen(now))
    await this.#steps((now, rows) => this.#housekeeping.audit.deleteOld(now, rows))
    await this.#housekeeping.sessions.removeOver()
  }

  /** Repeats a step until it finds fewer rows than it may take; the answer is the sum. */
  async #steps(step: Step<number>): Promise<number> {
    for (let sum = 0; ; ) {
      const { count, isDone } = await this.#commits.background((now, rows) => {
        const changed = step(now, rows)
        return { count: changed, isDone: changed < rows }
      })
      sum += count
      if (isDone) return sum
    }
  }
}
