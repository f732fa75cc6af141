import type { Connection, Statement } from './database.ts'
import type { Participant } from './participant.ts'

/** Who may claim the intents of a lane without a goal filter, with one, and when a publisher is asked for by name. */
export interface LaneSet {
  readonly lane: number
  readonly wideLane: number
  /** Public intents only: lanes of one publisher, for claims that filter by publisher. */
  readonly publicLane: number | null
  readonly publicWideLane: number | null
}

/** What decides which claims may take an intent (SPEC 7.3). */
export interface Routing {
  readonly namespace: string
  readonly goal: string
  readonly publisher: string
  readonly visibility: 'private' | 'public'
  readonly targetWorker: string | null
  readonly requiredCapability: string | null
}

/** The scope of public intents; that of private ones is their publisher's key id. */
export const PUBLIC_SCOPE = '*'

/** Names are kept in memory up to here; all of them can be had from the table again. */
const MAX_CACHED_NAMES = 50_000

/**
 * A lane is everything about an intent that a claim must match, as one number: namespace, goal (or any), scope, target
 * and capability. A claim looks at the heads of the few lanes that it may take from, so rows that it may not take cost
 * it nothing. Names are interned in a table rather than hashed: two lanes never share a number.
 */
export class Lanes implements Participant {
  readonly #byName = new Map<string, number>()
  readonly #find: Statement
  readonly #insert: Statement
  #quiet = new Map<number, Quiet>()
  #generation = 0

  constructor(db: Connection) {
    this.#find = db.prepare('SELECT lane FROM lanes WHERE name = ?').pluck()
    this.#insert = db.prepare('INSERT INTO lanes (name) VALUES (?) RETURNING lane').pluck()
  }

  /** Changes whenever a lane may have come into being or gone: plans made from `find` are good until then. */
  get generation(): number {
    return this.#generation
  }

  /** The lanes that an intent with this routing stands in; makes those that are new. Inside a transaction only. */
  of(routing: Routing): LaneSet {
    const { namespace, goal, publisher, targetWorker, requiredCapability } = routing
    const isPublic = routing.visibility === 'public'
    const scope = isPublic ? PUBLIC_SCOPE : publisher
    const ofPublisher = PUBLIC_SCOPE + publisher
    return {
      lane: this.#intern(laneName(namespace, goal, scope, targetWorker, requiredCapability)),
      wideLane: this.#intern(laneName(namespace, null, scope, targetWorker, requiredCapability)),
      publicLane: isPublic
        ? this.#intern(laneName(namespace, goal, ofPublisher, targetWorker, requiredCapability))
        : null,
      publicWideLane: isPublic
        ? this.#intern(laneName(namespace, null, ofPublisher, targetWorker, requiredCapability))
        : null
    }
  }

  /** The lane of that name, 0 when no intent ever stood in it. */
  find(name: string): number {
    const cached = this.#byName.get(name)
    if (cached !== undefined) return cached
    const lane = (this.#find.get(name) as number | undefined) ?? 0
    this.#remember(name, lane)
    return lane
  }

  #intern(name: string): number {
    const known = this.find(name)
    if (known !== 0) return known
    const lane = this.#insert.get(name) as number
    this.#remember(name, lane)
    this.#generation++
    return lane
  }

  #remember(name: string, lane: number): void {
    if (this.#byName.size >= MAX_CACHED_NAMES) this.#byName.clear()
    this.#byName.set(name, lane)
  }

  /** What is known about a lane at `now` (Unix seconds): nothing above this priority can be claimed from it yet. */
  searchFrom(lane: number, now: number): number {
    const quiet = this.#quiet.get(lane)
    return quiet !== undefined && now < quiet.until ? quiet.above : Infinity
  }

  /** When the knowledge behind `searchFrom` ends; Infinity when there is none. */
  quietUntil(lane: number, now: number): number {
    const quiet = this.#quiet.get(lane)
    return quiet !== undefined && now < quiet.until ? quiet.until : Infinity
  }

  /** Notes that nothing with a priority greater than `above` can be claimed from the lane before `until` (Unix seconds). */
  noteQuiet(lane: number, above: number, until: number): void {
    if (this.#quiet.size >= MAX_CACHED_NAMES) this.#quiet.clear()
    this.#quiet.set(lane, { above, until })
  }

  /** An intent came (back) into its lanes, claimable at `runAt`. */
  noteArrival(set: LaneSet, priority: number, runAt: number): void {
    this.#disturb(set.lane, priority, runAt)
    this.#disturb(set.wideLane, priority, runAt)
    if (set.publicLane !== null) this.#disturb(set.publicLane, priority, runAt)
    if (set.publicWideLane !== null) this.#disturb(set.publicWideLane, priority, runAt)
  }

  #disturb(lane: number, priority: number, runAt: number): void {
    const quiet = this.#quiet.get(lane)
    if (quiet !== undefined && priority > quiet.above && runAt < quiet.until) quiet.above = priority
  }

  rolledBack(): void {
    this.forget()
  }

  /** Forgets all that was learnt: lanes may be gone. */
  forget(): void {
    this.#byName.clear()
    this.#quiet.clear()
    this.#generation++
  }
}

interface Quiet {
  above: number
  readonly until: number
}

/** `goal` null: the lane of all goals. Only a goal can hold a newline, so it comes last and names never collide. */
export function laneName(
  namespace: string,
  goal: string | null,
  scope: string,
  targetWorker: string | null,
  requiredCapability: string | null
): string {
  const head = `${namespace}\n${scope}\n${targetWorker ?? ''}\n${requiredCapability ?? ''}`
  return goal === null ? head : `${head}\n${goal}`
}
