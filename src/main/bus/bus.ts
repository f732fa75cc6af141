import { ProtocolError } from '../../shared/errors.ts'
import type * as requests from '../../shared/requests.ts'
import type { Caller } from './caller.ts'
import { Changes } from './changes.ts'
import { Cleanup } from './cleanup.ts'
import type { Clock } from './clock.ts'
import { IdSource } from './ids.ts'
import { Idempotency, markRequest } from './idempotency.ts'
import { Claiming, NOT_YET, type Claimed } from './intents/claim.ts'
import type { IntentDetail, IntentStatus } from './intents/intent.ts'
import { Managing } from './intents/manage.ts'
import { Publishing, type Published } from './intents/publish.ts'
import { Reading } from './intents/read.ts'
import { Requeueing } from './intents/requeue.ts'
import { Retention, type CleanupStats } from './intents/retention.ts'
import { Settling } from './intents/settle.ts'
import { Sweep } from './intents/sweep.ts'
import { KeyValueStore } from './key-value.ts'
import { isKeyId, Keys, type Key, type NewKey } from './keys.ts'
import { Meta } from './meta.ts'
import { Nonces } from './nonces.ts'
import { Rates } from './rates.ts'
import type { Random } from './random.ts'
import { Reader } from './reading/reader.ts'
import { Commits, type CommitCounts, type Operation } from './store/commits.ts'
import { openDatabase, type Connection } from './store/database.ts'
import { Deadlines } from './store/deadlines.ts'
import { Lanes } from './store/lanes.ts'
import type { Store } from './store/store.ts'
import { Tallies } from './store/tallies.ts'

export interface BusOptions {
  /** The database file. */
  readonly path: string
  readonly clock: Clock
  readonly random: Random
  /** The module of the reading thread. */
  readonly readerEntry: URL
  /** Length of a lease, in seconds. */
  readonly claimTimeout: number
  /** Least seconds between two passes of cleanup (SPEC 14). */
  readonly cleanupInterval: number
  /** Hears of passes of cleanup that failed. */
  readonly onCleanupError?: (error: unknown) => void
  /** Hears of transactions that were rolled back: a busy database, a full disk, or a fault. */
  readonly onRollback?: (error: unknown) => void
}

/** A publisher that does not exist: nothing of it can be claimed. */
const NOBODY = Symbol('nobody')

/** Transactions that a question for one intent may wait for. */
const MAX_CATCH_UPS = 50

/**
 * The bus: intents, leases, keys and time, without HTTP. Every promise of a change resolves once the change is on disk;
 * every refusal is a ProtocolError.
 */
export class Bus {
  readonly keys: Keys
  readonly meta: Meta
  readonly #clock: Clock
  readonly #db: Connection
  readonly #commits: Commits
  readonly #deadlines: Deadlines
  readonly #nonces: Nonces
  readonly #rates: Rates
  readonly #keyValues: KeyValueStore
  readonly #idempotency: Idempotency
  readonly #publishing: Publishing
  readonly #claiming: Claiming
  readonly #settling: Settling
  readonly #managing: Managing
  readonly #reading: Reading
  readonly #retention: Retention
  readonly #cleanup: Cleanup
  readonly #changes: Changes
  readonly #reader: Reader
  #isPaused: boolean

