import { timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '../../../shared/errors.ts'
import { appendHistory, historyLine } from '../../../shared/history.ts'
import { BACKOFF_JITTER } from '../../../shared/limits.ts'
import type { ExtendRequest, FailRequest, FulfillRequest } from '../../../shared/requests.ts'
import { digestOf } from '../keys.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from '../caller.ts'
import { findById, STATUS } from './intent.ts'
import type { Requeueing } from './requeue.ts'

interface HeldRow {
  readonly n: number
  readonly tail: string
  readonly status: number
  readonly claim_expires_at: number | null
  readonly claimed_by: string | null
  readonly claim_address: string | null
  readonly claim_token_digest: string | null
  readonly namespace: string
  readonly publisher: string
}

/** What decides whether a caller holds the lease, and what fulfilling needs besides. */
export const HOLD = `
  SELECT n, tail, status, claim_expires_at, claimed_by, claim_address, claim_token_digest, namespace, publisher
  FROM intents WHERE n = ?`
const EXTEND = `UPDATE intents SET claim_expires_at = ?, history = ? WHERE n = ?`
const FULFILL = `
  UPDATE intents SET status = 2, finished_at = ?, result = ?, result_type = ?, history = history || ?,
    claim_token_digest = NULL, claim_expires_at = NULL
  WHERE n = ?`

const NO_MESSAGE = 'The worker failed without a message.'

/** What the holder of a lease may do with it (SPEC 7.4 to 7.6). All inside transactions. */
export class Settling {
  readonly #store: Store
  readonly #requeueing: Requeueing
  readonly #hold
  readonly #extend
  readonly #fulfill

  constructor(store: Store, requeueing: Requeueing) {
    this.#store = store
    this.#requeueing = requeueing
    this.#hold = store.db.prepare(HOLD)
    this.#extend = store.db.prepare(EXTEND)
    this.#fulfill = store.db.prepare(FULFILL)
  }

  /** Sets the end of the lease to `seconds` from now, even if that is sooner. Throws 404 when the lease is not held. */
  extend(caller: Caller, id: string, { claimToken, seconds }: ExtendRequest, now: number): void {
    const row = this.#requeueing.read(this.#held(caller, id, claimToken, now).n)
    const until = now + seconds
    this.#extend.run(until, appendHistory(row.history, { at: now, event: 'extended', until, times: 1 }), row.n)
    this.#store.deadlines.note(until)
  }

  /** Throws 404 when the lease is not held. */
  fulfill(caller: Caller, id: string, { claimToken, result, resultType }: FulfillRequest, now: number): void {
    const row = this.#held(caller, id, claimToken, now)
    const line = historyLine({ at: now, event: 'fulfilled' })
    this.#fulfill.run(now, result, result === null ? null : resultType, line, row.n)
    this.#store.tallies.move(row.namespace, row.publisher, STATUS.claimed, STATUS.fulfilled)
  }

  /** Requeues with backoff, or buries when the attempts are used up (SPEC 3.3). Throws 404 when the lease is not held. */
  fail(caller: Caller, id: string, { claimToken, error }: FailRequest, now: number): void {
    const row = this.#requeueing.read(this.#held(caller, id, claimToken, now).n)
    const reason = error || NO_MESSAGE
    if (row.claim_attempts >= row.max_attempts) {
      const history = appendHistory(row.history, { at: now, event: 'failed', error: reason })
      this.#requeueing.bury(row, history, reason, now)
      return
    }
    const jitter = this.#store.random.fraction() * BACKOFF_JITTER
    const nextRun = now + row.backoff_base * 2 ** row.claim_attempts + jitter
    const history = appendHistory(row.history, { at: now, event: 'failed', error: reason, requeued_until: nextRun })
    this.#requeueing.reopen(row, history, nextRun, reason)
  }

  #held(caller: Caller, id: string, claimToken: string | null, now: number): HeldRow {
    const row = findById<HeldRow>(this.#hold, id)
    if (row !== undefined && holds(caller, row, claimToken, now)) return row
    throw new ProtocolError('not_found', 'Intent not found, or its lease is not yours any more.')
  }
}

/** SPEC 7.4: the lease runs, it is the caller's, and the token is that of this claim. */
function holds(caller: Caller, row: HeldRow, claimToken: string | null, now: number): boolean {
  const isRunning = row.status === STATUS.claimed && row.claim_expires_at! > now
  if (!isRunning || row.claimed_by !== caller.key.id) return false
  if (claimToken === null) return row.claim_address === caller.address
  return timingSafeEqual(Buffer.from(digestOf(claimToken)), Buffer.from(row.claim_token_digest!))
}
