import { appendHistory } from '../../../shared/history.ts'
import type { Participant } from '../store/participant.ts'
import type { Store } from '../store/store.ts'
import { changeByWorker, changeOf } from './change.ts'
import { STATUS } from './intent.ts'
import type { Requeueing, QueueRow } from './requeue.ts'

/** Rows that one transaction sweeps at most: some 5 ms. */
const MAX_SWEPT = 200

export const LEASES_ENDED = `
  SELECT n FROM intents INDEXED BY intents_lease WHERE status = 1 AND claim_expires_at <= +? ORDER BY claim_expires_at LIMIT ?`
export const LIFETIMES_ENDED = `
  SELECT n FROM intents INDEXED BY intents_expiry WHERE status = 0 AND expires_at <= +? ORDER BY expires_at LIMIT ?`
export const NEXT_LEASE_END = `
  SELECT claim_expires_at FROM intents INDEXED BY intents_lease WHERE status = 1 ORDER BY claim_expires_at LIMIT 1`
export const NEXT_LIFETIME_END = `
  SELECT expires_at FROM intents INDEXED BY intents_expiry WHERE status = 0 ORDER BY expires_at LIMIT 1`

/** What was swept since somebody last asked. */
export interface SweepCounts {
  expired_open_deleted: number
  expired_claims_requeued: number
  expired_claims_dead: number
}

/**
 * Moves intents on when their lease or their lifetime ends, first thing in every transaction, so that every operation
 * finds them where they belong (SPEC 3.3, 7.3).
 */
export class Sweep implements Participant {
  readonly #store: Store
  readonly #requeueing: Requeueing
  readonly #leasesEnded
  readonly #lifetimesEnded
  readonly #nextLeaseEnd
  readonly #nextLifetimeEnd
  readonly #expire
  #counts: SweepCounts = noCounts()
  #pending: SweepCounts = noCounts()
  #isBehind = false

  constructor(store: Store, requeueing: Requeueing) {
    this.#store = store
    this.#requeueing = requeueing
    const { db } = store
    this.#leasesEnded = db.prepare(LEASES_ENDED).pluck()
    this.#lifetimesEnded = db.prepare(LIFETIMES_ENDED).pluck()
    this.#nextLeaseEnd = db.prepare(NEXT_LEASE_END).pluck()
    this.#nextLifetimeEnd = db.prepare(NEXT_LIFETIME_END).pluck()
    this.#expire = db.prepare(
      `UPDATE intents SET status = 4, finished_at = ?, history = ? WHERE n = ? AND status = 0`
    )
  }

  /** True while leases or lifetimes that are over could not all be swept in this transaction. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** Sweeps what is over at `now`, a bounded number of rows. */
  run(now: number): void {
    this.#isBehind = false
    const awake = this.#store.gaps.awake(now)
    if (awake < this.#store.deadlines.next) return
    const leases = this.#leasesEnded.all(awake, MAX_SWEPT) as number[]
    for (const n of leases) this.#endLease(n, now)
    const left = MAX_SWEPT - leases.length
    const lifetimes = this.#lifetimesEnded.all(awake, left) as number[]
    for (const n of lifetimes) this.expire(n, now)
    this.#isBehind = leases.length + lifetimes.length >= MAX_SWEPT
    this.#store.deadlines.set(
      Math.min(
        (this.#nextLeaseEnd.get() as number | undefined) ?? Infinity,
        (this.#nextLifetimeEnd.get() as number | undefined) ?? Infinity
      )
    )
  }

  /** An open intent outlived its lifetime: it leaves the queue (SPEC 3.1) and becomes a tombstone. */
  expire(n: number, now: number): void {
    const row = this.#requeueing.read(n)
    this.#expire.run(now, appendHistory(row.history, { at: now, event: 'expired' }), n)
    const { events, statistics, tallies } = this.#store
    tallies.move(row.namespace, row.goal, row.publisher, STATUS.open, STATUS.expired)
    statistics.count('expired', now)
    if (events.isHeard) events.note(changeOf(row, 'expired', now, { status: 'expired' }))
    this.#pending.expired_open_deleted++
  }

  committed(): void {
    add(this.#counts, this.#pending)
    this.#pending = noCounts()
  }

  rolledBack(): void {
    this.#pending = noCounts()
    this.#store.deadlines.retry()
  }

  /** The counts since the last call. */
  takeCounts(): SweepCounts {
    const counts = this.#counts
    this.#counts = noCounts()
    return counts
  }

  #endLease(n: number, now: number): void {
    const { events, statistics, workers } = this.#store
    const row: QueueRow = this.#requeueing.read(n)
    const history = appendHistory(row.history, { at: now, event: 'lease_lost' })
    workers.countHolder(row, 'lost')
    statistics.count('lost', now)
    if (row.claim_attempts >= row.max_attempts) {
      const reason = row.last_error ?? 'The lease ended and no attempts were left.'
      this.#requeueing.bury(row, history, reason, now)
      const dead = { status: 'dead', leaseEndsAt: null, error: reason } as const
      if (events.isHeard) events.note(changeByWorker(row, 'lease_lost', now, dead))
      this.#pending.expired_claims_dead++
    } else {
      // No backoff: the intent keeps its run_at and can be claimed at once (SPEC 7.3).
      this.#requeueing.reopen(row, history, row.run_at, row.last_error)
      const open = { status: 'open', runAt: row.run_at, leaseEndsAt: null } as const
      if (events.isHeard) events.note(changeByWorker(row, 'lease_lost', now, open))
      this.#pending.expired_claims_requeued++
    }
  }
}

function noCounts(): SweepCounts {
  return { expired_open_deleted: 0, expired_claims_requeued: 0, expired_claims_dead: 0 }
}

function add(sum: SweepCounts, more: SweepCounts): void {
  sum.expired_open_deleted += more.expired_open_deleted
  sum.expired_claims_requeued += more.expired_claims_requeued
  sum.expired_claims_dead += more.expired_claims_dead
}
