import type { CleanupView } from '../../shared/control/storage-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { INTENT_LIFETIME } from '../../shared/limits.ts'
import { AccessEvents } from './access-events.ts'
import { Audit } from './audit.ts'
import { Changes } from './changes.ts'
import { ClaimCounter } from './claim-counter.ts'
import { Cleanup } from './cleanup.ts'
import { ClientEvents } from './client-events.ts'
import { NO_GAPS, type Clock, type Gap, type GapSource } from './clock.ts'
import { Events } from './events.ts'
import { Gaps } from './gaps.ts'
import { Goals } from './goals.ts'
import { IdSource } from './ids.ts'
import { Idempotency } from './idempotency.ts'
import { Bulk } from './intents/bulk.ts'
import { Claiming } from './intents/claim.ts'
import { Managing } from './intents/manage.ts'
import { Publishing } from './intents/publish.ts'
import { Reading } from './intents/read.ts'
import { Requeueing } from './intents/requeue.ts'
import { Retention } from './intents/retention.ts'
import { Settling } from './intents/settle.ts'
import { Sweep } from './intents/sweep.ts'
import { KeyValueStore } from './key-value.ts'
import { Keys } from './keys.ts'
import { Meta } from './meta.ts'
import { Nonces } from './nonces.ts'
import { Parking } from './parking/parking.ts'
import { Rates } from './rates.ts'
import type { Random } from './random.ts'
import { Reader } from './reading/reader.ts'
import { SavedViews } from './saved-views.ts'
import { Sessions } from './sessions.ts'
import { SettledWaits } from './settled-waits.ts'
import { Statistics } from './statistics.ts'
import { Commits } from './store/commits.ts'
import { checkpoint, isDamage, openDatabase } from './store/database.ts'
import { Deadlines } from './store/deadlines.ts'
import { Lanes } from './store/lanes.ts'
import type { Participant } from './store/participant.ts'
import { RideTimer } from './store/ride-timer.ts'
import { Space } from './store/space.ts'
import type { Store } from './store/store.ts'
import { Tallies } from './store/tallies.ts'
import { WriteHealth } from './store/write-health.ts'
import { Templates } from './templates.ts'
import { Workers } from './workers.ts'

export interface BusOptions {
  /** The database file. */
  readonly path: string
  readonly clock: Clock
  /** Tells when nothing could run. Default: never. */
  readonly gapSource?: GapSource
  readonly random: Random
  /** The module of the reading thread. */
  readonly readerEntry: URL
  /** Length of a lease, in seconds. */
  readonly claimTimeout: number
  /** Least seconds between two passes of cleanup (SPEC 14). */
  readonly cleanupInterval: number
  /** Runs cleanup only when it is asked to. */
  readonly withoutCleanup?: boolean
  /** Hears what came of passes of cleanup. */
  readonly onCleanup?: (report: CleanupView) => void
  /** Hears of passes of cleanup that failed. */
  readonly onCleanupError?: (error: unknown) => void
  /** Hears of transactions that were rolled back: a busy database, a full disk, or a fault. */
  readonly onRollback?: (error: unknown) => void
  /** Hears of reads that failed because the database is damaged. */
  readonly onUnreadable?: (problem: string) => void
  /** Hears of gaps that are on disk. */
  readonly onGaps?: (gaps: readonly Gap[]) => void
}

export type Parts = ReturnType<typeof openParts>

