import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Counts } from '../../shared/control/intent-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { SIGNATURE_WINDOW } from '../../shared/limits.ts'
import type * as requests from '../../shared/requests.ts'
import { NO_LIMITS, type KeyLimits } from '../../shared/scope.ts'
import type { AccessListener } from './access-events.ts'
import type { Audit } from './audit.ts'
import type { Caller } from './caller.ts'
import type { ClientEvents } from './client-events.ts'
import type { Clock } from './clock.ts'
import type { ChangesListener, DeletedListener } from './events.ts'
import { HeldRequests } from './held-requests.ts'
import { markRequest } from './idempotency.ts'
import type { Claimed } from './intents/claimed.ts'
import type { IntentDetail, IntentStatus } from './intents/intent.ts'
import type { Published } from './intents/publish.ts'
import type { CleanupStats, RetentionRules } from './intents/retention.ts'
import { expiredKey, KeyChanges, type NoteOfKey } from './key-changes.ts'
import { MAIN_KEY_ID, type Key, type Keys, type NewKey } from './keys.ts'
import type { Meta } from './meta.ts'
import { openParts, type BusOptions, type Parts } from './parts.ts'
import type { Reader } from './reading/reader.ts'
import type { SavedViews } from './saved-views.ts'
import { isExpired } from './scopes.ts'
import type { Sessions } from './sessions.ts'
import type { Wait } from './settled-waits.ts'
import { storageFacts, type StorageFacts } from './storage-facts.ts'
import { asRefusal, type CommitCounts, type Operation } from './store/commits.ts'
import type { Templates } from './templates.ts'
import { Importing } from './transfer/importing.ts'

export type { BusOptions } from './parts.ts'
export type { Wait } from './settled-waits.ts'

/** Transactions that a question for one intent may wait for. */
const MAX_CATCH_UPS = 50

const SECONDS_PER_HOUR = 3_600

/**
 * The bus: intents, leases, keys and time, without HTTP. Every promise of a change resolves once the change is on disk;
 * every refusal is a ProtocolError.
 */
export class Bus {
  readonly keys: Keys
  readonly meta: Meta
  /** Operators' browsers, and what operators keep. */
  readonly sessions: Sessions
  readonly templates: Templates
  readonly savedViews: SavedViews
  /** What happened to access. */
  readonly audit: Audit
  /** What keys hear of their intents. */
  readonly clientEvents: ClientEvents
  /** Operators' questions, answered by the reading thread. */
  readonly reader: Reader
  /** Takes in what comes from other buses. */
  readonly importing: Importing
  readonly #clock: Clock
  readonly #parts: Parts
  readonly #keyChanges: KeyChanges
  readonly #signedAfter: number
  readonly #held: HeldRequests

