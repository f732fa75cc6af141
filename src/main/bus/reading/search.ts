import { statusName } from '../intents/intent.ts'
import type { StatusName } from '../../../shared/control/intent-views.ts'
import type { Connection, Statement } from '../store/database.ts'
import type { Condition } from './condition.ts'
import type { Plan } from './plan.ts'
import { ChunkSize, type Share } from './turns.ts'

/** Which matches are looked for. */
export interface Scope {
  readonly order: 'newest' | 'oldest'
  /** The first and the last `n` that count; nothing outside is looked at. */
  readonly least: number
  readonly greatest: number
}

/** Matches that one statement found, in order. */
export interface Found {
  readonly numbers: readonly number[]
  readonly count: number
}

/** Intents of rare statuses are found by an index when there are so many at most, so that reading it is one turn ... */
const MAX_INDEXED = 50_000
/** ... and when so small a share of all has these statuses; else rows that match are never far. */
const RARE = 0.25
/** What a first page mostly needs; chunks grow from there. */
const FIRST_CHUNK = 256

/** Each covers itself: only `n` is read. */
export const NUMBERS_BY_STATUS: Readonly<Record<StatusName, string>> = {
  open: 'SELECT n FROM intents INDEXED BY intents_expiry WHERE status = 0',
  claimed: 'SELECT n FROM intents INDEXED BY intents_lease WHERE status = 1',
  fulfilled: 'SELECT n FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = 2',
  dead: 'SELECT n FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = 3',
  expired: 'SELECT n FROM intents INDEXED BY intents_finished WHERE status >= 2 AND status = 4'
}

/** What counts that are kept say of a plan's matches. */
export interface Tally {
  readonly all: number
  readonly ofStatuses: number
  /** At least all that match; exactly they when the plan is tallied. */
  readonly matching: number
  /** Those whose status may have been or become another one included. */
  readonly everMatching: number
}

/** Looks at each tally once. */
export function readTally(db: Connection, { immutable, statuses }: Plan): Tally {
  const rows = db
    .prepare(`SELECT status, total(count), total(count) FILTER (WHERE ${immutable.sql}) FROM tallies GROUP BY status`)
    .raw()
    .all(immutable.values) as [status: number, all: number, matching: number][]
  const ofStatuses = rows.filter(([status]) => statuses.includes(statusName(status)))
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
  return {
    all: sum(rows.map(([, all]) => all)),
    ofStatuses: sum(ofStatuses.map(([, all]) => all)),
    matching: sum(ofStatuses.map(([, , matching]) => matching)),
    everMatching: sum(rows.map(([, , matching]) => matching))
  }
}

/** Of the rows up to `@rows` behind each other: how many, the last, and those that match the condition. */
export function chunkQuery(order: Scope['order'], { sql, columns }: Condition, isCount: boolean): string {
  // Columns that are named are copied, the long ones too: only those that the condition reads.
  const source = `
    SELECT ${['n', ...columns].join(', ')} FROM intents NOT INDEXED WHERE n >= @least AND n <= @greatest
    ORDER BY n ${order === 'newest' ? 'DESC' : 'ASC'} LIMIT @rows`
  return `SELECT count(*), ${order === 'newest' ? 'min' : 'max'}(n), ${found(sql, isCount)} FROM (${source})`
}

/** Of these rows, those that match. */
export function listedQuery(condition: string, isCount: boolean): string {
  return `SELECT ${found(condition, isCount)} FROM intents WHERE n IN (SELECT value FROM json_each(@numbers))`
}

function found(condition: string, isCount: boolean): string {
  return `${isCount ? 'count(*)' : 'group_concat(n)'} FILTER (WHERE ${condition})`
}

/**
 * Finds the intents that match a plan, a chunk at a time, each in a read transaction of its own: no snapshot of the
 * database is held while the thread rests. What is published meanwhile lies behind the newest, so pages stay true.
 */
export class Search {
  readonly #db: Connection
  readonly #plan: Plan
  readonly #share: Share

  constructor(db: Connection, plan: Plan, share: Share) {
    this.#db = db
    this.#plan = plan
    this.#share = share
  }

  /** The matches in order, chunk by chunk. */
  numbers(scope: Scope): AsyncGenerator<Found> {
    return this.#chunks(scope, false)
  }

  /** How many match, chunk by chunk; `numbers` stays empty. */
  counts(scope: Scope): AsyncGenerator<Found> {
    return this.#chunks(scope, true)
  }

  async *#chunks(asked: Scope, isCount: boolean): AsyncGenerator<Found> {
    const { least, greatest, statuses } = this.#plan
    const scope = { order: asked.order, least: Math.max(asked.least, least), greatest: Math.min(asked.greatest, greatest) }
    if (statuses.length === 0 || scope.least > scope.greatest) return
    const tally = await this.#share.turn(() => readTally(this.#db, this.#plan))
    if (tally.matching === 0) return
    if (tally.ofStatuses <= Math.min(MAX_INDEXED, tally.all * RARE)) yield* this.#listed(scope, isCount)
    else yield* this.#scanned(scope, isCount, tally.everMatching)
  }

  async *#listed({ order, least, greatest }: Scope, isCount: boolean): AsyncGenerator<Found> {
    const all = await this.#share.turn(() =>
      this.#plan.statuses.flatMap((name) => this.#db.prepare(NUMBERS_BY_STATUS[name]).pluck().all() as number[])
    )
    // An intent that changes its status between two of the statements is in both.
    const numbers = Float64Array.from(new Set(all.filter((n) => n >= least && n <= greatest))).sort()
    if (order === 'newest') numbers.reverse()
    const { sql, values } = this.#plan.condition
    const statement = this.#db.prepare(listedQuery(sql, isCount)).pluck()
    const chunk = new ChunkSize(FIRST_CHUNK)
    for (let from = 0; from < numbers.length; ) {
      const result = await this.#share.turn(() =>
        chunk.measure((rows) => {
          const part = numbers.subarray(from, from + rows)
          from += part.length
          return statement.get({ ...values, numbers: `[${part.join()}]` }) as string | number | null
        })
      )
      yield foundOf(result, isCount, order)
    }
  }

  /** `atMost`: when so many were found there can be no more, since none can have come to match meanwhile. */
  async *#scanned({ order, least, greatest }: Scope, isCount: boolean, atMost: number): AsyncGenerator<Found> {
    const { condition } = this.#plan
    const statement: Statement = this.#db.prepare(chunkQuery(order, condition, isCount)).raw()
    const chunk = new ChunkSize(FIRST_CHUNK)
    let left = atMost
    for (let from = least, to = greatest; left > 0; ) {
      const { isLast, last, result } = await this.#share.turn(() =>
        chunk.measure((rows) => {
          const range = { ...condition.values, least: from, greatest: to, rows }
          const [looked, last, result] = statement.get(range) as [number, number, string | number | null]
          return { isLast: looked < rows, last, result }
        })
      )
      const matches = foundOf(result, isCount, order)
      left -= matches.count
      yield matches
      if (isLast) return
      if (order === 'newest') to = last - 1
      else from = last + 1
    }
  }
}

function foundOf(result: string | number | null, isCount: boolean, order: Scope['order']): Found {
  if (isCount) return { numbers: [], count: result as number }
  const numbers = result === null ? [] : String(result).split(',').map(Number)
  // SQLite promises no order within an aggregate.
  numbers.sort((a, b) => (order === 'newest' ? b - a : a - b))
  return { numbers, count: numbers.length }
}