/** All that a bus is made of, put together on a database; `onAwake` hears when it was asleep. Throws UnusableDatabaseError. */
export function openParts(options: BusOptions, onAwake: () => void) {
  const { path, clock, random, gapSource = NO_GAPS } = options
  const db = openDatabase(path)
  const keys = new Keys(db, random)
  const nonces = new Nonces(db, clock.now())
  const rates = new Rates(db)
  const keyValues = new KeyValueStore(db)
  const last = db.prepare('SELECT max(n) FROM intents').pluck().get() as number | null
  const gaps = new Gaps(db, gapSource, (found) => {
    options.onGaps?.(found)
    onAwake()
  })
  const awakeClock: Clock = { now: () => gaps.awake(clock.now()), after: (seconds, wake) => clock.after(seconds, wake) }
  const deadlines = new Deadlines(awakeClock, () => void commits.poke())
  const store: Store = {
    db,
    random,
    ids: new IdSource(last ?? 0, random),
    lanes: new Lanes(db),
    parking: new Parking(clock, () => void commits.poke()),
    tallies: new Tallies(db),
    deadlines,
    gaps,
    idempotency: new Idempotency(db),
    goals: new Goals(db),
    workers: new Workers(db),
    statistics: new Statistics(db),
    events: new Events(),
    terms: { intentLifetime: INTENT_LIFETIME }
  }
  const { events, goals, lanes, parking, statistics, tallies, workers } = store
  const requeueing = new Requeueing(store)
  const sweep = new Sweep(store, requeueing)
  // Events come last: who hears them finds everything else as it is after the commit.
  const participants: Participant[] = [gaps, lanes, tallies, nonces, rates, keys, sweep, goals, workers, statistics, events]
  const claiming = new Claiming(store, sweep, options.claimTimeout)
  const counter = new ClaimCounter(claiming, workers)
  const commits = new Commits(db, clock, {
    begin: (now) => {
      gaps.look(now)
      sweep.run(now)
    },
    conclude: (now) => parking.serve(counter, now),
    ride: (now, mustWrite) => {
      for (const participant of participants) participant.ride?.(now, mustWrite)
    },
    committed: (rode) => {
      if (rode) for (const participant of participants) participant.committed?.()
      // Claims park in transactions that write nothing, too.
      parking.committed()
      if (participants.some(({ isWaiting }) => isWaiting)) rideTimer.soon()
    },
    rolledBack: (error) => {
      for (const participant of participants) participant.rolledBack?.()
      parking.rolledBack()
      writeHealth.failed(error)
      options.onRollback?.(error)
    }
  })
  const meta = new Meta(db)
  const probe = (): Promise<void> => {
    checkpoint(db)
    return commits.run((now) => meta.set('write_probe', String(now)))
  }
  const onReadError = (error: unknown): void => {
    if (isDamage(error)) options.onUnreadable?.((error as Error).message)
  }
  const storageListeners = new Set<() => void>()
  const tellStorage = (): void => storageListeners.forEach((listener) => listener())
  const writeHealth = new WriteHealth(clock, probe, tellStorage)
  const stopListening = gapSource.listen(() => void commits.poke())
  const rideTimer = new RideTimer(commits, clock, () => events.isWatched)
  const access = new AccessEvents()
  const sessions = new Sessions(db, commits, rideTimer, clock, random, () => access.tell('sessions'))
  const audit = new Audit(db, rideTimer, clock)
  participants.unshift(sessions, audit)
  const managing = new Managing(store, requeueing)
  const space = new Space(db)
  const retention = new Retention(store, commits, sweep, { nonces, rates, keyValues, sessions, audit, space })
  const cleanup = new Cleanup(retention, {
    clock,
    interval: options.withoutCleanup ? Infinity : options.cleanupInterval,
    onReport: (report) => options.onCleanup?.(report),
    onOverfull: tellStorage,
    onError: (error) => {
      const isEnd = error instanceof ProtocolError && error.code === 'shutting_down'
      if (db.open && !isEnd) options.onCleanupError?.(error)
    }
  })
  return {
    db,
    store,
    meta,
    keys,
    access,
    audit,
    nonces,
    rates,
    keyValues,
    idempotency: store.idempotency,
    tallies,
    terms: store.terms,
    workers,
    events,
    deadlines,
    gaps,
    stopListening,
    commits,
    rideTimer,
    publishing: new Publishing(store),
    claiming,
    counter,
    parking,
    clientEvents: new ClientEvents(events, clock, random),
    settledWaits: new SettledWaits(clock, events),
    settling: new Settling(store, requeueing),
    managing,
    bulk: new Bulk(commits, managing),
    reading: new Reading(db, gaps),
    retention,
    cleanup,
    space,
    onReadError,
    storageListeners,
    writeHealth,
    changes: new Changes(commits, nonces, rideTimer),
    sessions,
    templates: new Templates(db, commits, random),
    savedViews: new SavedViews(db, commits, random),
    reader: new Reader(options.readerEntry, path, (problem) => options.onUnreadable?.(problem))
  } as const
}
