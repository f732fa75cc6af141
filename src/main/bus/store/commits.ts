import type { Clock } from '../clock.ts'
import type { Connection, Statement } from './database.ts'
import { isBusy, isDamage, isDiskTrouble, sqliteCode } from './database.ts'
import { databaseDamaged, ProtocolError, storageUnavailable } from '../../../shared/errors.ts'

/** What the commits tell the state that lives in memory beside the database. */
export interface CommitHooks {
  /** First in every transaction, before any operation; `now` is Unix time in seconds. */
  begin(now: number): void
  /** Behind all operations of a transaction: what follows from them. What fails in it must be dropped by `rolledBack`. */
  conclude(now: number): void
  /**
   * In a transaction that has written: adds what only rides along (counters, nonces of reads); with `mustWrite` all of
   * it, however little it is worth.
   */
  ride(now: number, mustWrite: boolean): void
  /** After COMMIT: what the transaction did is on disk; `rode` tells whether `ride` was part of it. */
  committed(rode: boolean): void
  /** After ROLLBACK: forget what the transaction made you believe. `error` says what went wrong. */
  rolledBack(error: unknown): void
}

/**
 * One change of the bus, run inside a transaction at `now` (Unix seconds). It may throw a ProtocolError to refuse, but
 * only before its first write. It may run twice, so it keeps nothing in memory but what the hooks roll back.
 */
export type Operation<T> = (now: number) => T

/**
 * One step of work that nobody waits for, on at most `rows` rows; it keeps to the rules of an operation.
 */
export type Step<T> = (now: number, rows: number) => T

export interface CommitCounts {
  readonly commits: number
  readonly operations: number
}

interface Pending {
  readonly operation: Operation<unknown>
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

/** Bounds one transaction to some 20 ms, however much is waiting. */
const MAX_BATCH = 512

/**
 * A commit waits while every turn of the event loop still brings operations, up to this many turns: some microseconds
 * each. With one client that is one empty turn; with forty it saves every third commit.
 */
const MAX_TURNS = 5

/**
 * What a step may take. Along with operations it costs them no sync of its own, but some 150 microseconds and pages that
 * must be checkpointed, so only every fifth millisecond has one. A step of its own, when nothing has been going on for a
 * few milliseconds, may be in the way of whoever comes next for half of one.
 */
const ROWS_ALONG = 16
const ROWS_ALONE = 64
const PAUSE_BETWEEN_STEPS = 0.005
const QUIET_SECONDS = 0.004

/**
 * Group commit. Operations that arrive in the same few turns of the event loop share one transaction, and every promise
 * settles only after its COMMIT is on disk. While the disk syncs, the next operations queue by themselves, so that
 * batches grow with the load and no time window is needed.
 */
export class Commits {
  readonly #db: Connection
  readonly #hooks: CommitHooks
  readonly #clock: Clock
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #rollback: Statement
  readonly #totalChanges: Statement
  #queue: Pending[] = []
  #steps: Pending[] = []
  #quietTimer: (() => void) | undefined
  #scheduled = false
  #mustRide = false
  #isStopped = false
  readonly #counts = { commits: 0, operations: 0 }
  #isAlone = false
  #lastStepAt = -Infinity
  #lastBatchAt = -Infinity
  #flushing: PromiseWithResolvers<void> | undefined

  constructor(db: Connection, clock: Clock, hooks: CommitHooks) {
    this.#db = db
    this.#clock = clock
    this.#hooks = hooks
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#rollback = db.prepare('ROLLBACK')
    this.#totalChanges = db.prepare('SELECT total_changes()').pluck()
  }

