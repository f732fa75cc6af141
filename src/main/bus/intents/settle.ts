import { timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '../../../shared/errors.ts'
import { appendHistory, historyLine } from '../../../shared/history.ts'
import { BACKOFF_JITTER } from '../../../shared/limits.ts'
import type { ExtendRequest, FailRequest, FulfillRequest } from '../../../shared/requests.ts'
import { digestOf } from '../keys.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from '../caller.ts'
import type { LeaseHolder } from '../workers.ts'
import { changeByWorker } from './change.ts'
import { findById, STATUS } from './intent.ts'
import type { Requeueing } from './requeue.ts'

interface HeldRow extends LeaseHolder {
  readonly n: number
  readonly tail: string
  readonly status: number
  readonly claim_attempts: number
  readonly claimed_at: number | null
  readonly claim_expires_at: number | null
  readonly claim_token_digest: string | null
  readonly namespace: string
  readonly goal: string
  readonly publisher: string
}

/** What decides whether a caller holds the lease, and what fulfilling needs besides. */
export const HOLD = `
  SELECT n, tail, status, claim_attempts, claimed_at, claim_expires_at, claimed_by, claim_address, worker,
    claim_token_digest, namespace, goal, publisher
  FROM intents WHERE n = ?`
const EXTEND = `UPDATE intents SET claim_expires_at = ?, history = ? WHERE n = ?`
const FULFILL = `
  UPDATE intents SET status = 2, finished_at = ?, result = ?, result_type = ?, history = history || ?,
    claim_token_digest = NULL, claim_expires_at = NULL
  WHERE n = ?`

const RETURN_ATTEMPT = 'UPDATE intents SET claim_attempts = claim_attempts - 1 WHERE n = ?'

const NO_MESSAGE = 'The worker failed without a message.'

/** What the holder of a lease may do with it (SPEC 7.4 to 7.6). All inside transactions. */
export class Settling {
  readonly #store: Store
  readonly #requeueing: Requeueing
  readonly #hold
  readonly #extend
  readonly #fulfill
  readonly #returnAttempt

  constructor(store: Store, requeueing: Requeueing) {
    this.#store = store
    this.#requeueing = requeueing
    this.#hold = store.db.prepare(HOLD)
    this.#extend = store.db.prepare(EXTEND)
    this.#fulfill = store.db.prepare(FULFILL)
    this.#returnAttempt = store.db.prepare(RETURN_ATTEMPT)
  }

  /** Sets the end of the lease to `seconds` from now, even if that is sooner. Throws 404 when the lease is not held. */
  extend(caller: Caller, id: string, { claimToken, seconds }: ExtendRequest, now: number): void {
    const row = this.#requeueing.read(this.#held(caller, id, claimToken, now).n)
    const until = now + seconds
    const { deadlines, events, gaps } = this.#store
    this.#extend.run(gaps.awake(until), appendHistory(row.history, { at: now, event: 'extended', until, times: 1 }), row.n)
    deadlines.note(gaps.awake(until))
    if (events.isHeard) events.note(changeByWorker(row, 'extended', now, { status: 'claimed', leaseEndsAt: until }))
  }

  /** Throws 404 when the lease is not held. */
  fulfill(caller: Caller, id: string, { claimToken, result, resultType }: FulfillRequest, now: number): void {
    const row = this.#held(caller, id, claimToken, now)
    const line = historyLine({ at: now, event: 'fulfilled' })
    this.#fulfill.run(now, result, result === null ? null : resultType, line, row.n)
    const { events, gaps, statistics, tallies, workers } = this.#store
    tallies.move(row.namespace, row.goal, row.publisher, STATUS.claimed, STATUS.fulfilled)
    workers.countHolder(row, 'fulfilled')
    statistics.settled('fulfilled', gaps.between(row.claimed_at!, now), now)
    if (events.isHeard) events.note(changeByWorker(row, 'fulfilled', now, { status: 'fulfilled', leaseEndsAt: null }))
  }

  /** Requeues with backoff, or buries when the attempts are used up (SPEC 3.3). Throws 404 when the lease is not held. */
  fail(caller: Caller, id: string, { claimToken, error }: FailRequest, now: number): void {
    const held = this.#held(caller, id, claimToken, now)
    const row = this.#requeueing.read(held.n)
    const { events, gaps, random, statistics, workers } = this.#store
    const reason = error || NO_MESSAGE
    workers.countHolder(held, 'failed')
    statistics.settled('failed', gaps.between(held.claimed_at!, now), now)
    const failed = { leaseEndsAt: null, error: reason }
    if (row.claim_attempts >= row.max_attempts) {
      const history = appendHistory(row.history, { at: now, event: 'failed', error: reason })
      this.#requeueing.bury(row, history, reason, now)
      if (events.isHeard) events.note(changeByWorker(row, 'failed', now, { status: 'dead', ...failed }))
      return
    }
    const jitter = random.fraction() * BACKOFF_JITTER
    const nextRun = now + row.backoff_base * 2 ** row.claim_attempts + jitter
    const history = appendHistory(row.history, { at: now, event: 'failed', error: reason, requeued_until: nextRun })
    this.#requeueing.reopen(row, history, nextRun, reason)
    if (events.isHeard) events.note(changeByWorker(row, 'failed', now, { status: 'open', runAt: nextRun, ...failed }))
  }

  /**
   * Makes a claim undone whose answer never left: the intent is open again with the attempt that it cost. Nothing to do
   * when the lease has moved on.
   */
  takeBack(id: string, claimToken: string, now: number): void {
    const held = findById<HeldRow>(this.#hold, id)
    if (held?.status !== STATUS.claimed || !isTokenOf(held, claimToken)) return
    const row = this.#requeueing.read(held.n)
    this.#returnAttempt.run(row.n)
    const history = appendHistory(row.history, { at: now, event: 'returned' })
    this.#requeueing.reopen(row, history, row.run_at, row.last_error)
    const { events } = this.#store
    const open = { status: 'open', attempts: row.claim_attempts - 1, runAt: row.run_at, leaseEndsAt: null } as const
    if (events.isHeard) events.note(changeByWorker(row, 'returned', now, open))
  }

  #held(caller: Caller, id: string, claimToken: string | null, now: number): HeldRow {
    const row = findById<HeldRow>(this.#hold, id)
    if (row !== undefined && holds(caller, row, claimToken, this.#store.gaps.awake(now))) return row
    throw new ProtocolError('not_found', 'Intent not found, or its lease is not yours any more.')
  }
}

/** SPEC 7.4: the lease runs, it is the caller's, and the token is that of this claim. `awake`: now, in awake time. */
function holds(caller: Caller, row: HeldRow, claimToken: string | null, awake: number): boolean {
  const isRunning = row.status === STATUS.claimed && row.claim_expires_at! > awake
  if (!isRunning || row.claimed_by !== caller.key.id) return false
  if (claimToken === null) return row.claim_address === caller.address
  return isTokenOf(row, claimToken)
}

function isTokenOf(row: HeldRow, claimToken: string): boolean {
  return timingSafeEqual(Buffer.from(digestOf(claimToken)), Buffer.from(row.claim_token_digest!))
}
