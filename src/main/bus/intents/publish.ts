import { ProtocolError } from '../../../shared/errors.ts'
import { OPEN_INTENT_CAP } from '../../../shared/limits.ts'
import type { PublishRequest } from '../../../shared/requests.ts'
import { formatId } from '../ids.ts'
import type { IdempotencyMark } from '../idempotency.ts'
import type { Key } from '../keys.ts'
import type { Store } from '../store/store.ts'
import { STATUS } from './intent.ts'

/** The body of the 201 (SPEC 7.2). */
export interface Published {
  readonly id: string
  readonly status: 'published'
  readonly namespace: string
}

const INSERT = `
  INSERT INTO intents (n, tail, status, priority, run_at, claim_attempts, created_at, expires_at,
    lane, wide_lane, public_lane, public_wide_lane, max_attempts, backoff_base,
    namespace, goal, publisher, visibility, target_worker, required_capability, payload, traceparent)
  VALUES (?, ?, 0, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** POST /intent (SPEC 7.2). */
export class Publishing {
  readonly #store: Store
  readonly #insert

  constructor(store: Store) {
    this.#store = store
    this.#insert = store.db.prepare(INSERT)
  }

  /**
   * Adds an open intent, inside a transaction. With a mark, a request seen before gets its first answer again.
   * Throws 422 for a reused Idempotency-Key and 429 `limit_exceeded` at the cap of a generated key (SPEC 15).
   */
  publish(publisher: Key, request: PublishRequest, mark: IdempotencyMark | null, now: number): Published {
    const { deadlines, events, gaps, goals, idempotency, ids, lanes, parking, statistics, tallies, terms } = this.#store
    const known = mark === null ? undefined : idempotency.recall(mark, now)
    if (known !== undefined) return JSON.parse(known) as Published
    if (!publisher.isMain && tallies.activeOf(publisher.id) >= OPEN_INTENT_CAP) {
      throw new ProtocolError('limit_exceeded', `This key has ${OPEN_INTENT_CAP} open intents already.`, 60)
    }
    const { n, tail } = ids.next(now)
    const runAt = now + request.delay
    const expiresAt = gaps.awake(runAt) + terms.intentLifetime
    const set = lanes.of({ ...request, publisher: publisher.id })
    this.#insert.run(
      n,
      tail,
      request.priority,
      runAt,
      now,
      expiresAt,
      set.lane,
      set.wideLane,
      set.publicLane,
      set.publicWideLane,
      request.maxAttempts,
      request.backoffBase,
      request.namespace,
      request.goal,
      publisher.id,
      request.visibility,
      request.targetWorker,
      request.requiredCapability,
      request.payload,
      request.traceparent
    )
    const { namespace, goal } = request
    lanes.noteArrival(set, request.priority, runAt)
    parking.arrived({ ...request, publisher: publisher.id }, runAt)
    deadlines.note(expiresAt)
    goals.published(tallies.add(namespace, goal, publisher.id, STATUS.open, 1), now)
    statistics.count('published', now)
    const id = formatId(n, tail)
    if (events.isHeard) {
      const { id: key } = publisher
      events.note({ id, at: now, event: 'published', status: 'open', namespace, goal, attempts: 0, runAt, key, publisher: key })
    }
    const published: Published = { id, status: 'published', namespace }
    if (mark !== null) idempotency.remember(mark, JSON.stringify(published), now)
    return published
  }
}