  /** Throws UnusableDatabaseError. */
  constructor(options: BusOptions) {
    const { path, clock, random } = options
    this.#clock = clock
    const db = openDatabase(path)
    this.#db = db
    this.meta = new Meta(db)
    this.keys = new Keys(db, random)
    this.#isPaused = this.meta.get('paused') === 'true'
    this.#nonces = new Nonces(db, clock.now())
    this.#rates = new Rates(db)
    this.#keyValues = new KeyValueStore(db)
    this.#idempotency = new Idempotency(db)
    this.#deadlines = new Deadlines(clock, () => void this.#commits.poke())
    const lanes = new Lanes(db)
    const tallies = new Tallies(db)
    const last = db.prepare('SELECT max(n) FROM intents').pluck().get() as number | null
    const ids = new IdSource(last ?? 0, random)
    const store: Store = { db, random, ids, lanes, tallies, deadlines: this.#deadlines, idempotency: this.#idempotency }
    const requeueing = new Requeueing(store)
    const sweep = new Sweep(store, requeueing)
    this.#publishing = new Publishing(store)
    this.#claiming = new Claiming(store, sweep, options.claimTimeout)
    this.#settling = new Settling(store, requeueing)
    this.#managing = new Managing(requeueing)
    this.#reading = new Reading(db)
    this.#commits = new Commits(db, clock, {
      begin: (now) => sweep.run(now),
      ride: (now, mustWrite) => {
        tallies.write()
        this.#nonces.ride(now)
        this.#rates.ride()
        this.keys.ride(now, mustWrite)
      },
      committed: (rode) => {
        sweep.committed()
        if (!rode) return
        tallies.committed()
        this.#nonces.committed()
        this.#rates.committed()
        this.keys.committed()
      },
      rolledBack: (error) => {
        lanes.forget()
        tallies.rolledBack()
        this.#nonces.rolledBack()
        this.#rates.rolledBack()
        sweep.rolledBack()
        options.onRollback?.(error)
      }
    })
    this.#retention = new Retention(store, this.#commits, sweep, {
      nonces: this.#nonces,
      rates: this.#rates,
      keyValues: this.#keyValues
    })
    this.#cleanup = new Cleanup(this.#retention, clock, options.cleanupInterval, (error) => {
      if (db.open) options.onCleanupError?.(error)
    })
    this.#changes = new Changes(this.#commits, this.#nonces, clock)
    this.#reader = new Reader(options.readerEntry, path)
    // What ended while the bus was down is swept at once.
    void this.#commits.poke()
  }

  /** Counts a request of a known key against its rate (SPEC 15). Throws 429 `rate_limited`; the main key is exempt. */
  admit(key: Key): void {
    const now = this.#clock.now()
    if (!key.isMain) this.#rates.admit(key.id, now)
    this.keys.noteUse(key, now)
    this.#changes.rideSoon()
  }

  /** Spends the nonce of a request whose signature was verified; false when it was spent before (SPEC 5.2). */
  reserveNonce(key: Key, nonce: string): boolean {
    return this.#nonces.reserve(key.id, nonce, this.#clock.now())
  }

  /** Settles the nonce of a request that changed nothing: it is written with the next transaction, or soon. */
  spendNonce(caller: Caller): void {
    this.#changes.spendNonce(caller)
  }

  /** POST /intent. `body` is the JSON text that `request` was read from; it decides what an Idempotency-Key means. */
  publish(
    caller: Caller,
    request: requests.PublishRequest,
    idempotencyKey: string | null,
    body: string
  ): Promise<Published> {
    return this.#change(caller, (now) => {
      const mark = idempotencyKey === null ? null : markRequest(caller.key.id, 'intent', idempotencyKey, body)
      return this.#publishing.publish(caller.key, request, mark, now)
    })
  }

  /** POST /claim: null when there is nothing for this worker. Throws 403 for somebody else's `publisher`. */
  async claim(caller: Caller, request: requests.ClaimRequest): Promise<Claimed | null> {
    try {
      for (;;) {
        const claimed = await this.#change(caller, (now) => {
          const publisherId = this.#publisherId(caller.key, request.publisher)
          if (this.#isPaused || publisherId === NOBODY) return null
          return this.#claiming.claim(caller, request, publisherId, now)
        })
        if (claimed !== NOT_YET) return claimed
      }
    } catch (error) {
      // To a worker a busy database is the same as nothing to do: it comes back.
      if (error instanceof ProtocolError && error.code === 'database_busy') return null
      throw error
    }
  }

  /** POST /extend_claim. Throws 404 when the lease is not the caller's (any more). */
  extend(caller: Caller, id: string, request: requests.ExtendRequest): Promise<void> {
    return this.#change(caller, (now) => this.#settling.extend(caller, id, request, now))
  }

  /** POST /fulfill. Throws 404 when the lease is not the caller's (any more). */
  fulfill(caller: Caller, id: string, request: requests.FulfillRequest): Promise<void> {
    return this.#change(caller, (now) => this.#settling.fulfill(caller, id, request, now))
  }

  /** POST /fail. Throws 404 when the lease is not the caller's (any more). */
  fail(caller: Caller, id: string, request: requests.FailRequest): Promise<void> {
    return this.#change(caller, (now) => this.#settling.fail(caller, id, request, now))
  }

  /** GET /status and /result; `null` reads for an operator. Throws 404, and 403 for a stranger. */
  async status(caller: Caller | null, id: string): Promise<IntentStatus> {
    await this.#catchUp(id)
    return this.#reading.status(caller?.key ?? null, id)
  }

  /** POST /set. Throws 429 `limit_exceeded`, and 422 for a reused Idempotency-Key. */
  set(caller: Caller, name: string, request: requests.SetRequest, idempotencyKey: string | null, body: string): Promise<void> {
    const keyId = caller.key.id
    return this.#change(caller, (now) => {
      const mark = idempotencyKey === null ? null : markRequest(keyId, `set ${name}`, idempotencyKey, body)
      if (mark !== null && this.#idempotency.recall(mark, now) !== undefined) return
      this.#keyValues.set(keyId, name, request, now)
      if (mark !== null) this.#idempotency.remember(mark, '', now)
    })
  }

  /** GET /get: JSON text. Throws 404. */
  get(caller: Caller, name: string): string {
    const value = this.#keyValues.get(caller.key.id, name, this.#clock.now())
    if (value === undefined) throw new ProtocolError('not_found', 'Key not found, or its time is over.')
    return value
  }

  /** Everything about an intent, its history included. Throws 404. */
  async detail(id: string): Promise<IntentDetail> {
    await this.#catchUp(id)
    return this.#reading.detail(id)
  }

  /** Forces an intent to dead, from any state (SPEC 8.5). Throws 404. */
  cancel(id: string): Promise<void> {
    return this.#commits.run((now) => this.#managing.cancel(id, now))
  }

  /** Opens an intent again as good as new, from any state (SPEC 8.5). Throws 404. */
  retry(id: string): Promise<void> {
    return this.#commits.run((now) => this.#managing.retry(id, now))
  }

  /** Makes a key (SPEC 8.2); the answer is the only place where it can be read. */
  async createKey(owner: string): Promise<NewKey> {
    const created = await this.#commits.run((now) => this.keys.create(owner, now))
    this.keys.activate(created)
    return created
  }

  /** Revokes a key, given as itself or by its id, with its rate, Idempotency-Keys and nonces (SPEC 8.2). Throws 404. */
  async revokeKey(keyOrId: string): Promise<void> {
    const id = await this.#commits.run((now) => {
      const revoked = this.keys.revoke(keyOrId, now)
      this.#rates.deleteOfKey(revoked)
      this.#idempotency.deleteOfKey(revoked)
      this.#nonces.deleteOfKey(revoked)
      return revoked
    })
    this.keys.deactivate(id)
  }

  /** Deletes the intents of a namespace, or all of them for null (SPEC 8.3). Resolves when the last one is gone. */
  purge(namespace: string | null): Promise<void> {
    return this.#retention.purge(namespace)
  }

  /** Runs a pass of cleanup, or joins the one that is under way. */
  cleanup(): Promise<CleanupStats> {
    return this.#cleanup.run()
  }

  /** How much the group commit gathers: transactions and the operations in them, since the start. */
  get commitCounts(): CommitCounts {
    return this.#commits.counts
  }

  /** Operators' questions, answered by the reading thread. */
  get reader(): Reader {
    return this.#reader
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Paused, no claim gets anything; publishing and live leases go on. Survives a restart. */
  async setPaused(paused: boolean): Promise<void> {
    await this.#commits.run(() => this.meta.set('paused', String(paused)))
    this.#isPaused = paused
  }

  /** Writes what still waits and closes the database. */
  async close(): Promise<void> {
    this.#deadlines.close()
    this.#changes.close()
    this.#commits.close()
    this.#db.close()
    await this.#reader.close()
  }

  async #change<T>(caller: Caller, operation: Operation<T>): Promise<T> {
    const value = await this.#changes.run(caller, operation)
    this.#cleanup.runWhenDue()
    return value
  }

  /** The id of the publisher asked for, null for anybody's. Throws 403 unless it is the caller's or the caller is main. */
  #publisherId(key: Key, publisher: string | null): string | null | typeof NOBODY {
    if (publisher === null) return null
    const id = this.keys.resolveId(publisher)
    if (!key.isMain && id !== key.id) {
      throw new ProtocolError('forbidden', 'Only the main key may claim the intents of another publisher.')
    }
    if (id !== undefined) return id
    // A key that was revoked is unknown, but what it published is still there under its id.
    return isKeyId(publisher) ? publisher : NOBODY
  }

  /** Status must be true within a second even when nothing else moves the bus. */
  async #catchUp(id: string): Promise<void> {
    // One transaction sweeps only so much; a bus that cannot sweep at all still answers.
    for (let i = 0; i < MAX_CATCH_UPS && this.#reading.isOverdue(id, this.#clock.now()); i++) await this.#commits.poke()
  }
}
