import { historyLine } from '../../../shared/history.ts'
import { PRIORITY, TOKEN_PATTERN } from '../../../shared/limits.ts'
import type { ClaimRequest } from '../../../shared/requests.ts'
import type { Caller } from '../caller.ts'
import { formatId } from '../ids.ts'
import { digestOf } from '../keys.ts'
import { bucketName, type Pattern } from '../parking/patterns.ts'
import { laneName } from '../store/lanes.ts'
import type { Store } from '../store/store.ts'
import type { Worker } from '../workers.ts'
import { goalsAsked, scopesAsked } from './asked.ts'
import type { Claimed } from './claimed.ts'
import { STATUS } from './intent.ts'
import type { Sweep } from './sweep.ts'

/** Says that leases or lifetimes that are over still wait to be swept: ask again in the next transaction. */
export const NOT_YET = Symbol('not yet')

/** [n, priority, run_at, claim_attempts, created_at, expires_at] */
type Head = [n: number, priority: number, runAt: number, attempts: number, createdAt: number, expiresAt: number]

interface Source extends Pattern {
  readonly lane: number
  readonly find: 'goal' | 'wide' | 'publicGoal' | 'publicWide'
}

interface Plan {
  readonly generation: number
  readonly sources: readonly Source[]
}

/**
 * The head of a lane in SPEC 7.3's order, at or below a priority. `+?` keeps SQLite from planning anew for every value;
 * the index has everything but expires_at.
 */
export function headQuery(index: string, column: string): string {
  const isPublic = column.startsWith('public') ? ` AND ${column} IS NOT NULL` : ''
  return `
  SELECT n, priority, run_at, claim_attempts, created_at, expires_at FROM intents INDEXED BY ${index}
  WHERE status = 0${isPublic} AND ${column} = +? AND priority <= +?
  ORDER BY priority DESC, run_at, claim_attempts, created_at, n LIMIT 1`
}

/** SPEC 16: one atomic UPDATE ... RETURNING, in a transaction that began IMMEDIATE. */
export const TAKE = `
  UPDATE intents SET status = 1, claim_attempts = claim_attempts + 1, claimed_at = ?, claim_expires_at = ?,
    claimed_by = ?, claim_address = ?, worker = ?, claim_token_digest = ?, history = history || ?
  WHERE n = ? AND status = 0
  RETURNING tail, namespace, goal, payload, claim_attempts, priority, target_worker, required_capability, publisher,
    traceparent`

type Taken = [
  tail: string,
  namespace: string,
  goal: string,
  payload: string,
  attempts: number,
  priority: number,
  targetWorker: string | null,
  requiredCapability: string | null,
  publisher: string,
  traceparent: string | null
]

type DueListener = (pattern: Pattern, at: number) => void

const CLAIM_TOKEN_BYTES = 16
const MAX_PLANS = 10_000
/** Expired heads that one claim clears away itself before it leaves the rest to the sweep. */
const MAX_EXPIRED_HEADS = 100

/** POST /claim (SPEC 7.3). Its cost depends neither on the backlog nor on intents that the worker may not take. */
export class Claiming {
  readonly #store: Store
  readonly #sweep: Sweep
  readonly #claimTimeout: number
  readonly #heads
  readonly #take
  readonly #plans = new Map<string, Plan>()

