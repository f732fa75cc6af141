import type { Visibility } from '../../../shared/requests.ts'
import type { Store } from '../store/store.ts'
import type { LeaseHolder } from '../workers.ts'
import { findById, STATUS } from './intent.ts'

/** What moving an intent between states needs to know of it. */
export interface QueueRow extends LeaseHolder {
  readonly n: number
  readonly tail: string
  readonly status: number
  readonly namespace: string
  readonly goal: string
  readonly publisher: string
  readonly visibility: Visibility
  readonly target_worker: string | null
  readonly required_capability: string | null
  readonly priority: number
  readonly run_at: number
  readonly claim_attempts: number
  readonly max_attempts: number
  readonly backoff_base: number
  readonly expires_at: number
  readonly last_error: string | null
  readonly history: string
}

const READ = `
  SELECT n, tail, status, namespace, goal, publisher, visibility, target_worker, required_capability, priority, run_at,
    claim_attempts, max_attempts, backoff_base, expires_at, claimed_by, claim_address, worker, last_error, history
  FROM intents WHERE n = ?`

const REOPEN = `
  UPDATE intents SET status = 0, run_at = ?, last_error = ?, history = ?, lane = ?, wide_lane = ?, public_lane = ?,
    public_wide_lane = ?, claim_token_digest = NULL, claimed_by = NULL, claimed_at = NULL, claim_expires_at = NULL,
    claim_address = NULL, worker = NULL
  WHERE n = ?`

const RESET = `
  UPDATE intents SET claim_attempts = 0, expires_at = ?, result = NULL, result_type = NULL, finished_at = NULL
  WHERE n = ?`

const BURY = `
  UPDATE intents SET status = 3, finished_at = ?, last_error = ?, history = ?, claim_token_digest = NULL,
    claimed_by = NULL, claim_expires_at = NULL, result = NULL, result_type = NULL
  WHERE n = ?`

/** Back into the queue, or to the dead letters: what failing, sweeping and operators have in common. Inside transactions. */
export class Requeueing {
  readonly #store: Store
  readonly #read
  readonly #reopen
  readonly #reset
  readonly #bury

  constructor(store: Store) {
    this.#store = store
    this.#read = store.db.prepare(READ)
    this.#reopen = store.db.prepare(REOPEN)
    this.#reset = store.db.prepare(RESET)
    this.#bury = store.db.prepare(BURY)
  }

  /** The row with that number, which must exist. */
  read(n: number): QueueRow {
    return this.#read.get(n) as QueueRow
  }

  /** The row with that id, undefined when there is none. */
  find(id: string): QueueRow | undefined {
    return findById<QueueRow>(this.#read, id)
  }

  /** Back to open, claimable from `runAt` on. The lanes may have been removed meanwhile, so they are looked up anew. */
  reopen(row: QueueRow, history: string, runAt: number, lastError: string | null): void {
    const { lanes, parking, tallies, deadlines } = this.#store
    const routing = { ...row, targetWorker: row.target_worker, requiredCapability: row.required_capability }
    const set = lanes.of(routing)
    const { lane, wideLane, publicLane, publicWideLane } = set
    this.#reopen.run(runAt, lastError, history, lane, wideLane, publicLane, publicWideLane, row.n)
    tallies.move(row.namespace, row.goal, row.publisher, row.status, STATUS.open)
    lanes.noteArrival(set, row.priority, runAt)
    parking.arrived(routing, runAt)
    // While it was claimed nobody watched its lifetime.
    deadlines.note(row.expires_at)
  }

  /** As good as new: no attempts, no result or error, a fresh lifetime (SPEC 8.5). */
  renew(row: QueueRow, history: string, now: number): void {
    const { deadlines, gaps, terms } = this.#store
    const expiresAt = gaps.awake(now) + terms.intentLifetime
    this.#reset.run(expiresAt, row.n)
    this.reopen(row, history, now, null)
    deadlines.note(expiresAt)
  }

  /** To the dead letters, for `reason`, out of any state. Nobody holds it any more; `worker` tells who had it last. */
  bury(row: QueueRow, history: string, reason: string, now: number): void {
    this.#bury.run(now, reason, history, row.n)
    this.#store.tallies.move(row.namespace, row.goal, row.publisher, row.status, STATUS.dead)
    if (row.status !== STATUS.dead) this.#store.statistics.count('dead', now)
  }
}
