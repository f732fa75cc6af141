import type { Connection, Statement } from './store/database.ts'
import { Pace } from './store/pace.ts'
import type { Participant } from './store/participant.ts'

/** So many goals wait to be written before they no longer wait for the second to be over. */
const MAX_UNWRITTEN = 1_000
/** Seconds that a goal without intents is remembered: as long as SPEC 15 keeps what is finished. */
const REMEMBERED = 7 * 86_400

export const UNUSED_GOALS = `
  DELETE FROM goals WHERE (namespace, goal) > (?, ?) AND (namespace, goal) <= (?, ?)
    AND coalesce(last_published_at, 0) <= ? AND coalesce(last_claimed_at, 0) <= ?
    AND NOT EXISTS (SELECT 1 FROM tallies WHERE tallies.namespace = goals.namespace AND tallies.goal = goals.goal)`

/** When each goal was published and claimed last. Only what is not yet written is in memory. */
export class Goals implements Participant {
  readonly #pace = new Pace()
  readonly #pending = new Map<string, GoalUse>()
  readonly #unwritten = new Map<string, GoalUse>()
  readonly #upsert: Statement
  readonly #lastOf: Statement
  readonly #deleteUnused: Statement

  constructor(db: Connection) {
    this.#upsert = db.prepare(
      `INSERT INTO goals (namespace, goal, last_published_at, last_claimed_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET last_published_at = coalesce(excluded.last_published_at, last_published_at),
         last_claimed_at = coalesce(excluded.last_claimed_at, last_claimed_at)`
    )
    this.#lastOf = db
      .prepare(
        `SELECT namespace, goal FROM goals WHERE (namespace, goal) > (?, ?) ORDER BY namespace, goal LIMIT 1 OFFSET ?`
      )
      .raw()
    this.#deleteUnused = db.prepare(UNUSED_GOALS)
  }

  get isWaiting(): boolean {
    return this.#unwritten.size > 0
  }

  /** Inside a transaction; `now` is Unix time in seconds, like everywhere here. */
  published(namespace: string, goal: string, now: number): void {
    use(this.#pending, namespace, goal).publishedAt = now
  }

  /** Inside a transaction. */
  claimed(namespace: string, goal: string, now: number): void {
    use(this.#pending, namespace, goal).claimedAt = now
  }

  ride(now: number, mustWrite: boolean): void {
    if (!this.#pace.isDue(now, mustWrite || this.#unwritten.size >= MAX_UNWRITTEN)) return
    for (const { namespace, goal, publishedAt, claimedAt } of this.#unwritten.values()) {
      this.#upsert.run(namespace, goal, publishedAt, claimedAt)
    }
  }

  committed(): void {
    if (this.#pace.committed()) this.#unwritten.clear()
    for (const { namespace, goal, publishedAt, claimedAt } of this.#pending.values()) {
      const unwritten = use(this.#unwritten, namespace, goal)
      unwritten.publishedAt = publishedAt ?? unwritten.publishedAt
      unwritten.claimedAt = claimedAt ?? unwritten.claimedAt
    }
    this.#pending.clear()
  }

  rolledBack(): void {
    this.#pending.clear()
  }

  /**
   * Looks at up to `limit` goals after `from`, inside a transaction, and deletes those that have no intents and were not
   * used for long. The answer is where to go on; null at the end.
   */
  deleteUnused(from: GoalName, now: number, limit: number): GoalName | null {
    const last = this.#lastOf.get(...from, limit - 1) as GoalName | undefined
    const over = now - REMEMBERED
    this.#deleteUnused.run(...from, ...(last ?? AFTER_ALL), over, over)
    return last ?? null
  }
}

export type GoalName = readonly [namespace: string, goal: string]

/** Before the first goal, and after the last: a namespace is not empty, and of ASCII letters, digits and punctuation. */
export const BEFORE_ALL: GoalName = ['', '']
const AFTER_ALL: GoalName = ['\u{10ffff}', '']

interface GoalUse {
  readonly namespace: string
  readonly goal: string
  publishedAt: number | null
  claimedAt: number | null
}

function use(uses: Map<string, GoalUse>, namespace: string, goal: string): GoalUse {
  const key = `${namespace}\n${goal}`
  let found = uses.get(key)
  if (found === undefined) {
    found = { namespace, goal, publishedAt: null, claimedAt: null }
    uses.set(key, found)
  }
  return found
}