  /** Throws UnusableDatabaseError. */
  constructor(options: BusOptions) {
    this.#clock = options.clock
    // What was held across a gap is answered: who waited may be long gone, and who is there asks again.
    this.#parts = openParts(options, () => this.endWaits())
    const { keys, meta, sessions, templates, savedViews, audit, clientEvents, reader, commits } = this.#parts
    this.keys = keys
    this.meta = meta
    this.sessions = sessions
    this.templates = templates
    this.savedViews = savedViews
    this.audit = audit
    this.clientEvents = clientEvents
    this.reader = reader
    this.#signedAfter = Number(meta.get('signed_after') ?? -Infinity)
    this.#parts.counter.isClosed = meta.get('paused') === 'true'
    this.#held = new HeldRequests(this.#parts, options.clock, (caller, operation) => this.#change(caller, operation))
    this.#keyChanges = new KeyChanges(this.#parts, options.clock, () => this.#held.letNobodyStay())
    const parts = { store: this.#parts.store, keys, clock: options.clock }
    this.importing = new Importing(commits, reader, parts, (adopted) => this.#keyChanges.adopt(adopted))
    // What ended while the bus was down is swept at once.
    void commits.poke()
  }

  /**
   * Counts a request of a known key, from an address, against its rate (SPEC 15). Throws 401 when it has expired, and 429
   * `rate_limited`; the main key is exempt from both.
   */
  admit(key: Key, address: string): void {
    const now = this.#clock.now()
    if (!key.isMain) {
      if (isExpired(key.limits, now)) throw expiredKey()
      this.#parts.rates.admit(key.id, now, key.limits.rateLimit ?? undefined)
    }
    this.keys.noteUse(key, address, now)
    this.#parts.rideTimer.soon()
  }

  /** Spends the nonce of a request whose signature was verified; false when it was spent before (SPEC 5.2). */
  reserveNonce(key: Key, nonce: string): boolean {
    return this.#parts.nonces.reserve(key.id, nonce, this.#clock.now())
  }

  /**
   * Whether a request signed at `timestamp` (Unix seconds) may have been carried out without this bus knowing: its nonces were lost
   * with a database that could not be read. What is older than the window of SPEC 5.2 is refused as stale anyway.
   */
  mayHaveForgotten(timestamp: number): boolean {
    return timestamp <= this.#signedAfter && Math.abs(this.#clock.now() - this.#signedAfter) <= SIGNATURE_WINDOW
  }

  /** Settles the nonce of a request that changed nothing: it is written with the next transaction, or soon. */
  spendNonce(caller: Caller): void {
    this.#parts.changes.spendNonce(caller)
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
      return this.#parts.publishing.publish(caller.key, request, mark, now)
    })
  }

  /**
   * POST /claim: null when there is nothing for this worker. With `wait` it is held until there is, unless its key has too
   * many held already. Throws 403 for somebody else's `publisher`.
   */
  claim(caller: Caller, request: requests.ClaimRequest, wait?: Wait): Promise<Claimed | null> {
    return this.#held.claim(caller, request, wait)
  }

  /**
   * Takes back a claim whose answer could not be delivered: the intent is open as it was before, with all its attempts.
   * Does nothing when the lease has moved on.
   */
  takeBack(claimed: Claimed): Promise<void> {
    return this.#parts.commits.run((now) => this.#parts.settling.takeBack(claimed.id, claimed.claim_token, now))
  }

  /**
   * Ends all waits now, and what follows events: who waited is told that there is nothing yet. `forGood`: nobody is held
   * from now on.
   */
  endWaits(forGood = false): void {
    this.#held.end(forGood)
    this.clientEvents.end()
  }

  /** POST /extend_claim. Throws 404 when the lease is not the caller's (any more). */
  extend(caller: Caller, id: string, request: requests.ExtendRequest): Promise<void> {
    return this.#change(caller, (now) => this.#parts.settling.extend(caller, id, request, now))
  }

  /** POST /fulfill. Throws 404 when the lease is not the caller's (any more). */
  fulfill(caller: Caller, id: string, request: requests.FulfillRequest): Promise<void> {
    return this.#change(caller, (now) => this.#parts.settling.fulfill(caller, id, request, now))
  }

  /** POST /fail. Throws 404 when the lease is not the caller's (any more). */
  fail(caller: Caller, id: string, request: requests.FailRequest): Promise<void> {
    return this.#change(caller, (now) => this.#parts.settling.fail(caller, id, request, now))
  }

  /** GET /status and /result; `null` reads for an operator. Throws 404, and 403 for a stranger. */
  async status(caller: Caller | null, id: string): Promise<IntentStatus> {
    await this.#catchUp(id)
    return this.#read(() => this.#parts.reading.status(caller?.key ?? null, id))
  }

  /**
   * GET /result with `wait`: held until the intent is settled or gone, unless its key has too many requests held already;
   * `null` asks for an operator. Throws 404, and 403 for a stranger.
   */
  settled(caller: Caller | null, id: string, wait: Wait): Promise<IntentStatus> {
    return this.#held.settled(caller?.key.id ?? MAIN_KEY_ID, id, wait, () => this.status(caller, id))
  }