  /** Transactions that wrote something, and the operations that were in them, since the start. */
  get counts(): CommitCounts {
    return { ...this.#counts }
  }

  /**
   * Queues one operation. Resolves with its value after the commit; rejects with its own refusal, or with 503
   * `database_busy` or `storage_unavailable` when the database would not take it.
   */
  run<T>(operation: Operation<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ operation, resolve: resolve as (value: never) => void, reject })
      this.#schedule()
    })
  }

  /**
   * Runs a transaction soon even when nothing is queued, so that `begin` gets to see the time. Resolves when it is over,
   * whatever came of it.
   */
  poke(): Promise<void> {
    this.#flushing ??= Promise.withResolvers()
    this.#schedule()
    return this.#flushing.promise
  }

  /**
   * Writes all that only rides along, with the next transaction. One is run for it when none comes within `patience`
   * (seconds). Resolves when it is over, whatever came of it.
   */
  writeRiders(patience = 0): Promise<void> {
    this.#mustRide = true
    const flushing = (this.#flushing ??= Promise.withResolvers())
    if (patience === 0) this.#schedule()
    else {
      const cancel = this.#clock.after(patience, () => this.#schedule())
      void flushing.promise.then(cancel)
    }
    return flushing.promise
  }

  /**
   * Queues one step: it goes along with a transaction, or alone when none comes for some milliseconds. Resolves and
   * rejects like an operation.
   */
  background<T>(step: Step<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const operation: Operation<T> = (now) => step(now, this.#isAlone ? ROWS_ALONE : ROWS_ALONG)
      this.#steps.push({ operation, resolve: resolve as (value: never) => void, reject })
      this.#awaitQuiet()
    })
  }

  /** The database is damaged: from now on nothing is written any more, and whoever wants to gets 503 `storage_unavailable`. */
  stop(): void {
    this.#isStopped = true
  }

  /** Runs all that is queued, and once more what only rides along. For the end of the bus. */
  close(): void {
    do this.#flush()
    while (this.#queue.length > 0)
    this.#quietTimer?.()
    for (const { reject } of this.#steps.splice(0)) reject(shuttingDown())
    this.#mustRide = true
    this.#transaction([])
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    let seen = 0
    let turns = 0
    const turn = (): void => {
      if (!this.#scheduled) return
      const grew = this.#queue.length > seen
      seen = this.#queue.length
      if (grew && ++turns < MAX_TURNS && seen < MAX_BATCH) setImmediate(turn)
      else this.#flush()
    }
    setImmediate(turn)
  }

  #flush(): void {
    this.#scheduled = false
    const batch = this.#queue.length > MAX_BATCH ? this.#queue.splice(0, MAX_BATCH) : this.#queue
    if (batch === this.#queue) this.#queue = []
    else this.#schedule()
    const flushing = this.#flushing
    this.#flushing = undefined
    this.#isAlone = batch.length === 0
    this.#transaction(this.#withStep(batch))
    flushing?.resolve()
  }

  #withStep(batch: readonly Pending[]): readonly Pending[] {
    if (this.#steps.length === 0) return batch
    const now = this.#clock.now()
    const isTooSoon = Math.abs(now - this.#lastStepAt) < PAUSE_BETWEEN_STEPS
    if (!this.#isAlone) this.#lastBatchAt = now
    if (isTooSoon && !this.#isAlone) return batch
    this.#lastStepAt = now
    return [...batch, this.#steps.shift()!]
  }

  /** Runs a step alone once there has been no operation for a while. */
  #awaitQuiet(): void {
    this.#quietTimer ??= this.#clock.after(QUIET_SECONDS, () => {
      this.#quietTimer = undefined
      if (this.#steps.length === 0) return
      const isQuiet = Math.abs(this.#clock.now() - this.#lastBatchAt) >= QUIET_SECONDS
      if (isQuiet) this.#schedule()
      this.#awaitQuiet()
    })
  }

  #transaction(batch: readonly Pending[]): void {
    if (!this.#db.open || this.#isStopped) {
      for (const pending of batch) pending.reject(this.#isStopped ? databaseDamaged() : shuttingDown())
      return
    }
    const now = this.#clock.now()
    const outcomes: Outcome<unknown>[] = []
    let rode = false
    let isConcluding = false
    try {
      this.#begin.run()
      const before = this.#totalChanges.get() as number
      this.#hooks.begin(now)
      for (const pending of batch) outcomes.push(attempt(pending.operation, now))
      isConcluding = true
      this.#hooks.conclude(now)
      isConcluding = false
      rode = this.#mustRide || (this.#totalChanges.get() as number) > before
      if (rode) this.#hooks.ride(now, this.#mustRide)
      this.#commit.run()
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run()
      this.#hooks.rolledBack(error)
      // The operations are not to blame for what was to follow from them; the hooks have dropped it.
      if (isConcluding && !isTroubleOfAll(error)) this.#transaction(batch)
      else this.#recover(batch, error)
      return
    }
    if (rode) {
      this.#mustRide = false
      this.#counts.commits++
      this.#counts.operations += batch.length
    }
    this.#hooks.committed(rode)
    for (const [i, outcome] of outcomes.entries()) {
      const { resolve, reject } = batch[i]!
      if (outcome.refusal === undefined) resolve(outcome.value as never)
      else reject(outcome.refusal)
    }
  }

  /** One faulty operation must not fail its neighbours: it is found by halving. A bad disk fails all alike. */
  #recover(batch: readonly Pending[], error: unknown): void {
    const code = sqliteCode(error)
    const isFaultOfOne = code === undefined || code.startsWith('SQLITE_CONSTRAINT')
    if (batch.length > 1 && isFaultOfOne) {
      const half = batch.length >> 1
      this.#transaction(batch.slice(0, half))
      this.#transaction(batch.slice(half))
      return
    }
    for (const pending of batch) pending.reject(asRefusal(error))
  }
}

/** What came of an operation: its value, or why it was refused. */
export interface Outcome<T> {
  readonly value?: T
  readonly refusal?: ProtocolError
}

/** Runs an operation; a refusal is an outcome, anything else is thrown. */
export function attempt<T>(operation: Operation<T>, now: number): Outcome<T> {
  try {
    return { value: operation(now) }
  } catch (error) {
    if (error instanceof ProtocolError) return { refusal: error }
    throw error
  }
}

function shuttingDown(): ProtocolError {
  return new ProtocolError('shutting_down', 'The bus is shutting down.', 1)
}

/** Whether it would hit any other transaction, too. */
function isTroubleOfAll(error: unknown): boolean {
  return isBusy(error) || isDiskTrouble(error) || isDamage(error)
}

/** An error of the database as its caller is told: 503 where it is busy or damaged, or the disk in trouble; else the error itself. */
export function asRefusal(error: unknown): unknown {
  if (isBusy(error)) return new ProtocolError('database_busy', 'The database is busy; try again.', 1)
  if (isDamage(error)) return databaseDamaged()
  return isDiskTrouble(error) ? storageUnavailable(sqliteCode(error)!) : error
}