  /** `claimTimeout`: the length of a lease in seconds. */
  constructor(store: Store, sweep: Sweep, claimTimeout: number) {
    this.#store = store
    this.#sweep = sweep
    this.#claimTimeout = claimTimeout
    const { db } = store
    this.#heads = {
      goal: db.prepare(headQuery('intents_lane', 'lane')).raw(),
      wide: db.prepare(headQuery('intents_wide_lane', 'wide_lane')).raw(),
      publicGoal: db.prepare(headQuery('intents_public_lane', 'public_lane')).raw(),
      publicWide: db.prepare(headQuery('intents_public_wide_lane', 'public_wide_lane')).raw()
    }
    this.#take = db.prepare(TAKE).raw()
  }

  /**
   * Takes the best eligible intent, inside a transaction; null when there is none. `publisherId` is the id of the
   * publisher asked for, null for anybody's; `worker` is who asks.
   */
  claim(
    caller: Caller,
    request: ClaimRequest,
    publisherId: string | null,
    worker: Worker,
    now: number
  ): Claimed | null | typeof NOT_YET {
    const awake = this.#store.gaps.awake(now)
    let best: Head | undefined
    let cleared = 0
    for (const { lane, find } of this.#plan(caller.key.id, request, publisherId).sources) {
      for (;;) {
        const head = this.#dueHead(lane, find, now)
        if (head === undefined) break
        if (head[5] > awake) {
          if (best === undefined || comesBefore(head, best)) best = head
          break
        }
        if (++cleared > MAX_EXPIRED_HEADS) return NOT_YET
        this.#sweep.expire(head[0], now)
      }
    }
    if (best !== undefined) return this.#takeHead(best, caller, worker, now)
    return this.#sweep.isBehind ? NOT_YET : null
  }

  /** Tells when something that this claim may take falls due, for each kind of such intents; it found nothing at `now`. */
  tellDues(keyId: string, request: ClaimRequest, publisherId: string | null, now: number, tell: DueListener): void {
    for (const source of this.#plan(keyId, request, publisherId).sources) {
      this.#dueHead(source.lane, source.find, now)
      const at = this.#store.lanes.quietUntil(source.lane, now)
      if (at !== Infinity) tell(source, at)
    }
  }

  /** The lanes that this claim may take from, those that exist. */
  #plan(keyId: string, request: ClaimRequest, publisherId: string | null): Plan {
    const { lanes } = this.#store
    const { namespace, goals, workerId, capabilities } = request
    const goalKey = goals.length === 1 ? goals[0]! : JSON.stringify(goals)
    const name = [namespace, keyId, publisherId ?? '', workerId ?? '', capabilities.join(','), goalKey].join('\n')
    // Goals come last and may hold anything; a worker id may, too, so it is told apart by its length.
    const planKey = `${workerId?.length ?? 0}\n${goals.length}\n${name}`
    const known = this.#plans.get(planKey)
    if (known !== undefined && known.generation === lanes.generation) return known
    const sources: Source[] = []
    // Intents can only be meant for workers whose id is a token.
    const targets = workerId !== null && TOKEN_PATTERN.test(workerId) ? [null, workerId] : [null]
    for (const goal of goalsAsked(request)) {
      for (const { scope, find } of scopes(keyId, publisherId, goal)) {
        const bucket = bucketName(namespace, scope, goal)
        for (const target of targets) {
          for (const capability of [null, ...capabilities]) {
            const lane = lanes.find(laneName(namespace, goal, scope, target, capability))
            if (lane !== 0) sources.push({ lane, find, bucket, target, capability })
          }
        }
      }
    }
    const plan = { generation: lanes.generation, sources }
    // Plans of many goals are large, and their claims mostly wait: those are not kept.
    if (goals.length > 1) return plan
    if (this.#plans.size >= MAX_PLANS) this.#plans.clear()
    this.#plans.set(planKey, plan)
    return plan
  }

  /**
   * The first intent of a lane that is due. Within a priority the earliest run_at comes first, so when that one is not
   * due none of its priority is, and the search goes on at the next lower one. What it learns is kept for next time.
   */
  #dueHead(lane: number, find: Source['find'], now: number): Head | undefined {
    const { lanes } = this.#store
    let limit = lanes.searchFrom(lane, now)
    let until = lanes.quietUntil(lane, now)
    for (;;) {
      const top = Math.min(limit, PRIORITY.max)
      const head = top < 0 ? undefined : (this.#heads[find].get(lane, top) as Head | undefined)
      if (head === undefined) {
        lanes.noteQuiet(lane, -1, until)
        return undefined
      }
      const [, priority, runAt] = head
      if (runAt <= now) {
        if (until !== Infinity) lanes.noteQuiet(lane, priority, until)
        return head
      }
      until = Math.min(until, runAt)
      limit = priority - 1
    }
  }

  #takeHead([n, , runAt, attempts]: Head, { key, address }: Caller, worker: Worker, now: number): Claimed {
    const { deadlines, events, gaps, goals, random, statistics, tallies, workers } = this.#store
    const token = random.hex(CLAIM_TOKEN_BYTES)
    const leaseEnd = now + this.#claimTimeout
    const { worker: workerId } = worker
    const line = historyLine({
      at: now,
      event: 'claimed',
      attempt: attempts + 1,
      key: key.id,
      ...(workerId === null ? undefined : { worker: workerId })
    })
    const row = this.#take.get(now, gaps.awake(leaseEnd), key.id, address, workerId, digestOf(token), line, n) as Taken
    const [tail, namespace, goal, payload, claimAttempts, priority, targetWorker, requiredCapability, publisher, traceparent] = row
    deadlines.note(gaps.awake(leaseEnd))
    goals.claimed(tallies.move(namespace, goal, publisher, STATUS.open, STATUS.claimed), now)
    workers.count(worker, 'claimed')
    statistics.claimed(gaps.between(runAt, now), now)
    const id = formatId(n, tail)
    if (events.isHeard) {
      const lease = { attempts: claimAttempts, leaseEndsAt: leaseEnd, worker: workerId, key: key.id }
      events.note({ id, at: now, event: 'claimed', status: 'claimed', namespace, goal, publisher, ...lease })
    }
    return {
      id,
      namespace,
      goal,
      payload,
      claim_attempts: claimAttempts,
      priority,
      target_worker: targetWorker,
      required_capability: requiredCapability,
      claim_token: token,
      claim_timeout: this.#claimTimeout,
      ...(traceparent !== null && { traceparent })
    }
  }
}

interface Scope {
  readonly scope: string
  readonly find: Source['find']
}

/** Where a claim's private and public intents are found. */
function scopes(keyId: string, publisherId: string | null, goal: string | null): Scope[] {
  const [ofPrivate, ofPublic] = scopesAsked(keyId, publisherId)
  const isWide = goal === null
  const own: Source['find'] = isWide ? 'wide' : 'goal'
  const ofPublisher: Source['find'] = isWide ? 'publicWide' : 'publicGoal'
  return [
    { scope: ofPrivate, find: own },
    { scope: ofPublic, find: publisherId === null ? own : ofPublisher }
  ]
}

/** SPEC 7.3: priority DESC, run_at ASC, claim_attempts ASC, created_at ASC, id ASC. */
function comesBefore(a: Head, b: Head): boolean {
  if (a[1] !== b[1]) return a[1] > b[1]
  if (a[2] !== b[2]) return a[2] < b[2]
  if (a[3] !== b[3]) return a[3] < b[3]
  if (a[4] !== b[4]) return a[4] < b[4]
  return a[0] < b[0]
}