  /** POST /set. Throws 429 `limit_exceeded`, and 422 for a reused Idempotency-Key. */
  set(caller: Caller, name: string, request: requests.SetRequest, idempotencyKey: string | null, body: string): Promise<void> {
    const keyId = caller.key.id
    return this.#change(caller, (now) => {
      const mark = idempotencyKey === null ? null : markRequest(keyId, `set ${name}`, idempotencyKey, body)
      if (mark !== null && this.#parts.idempotency.recall(mark, now) !== undefined) return
      this.#parts.keyValues.set(keyId, name, request, now)
      if (mark !== null) this.#parts.idempotency.remember(mark, '', now)
    })
  }

  /** GET /get: JSON text. Throws 404. */
  get(caller: Caller, name: string): string {
    const value = this.#read(() => this.#parts.keyValues.get(caller.key.id, name, this.#clock.now()))
    if (value === undefined) throw new ProtocolError('not_found', 'Key not found, or its time is over.')
    return value
  }

  /** Everything about an intent, its history included. Throws 404. */
  async detail(id: string): Promise<IntentDetail> {
    await this.#catchUp(id)
    return this.#read(() => this.#parts.reading.detail(id))
  }

  /** Forces an intent to dead, from any state (SPEC 8.5). Throws 404. */
  cancel(id: string): Promise<void> {
    return this.#parts.commits.run((now) => this.#parts.managing.cancel(id, now))
  }

  /** Opens an intent again as good as new, from any state (SPEC 8.5). Throws 404. */
  retry(id: string): Promise<void> {
    return this.#parts.commits.run((now) => this.#parts.managing.retry(id, now))
  }

  /** Cancels those of many intents that are there and neither dead nor expired; resolves with how many it were. */
  cancelMany(ids: readonly string[]): Promise<number> {
    return this.#parts.bulk.cancel(ids)
  }

  /** Retries those of many intents that are there and neither open nor claimed; resolves with how many it were. */
  retryMany(ids: readonly string[]): Promise<number> {
    return this.#parts.bulk.retry(ids)
  }

  /**
   * Makes a key (SPEC 8.2); the answer is the only place where it can be read. Throws 400 `invalid_scope` for limits that
   * contradict each other. `noteOf`: what the audit trail says of it, from the same transaction on.
   */
  createKey(owner: string, limits: KeyLimits = NO_LIMITS, noteOf?: NoteOfKey): Promise<NewKey> {
    return this.#keyChanges.create(owner, limits, noteOf)
  }

  /** Gives a key another owner. Throws 404, and 400 for the main key. */
  renameKey(id: string, owner: string): Promise<void> {
    return this.#keyChanges.rename(id, owner)
  }

  /**
   * Gives a key other limits: they count from the next request on, and what is held for it ends at once. Throws 404, and
   * 400 for the main key or `invalid_scope`.
   */
  limitKey(id: string, limits: KeyLimits): Promise<void> {
    return this.#keyChanges.limit(id, limits)
  }

  /**
   * Revokes a key, given as itself or by its id, with its rate, Idempotency-Keys and nonces (SPEC 8.2). Resolves with its
   * id. Throws 404.
   */
  revokeKey(keyOrId: string): Promise<string> {
    return this.#keyChanges.revoke(keyOrId)
  }

  /** Whether a key that was let in before is still there and has not expired; as it is now, undefined when it is not. */
  liveKey(id: string): Key | undefined {
    const key = this.keys.byId(id)
    return key === undefined || isExpired(key.limits, this.#clock.now()) ? undefined : key
  }

  /** Hears that keys or sessions are others than before, until the answer is called. */
  onAccess(listener: AccessListener): () => void {
    return this.#parts.access.listen(listener)
  }

  /** Deletes the intents of a namespace, or all of them for null (SPEC 8.3). Resolves when the last one is gone. */
  async purge(namespace: string | null): Promise<void> {
    await this.#parts.retention.purge(namespace)
    void this.#parts.cleanup.trim()
  }

  /** What cleanup keeps of finished intents, from its next pass on. A bound of the database counts at once. */
  setRetention(rules: RetentionRules): void {
    const { retention, cleanup } = this.#parts
    retention.keep(rules)
    if (retention.isTooLarge || cleanup.isOverfull) void cleanup.trim()
  }

  /** Hours that an open intent may wait from its first `run_at` on; for those that are published or retried from now on. */
  setIntentLifetime(hours: number): void {
    this.#parts.terms.intentLifetime = hours * SECONDS_PER_HOUR
  }

  /** How large the database is, what cleanup does about it, and whether the disk takes what is written. */
  get storage(): StorageFacts {
    return storageFacts(this.#parts)
  }

  /** Hears that the disk takes nothing or takes something again, and that the database is overfull or no more, until the answer is called. */
  onStorage(listener: () => void): () => void {
    const { storageListeners } = this.#parts
    storageListeners.add(listener)
    return () => storageListeners.delete(listener)
  }

  /** Forgets a worker; when it claims again it is a new one. Throws 404. */
  forgetWorker(ref: string): Promise<void> {
    return this.#parts.commits.run(() => this.#parts.workers.forget(ref))
  }

  /** All intents by status, as committed. */
  get counts(): Counts {
    return this.#parts.tallies.counts
  }

  /** Tells an operator what happened to intents, once for every commit with all its changes, until the answer is called. */
  onChanges(listener: ChangesListener): () => void {
    const stop = this.#parts.events.watch(listener)
    // Who begins to watch finds what was only in memory on disk.
    this.#parts.rideTimer.now()
    return stop
  }

  /**
   * Resolves when what is kept in memory for a moment is on disk, for those who read there: uses of keys, sightings of
   * workers, statistics.
   */
  notesWritten(): Promise<void> {
    return this.#parts.rideTimer.settled()
  }

  /** Hears how many intents a commit deleted, by cleanup or a purge, until the answer is called. */
  onDeleted(listener: DeletedListener): () => void {
    return this.#parts.events.onDeleted(listener)
  }

  /** Runs a pass of cleanup, or joins the one that is under way. */
  cleanup(): Promise<CleanupStats> {
    return this.#parts.cleanup.run()
  }

  /** The database is damaged: from now on nothing is written any more, and nobody is held. */
  stopWriting(): void {
    this.#parts.commits.stop()
    this.endWaits(true)
  }

  /** How much the group commit gathers: transactions and the operations in them, since the start. */
  get commitCounts(): CommitCounts {
    return this.#parts.commits.counts
  }

  get isPaused(): boolean {
    return this.#parts.counter.isClosed
  }

  /** Paused, no claim gets anything; publishing and live leases go on. Survives a restart. */
  async setPaused(paused: boolean): Promise<void> {
    await this.#parts.commits.run(() => this.meta.set('paused', String(paused)))
    this.#parts.counter.isClosed = paused
    if (!paused) this.#parts.parking.tryAll()
  }

  /** Writes what still waits and closes the database. */
  async close(): Promise<void> {
    const { deadlines, rideTimer, commits, db, stopListening, writeHealth } = this.#parts
    stopListening()
    this.endWaits(true)
    this.#keyChanges.close()
    this.clientEvents.close()
    // Held results look once more before they answer.
    await nextTurn()
    deadlines.close()
    commits.close()
    rideTimer.close()
    writeHealth.close()
    // The last connection to close clears the log away; a reader cannot.
    await this.reader.close()
    db.close()
  }

  async #change<T>(caller: Caller, operation: Operation<T>): Promise<T> {
    const value = await this.#parts.changes.run(caller, operation)
    this.#parts.cleanup.runWhenDue()
    return value
  }

  /** Reads outside of a transaction. Damage that shows is told as if a change had met it. */
  #read<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof ProtocolError) throw error
      this.#parts.onReadError(error)
      throw asRefusal(error)
    }
  }

  #isOverdue(id: string): boolean {
    return this.#read(() => this.#parts.reading.isOverdue(id, this.#clock.now()))
  }

  /** Status must be true within a second even when nothing else moves the bus. */
  async #catchUp(id: string): Promise<void> {
    // One transaction sweeps only so much; a bus that cannot sweep at all still answers.
    for (let i = 0; i < MAX_CATCH_UPS && this.#isOverdue(id); i++) await this.#parts.commits.poke()
  }
}
