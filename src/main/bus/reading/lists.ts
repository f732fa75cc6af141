import type { Anchors, Count, IntentPage } from '../../../shared/control/intent-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import { totalOf } from '../gaps.ts'
import { formatId, parseId } from '../ids.ts'
import { inUnixTime } from '../intents/intent.ts'
import type { Connection, Statement } from '../store/database.ts'
import { LINE_COLUMNS, toLine, type StoredLine } from './intent-views.ts'
import { planOf, type Plan } from './plan.ts'
import { readTally, Search, type Scope } from './search.ts'
import type { Share } from './turns.ts'

export type Order = Scope['order']

export interface ListQuestion {
  readonly filter: string
  readonly order: Order
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface AnchorsQuestion extends ListQuestion {
  readonly size: number
}

export interface CountQuestion {
  readonly filter: string
  /** Counts only what was published after this intent. */
  readonly newerThan?: string | undefined
  /** Counts only this intent and those published before it. */
  readonly asOf?: string | undefined
  readonly limit?: number | undefined
}

export interface IdsQuestion {
  readonly filter: string
  readonly asOf: string
  readonly cursor?: string | undefined
  readonly limit: number
}

/** Ids that match, newest first. */
export interface IdsPage {
  readonly ids: readonly string[]
  /** Goes on behind the last id; null at the end. */
  readonly next: string | null
}

const NOBODY = formatId(0, '0'.repeat(18))

export const NEWEST = 'SELECT n, tail FROM intents ORDER BY n DESC LIMIT 1'
export const LINES = `SELECT ${LINE_COLUMNS} FROM intents WHERE n IN (SELECT value FROM json_each(?))`
const IDS = 'SELECT n, tail FROM intents WHERE n IN (SELECT value FROM json_each(?))'

/**
 * The list of intents: pages, their beginnings, and counts. A cursor is the `n` behind which to go on, so pages neither
 * skip nor repeat rows whatever is published meanwhile. All throw `invalid_request` for a filter that means nothing.
 */
export class Lists {
  readonly #db: Connection
  readonly #newest: Statement
  readonly #lines: Statement
  readonly #ids: Statement

  constructor(db: Connection) {
    this.#db = db
    this.#newest = db.prepare(NEWEST)
    this.#lines = db.prepare(LINES)
    this.#ids = db.prepare(IDS)
  }

  async list({ filter, order, cursor, limit }: ListQuestion, now: number, share: Share): Promise<IntentPage> {
    const { numbers, isEnd } = await this.#page(planOf(filter, now), scopeBehind(order, cursor), limit, share)
    const rows = await share.turn(() => {
      const gone = totalOf(this.#db)
      return this.#inOrder<StoredLine>(this.#lines, numbers).map((row) => toLine(inUnixTime(row, gone)))
    })
    return { rows, next: isEnd ? null : String(numbers.at(-1)) }
  }

  async ids({ filter, asOf, cursor, limit }: IdsQuestion, now: number, share: Share): Promise<IdsPage> {
    const scope = scopeBehind('newest', cursor)
    const greatest = Math.min(scope.greatest, numberOf(asOf))
    const { numbers, isEnd } = await this.#page(planOf(filter, now), { ...scope, greatest }, limit, share)
    const ids = await share.turn(() => this.#inOrder<Numbered>(this.#ids, numbers).map(({ n, tail }) => formatId(n, tail)))
    return { ids, next: isEnd ? null : String(numbers.at(-1)) }
  }

  /** Where every `size` rows begin, `limit` times. */
  async anchors({ filter, order, size, cursor, limit }: AnchorsQuestion, now: number, share: Share): Promise<Anchors> {
    const cursors: string[] = []
    let rows = 0
    for await (const { numbers } of new Search(this.#db, planOf(filter, now), share).numbers(scopeBehind(order, cursor))) {
      for (const n of numbers) {
        if (rows % size === 0) {
          // Just before the row: what goes on behind it begins with the row.
          const before = String(order === 'newest' ? n + 1 : n - 1)
          if (cursors.length === limit) return { cursors, rows, next: before }
          cursors.push(before)
        }
        rows++
      }
    }
    return { cursors, rows, next: null }
  }

  async count({ filter, newerThan, asOf, limit = Infinity }: CountQuestion, now: number, share: Share): Promise<Count> {
    const plan = planOf(filter, now)
    const least = newerThan === undefined ? 0 : numberOf(newerThan) + 1
    const { newest, tallied } = await share.turn(() => this.#start(plan))
    const greatest = Math.min(newest.n, asOf === undefined ? Infinity : numberOf(asOf))
    const search = new Search(this.#db, plan, share)
    let count = 0
    if (plan.isTallied && least === 0) {
      const later = await counted(search, { order: 'oldest', least: greatest + 1, greatest: newest.n }, Infinity)
      count = Math.max(0, tallied - later)
    } else {
      count = await counted(search, { order: 'newest', least, greatest }, limit)
    }
    return { count: Math.min(count, limit), isExact: count <= limit, asOf: formatId(newest.n, newest.tail) }
  }

  /** The newest intent and what the tallies say of it and all before, as of one moment. */
  #start(plan: Plan): { newest: Numbered; tallied: number } {
    return this.#db.transaction(() => {
      const newest = (this.#newest.get() as Numbered | undefined) ?? { n: 0, tail: NOBODY.slice(14) }
      return { newest, tallied: readTally(this.#db, plan).matching }
    })()
  }

  async #page(plan: Plan, scope: Scope, limit: number, share: Share): Promise<{ numbers: number[]; isEnd: boolean }> {
    const numbers: number[] = []
    for await (const found of new Search(this.#db, plan, share).numbers(scope)) {
      numbers.push(...found.numbers.slice(0, limit - numbers.length))
      if (numbers.length === limit) return { numbers, isEnd: false }
    }
    return { numbers, isEnd: true }
  }

  /** Rows by their numbers, those that are still there. */
  #inOrder<Row extends { readonly n: number }>(statement: Statement, numbers: readonly number[]): Row[] {
    const rows = new Map((statement.all(JSON.stringify(numbers)) as Row[]).map((row) => [row.n, row]))
    return numbers.flatMap((n) => rows.get(n) ?? [])
  }
}

interface Numbered {
  readonly n: number
  readonly tail: string
}

/** Counts until there are more than `limit`. */
async function counted(search: Search, scope: Scope, limit: number): Promise<number> {
  let count = 0
  for await (const found of search.counts(scope)) {
    count += found.count
    if (count > limit) break
  }
  return count
}

function scopeBehind(order: Order, cursor: string | undefined): Scope {
  const all = { order, least: 0, greatest: Number.MAX_SAFE_INTEGER }
  if (cursor === undefined) return all
  const n = Number(cursor)
  if (!/^-?\d{1,16}$/.test(cursor) || !Number.isSafeInteger(n)) {
    throw new ProtocolError('invalid_request', 'This cursor does not come from the list; ask again from its beginning.')
  }
  return order === 'newest' ? { ...all, greatest: n - 1 } : { ...all, least: n + 1 }
}

function numberOf(id: string): number {
  const parsed = parseId(id)
  if (parsed === undefined) throw new ProtocolError('invalid_request', `${id} is not the id of an intent.`)
  return parsed.n
}
