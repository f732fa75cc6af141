import type { Connection, Statement } from './store/database.ts'
import { Pace } from './store/pace.ts'
import type { Participant } from './store/participant.ts'
import type { TallyName } from './store/tallies.ts'

/** So many goals wait to be written before they no longer wait for the second to be over. */
const MAX_UNWRITTEN = 1_000
/** Seconds that a goal without intents is remembered: as long as SPEC 15 keeps what is finished. */
const REMEMBERED = 7 * 86_400

export const NEXT_GOALS = `
  SELECT namespace, goal, max(coalesce(last_published_at, 0), coalesce(last_claimed_at, 0))
  FROM goals WHERE (namespace, goal) > (?, ?) ORDER BY namespace, goal LIMIT ?`
export const INTENTS_OF_GOAL = 'SELECT total(count) FROM tallies WHERE namespace = ? AND goal = ?'

/**
 * When each goal was published and claimed last. Only what is not yet written is in memory, by the tallies that changed
 * with it: to look these up takes no text.
 */
export class Goals implements Participant {
  readonly #pace = new Pace()
  readonly #unwritten = new Map<TallyName, GoalUse>()
  readonly #upsert: Statement
  readonly #next: Statement
  readonly #countIntents: Statement
  readonly #delete: Statement
  #published: TallyName[] = []
  #claimed: TallyName[] = []
  /** Of the running transaction. */
  #now = 0

  constructor(db: Connection) {
    const later = (column: string): string => `coalesce(max(excluded.${column}, ${column}), excluded.${column}, ${column})`
    this.#upsert = db.prepare(
      `INSERT INTO goals (namespace, goal, last_published_at, last_claimed_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET
         last_published_at = ${later('last_published_at')}, last_claimed_at = ${later('last_claimed_at')}`
    )
    this.#next = db.prepare(NEXT_GOALS).raw()
    this.#countIntents = db.prepare(INTENTS_OF_GOAL).pluck()
    this.#delete = db.prepare('DELETE FROM goals WHERE namespace = ? AND goal = ?')
  }

  get isWaiting(): boolean {
    return this.#unwritten.size > 0
  }

  /** Inside a transaction at `now` (Unix seconds). */
  published(goal: TallyName, now: number): void {
    this.#published.push(goal)
    this.#now = now
  }

  /** Inside a transaction at `now` (Unix seconds). */
  claimed(goal: TallyName, now: number): void {
    this.#claimed.push(goal)
    this.#now = now
  }

  ride(now: number, mustWrite: boolean): void {
    if (!this.#pace.isDue(now, mustWrite || this.#unwritten.size >= MAX_UNWRITTEN)) return
    for (const [{ namespace, goal }, { publishedAt, claimedAt }] of this.#unwritten) {
      this.#upsert.run(namespace, goal, publishedAt, claimedAt)
    }
  }

  committed(): void {
    if (this.#pace.committed()) this.#unwritten.clear()
    for (const goal of this.#published) this.#use(goal).publishedAt = this.#now
    for (const goal of this.#claimed) this.#use(goal).claimedAt = this.#now
    this.rolledBack()
  }

  rolledBack(): void {
    if (this.#published.length > 0) this.#published = []
    if (this.#claimed.length > 0) this.#claimed = []
  }

  /**
   * Looks at up to `limit` goals after `from`, inside a transaction, and deletes those that have no intents and were not
   * used for long. The answer is where to go on; null at the end.
   */
  deleteUnused(from: GoalName, now: number, limit: number): GoalName | null {
    const goals = this.#next.all(...from, limit) as [string, string, number][]
    for (const [namespace, goal, lastUsedAt] of goals) {
      if (now - lastUsedAt < REMEMBERED || this.#countIntents.get(namespace, goal) !== 0) continue
      this.#delete.run(namespace, goal)
    }
    if (goals.length < limit) return null
    const [namespace, goal] = goals.at(-1)!
    return [namespace, goal]
  }

  #use(goal: TallyName): GoalUse {
    let use = this.#unwritten.get(goal)
    if (use === undefined) {
      use = { publishedAt: null, claimedAt: null }
      this.#unwritten.set(goal, use)
    }
    return use
  }
}

export type GoalName = readonly [namespace: string, goal: string]

/** Comes before every goal: a namespace is not empty. */
export const BEFORE_ALL: GoalName = ['', '']

interface GoalUse {
  publishedAt: number | null
  claimedAt: number | null
}
