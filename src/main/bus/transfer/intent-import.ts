import { STATUS } from '../intents/intent.ts'
import type { Statement } from '../store/database.ts'
import type { Store } from '../store/store.ts'
import type { LaneSet } from '../store/lanes.ts'
import type { Fate, ImportParts } from './import-parts.ts'
import { placesOf } from './places.ts'
import type { ImportedIntent } from './records.ts'

const INSERT = `
  INSERT INTO intents (n, tail, status, priority, run_at, claim_attempts, created_at, expires_at,
    lane, wide_lane, public_lane, public_wide_lane, claimed_at, finished_at, max_attempts, backoff_base,
    claimed_by, claim_address, worker, namespace, goal, publisher, visibility, target_worker, required_capability,
    last_error, result_type, result, history, payload, traceparent)
  VALUES (@n, @tail, @status, @priority, @run_at, @claim_attempts, @created_at, @expires_at,
    @lane, @wideLane, @publicLane, @publicWideLane, @claimed_at, @finished_at, @max_attempts, @backoff_base,
    @claimed_by, @claim_address, @worker, @namespace, @goal, @publisher, @visibility, @target_worker, @required_capability,
    @last_error, @result_type, @result, @history, @payload, @traceparent)`

const NOTE_GOAL = `
  INSERT INTO goals (namespace, goal, last_published_at, last_claimed_at) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET
    last_published_at = max(excluded.last_published_at, coalesce(last_published_at, 0)),
    last_claimed_at = coalesce(max(excluded.last_claimed_at, last_claimed_at), excluded.last_claimed_at, last_claimed_at)`

/** Only open intents stand in lanes; one that is opened again looks them up. */
const NO_LANES: LaneSet = { lane: 0, wideLane: 0, publicLane: null, publicWideLane: null }

interface GoalUse {
  readonly namespace: string
  readonly goal: string
  publishedAt: number
  claimedAt: number | null
}

/** Adds intents from elsewhere. Inside transactions. */
export class IntentImport {
  readonly #store: Store
  readonly #tailAt: Statement
  readonly #insert: Statement
  readonly #noteGoal: Statement
  /** Of this step. */
  readonly #goals = new Map<string, GoalUse>()
  #added = 0

  constructor({ store }: ImportParts) {
    this.#store = store
    this.#tailAt = store.db.prepare('SELECT tail FROM intents WHERE n = ?').pluck()
    this.#insert = store.db.prepare(INSERT)
    this.#noteGoal = store.db.prepare(NOTE_GOAL)
  }

  /** Adds an intent where it has its place in the order of age, unless it is there. */
  add(intent: ImportedIntent): Fate {
    const place = this.#placeOf(intent)
    if (typeof place !== 'number') return place
    const { gaps, ids, tallies } = this.#store
    const { type: _, ...row } = intent
    const expiresAt = gaps.awake(intent.expires_at)
    const isOpen = intent.status === STATUS.open
    const lanes = isOpen ? this.#store.lanes.of(routingOf(intent)) : NO_LANES
    this.#insert.run({ ...row, ...lanes, n: place, expires_at: expiresAt })
    ids.noteUsed(place)
    tallies.add(intent.namespace, intent.goal, intent.publisher, intent.status, 1)
    if (isOpen) this.#arrive(intent, lanes, expiresAt)
    this.#noteUse(intent)
    this.#added++
    return 'added'
  }

  /** First in a step: the one before may have been rolled back. */
  begin(): void {
    this.#goals.clear()
    this.#added = 0
  }

  /** Last in a step. */
  finish(): void {
    for (const { namespace, goal, publishedAt, claimedAt } of this.#goals.values()) this.#noteGoal.run(namespace, goal, publishedAt, claimedAt)
    this.#store.events.noteUntold(this.#added)
  }

  #placeOf({ n, tail }: ImportedIntent): number | Fate {
    let free: number | undefined
    for (const place of placesOf(n, tail)) {
      const there = this.#tailAt.get(place) as string | undefined
      if (there === tail) return 'present'
      if (there === undefined) {
        free ??= place
        // One that stands aside stands in the first place there that was free.
        if (place !== n) break
      }
    }
    return free ?? { skipped: 'too many others were published in the same millisecond' }
  }

  #arrive(intent: ImportedIntent, set: LaneSet, expiresAt: number): void {
    const { deadlines, lanes, parking } = this.#store
    lanes.noteArrival(set, intent.priority, intent.run_at)
    parking.arrived(routingOf(intent), intent.run_at)
    deadlines.note(expiresAt)
  }

  #noteUse({ namespace, goal, created_at, claimed_at }: ImportedIntent): void {
    const key = `${namespace}\n${goal}`
    const use = this.#goals.get(key) ?? { namespace, goal, publishedAt: created_at, claimedAt: claimed_at }
    use.publishedAt = Math.max(use.publishedAt, created_at)
    if (claimed_at !== null) use.claimedAt = Math.max(use.claimedAt ?? 0, claimed_at)
    this.#goals.set(key, use)
  }
}

function routingOf({ target_worker: targetWorker, required_capability: requiredCapability, ...rest }: ImportedIntent) {
  const { namespace, goal, publisher, visibility } = rest
  return { namespace, goal, publisher, visibility, targetWorker, requiredCapability }
}
