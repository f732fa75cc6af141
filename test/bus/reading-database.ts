import { join } from 'node:path'
import { IdSource } from '../../src/main/bus/ids.ts'
import { storedLimits } from '../../src/main/bus/key-limits.ts'
import { STATUS, type StatusName } from '../../src/main/bus/intents/intent.ts'
import { Queries } from '../../src/main/bus/reading/queries.ts'
import { Share, Turns } from '../../src/main/bus/reading/turns.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import { openDatabase, openForReading, type Connection } from '../../src/main/bus/store/database.ts'
import { Lanes } from '../../src/main/bus/store/lanes.ts'
import { formatId } from '../../src/main/bus/ids.ts'
import { historyLine, type StoredEvent } from '../../src/shared/history.ts'
import { INTENT_LIFETIME } from '../../src/shared/limits.ts'
import { NO_LIMITS, type KeyLimits } from '../../src/shared/scope.ts'
import { temporaryFolder } from '../support/folders.ts'

export const NOW = 1_790_000_000

/** An intent to put in; what is absent is as of an intent that was just published. Times are Unix seconds. */
export interface Sample {
  readonly namespace: string
  readonly goal: string
  readonly status: StatusName
  readonly payload: string
  readonly publisher: string
  readonly visibility: 'private' | 'public'
  readonly priority: number
  readonly createdAt: number
  readonly runAt: number
  readonly expiresAt: number
  readonly finishedAt: number | null
  readonly leaseEndsAt: number | null
  readonly claimedBy: string | null
  readonly address: string | null
  readonly worker: string | null
  readonly attempts: number
  readonly target: string | null
  readonly capability: string | null
  readonly error: string | null
  readonly result: string | null
  readonly history: readonly StoredEvent[]
}

export interface WorkerSample {
  readonly worker: string | null
  readonly key: string
  readonly address: string
  readonly capabilities: readonly string[]
  readonly lastSeenAt: number
  readonly asks: readonly (readonly [namespace: string, goal: string | null, publisher: string | null, lastAt: number])[]
}

const INSERT = `
  INSERT INTO intents (n, tail, status, priority, run_at, claim_attempts, created_at, expires_at,
    lane, wide_lane, public_lane, public_wide_lane, claim_expires_at, finished_at, max_attempts, backoff_base,
    claimed_by, claim_address, worker, namespace, goal, publisher, visibility, target_worker, required_capability,
    last_error, result_type, result, history, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 3, 5, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** A database that a test fills row by row, and operators' questions to it. */
export class ReadingDatabase implements Disposable {
  readonly path: string
  readonly db: Connection
  readonly queries: Queries
  readonly #folder = temporaryFolder()
  readonly #reading: Connection
  readonly #lanes: Lanes
  readonly #ids = new IdSource(0, systemRandom())
  readonly #turns = new Turns()

  constructor() {
    this.path = join(this.#folder.path, 'bus.db')
    this.db = openDatabase(this.path)
    this.#lanes = new Lanes(this.db)
    this.#reading = openForReading(this.path)
    this.queries = new Queries(this.#reading)
  }

  /** A share of the time for one question. */
  share(signal = new AbortController().signal): Share {
    return new Share(this.#turns, signal)
  }

  /** Puts an intent in, with its tallies; the answer is its id. */
  add(fields: Partial<Sample> = {}): string {
    const createdAt = fields.createdAt ?? NOW
    const { n, tail } = this.#ids.next(createdAt)
    const { namespace = 'default', goal = 'resize', status = 'open', publisher = 'main', visibility = 'private' } = fields
    const { target = null, capability = null, runAt = createdAt, result = null } = fields
    const lanes = this.#lanes.of({ namespace, goal, publisher, visibility, targetWorker: target, requiredCapability: capability })
    this.db.prepare(INSERT).run(
      ...[n, tail, STATUS[status], fields.priority ?? 100, runAt, fields.attempts ?? 0, createdAt],
      ...[fields.expiresAt ?? runAt + INTENT_LIFETIME, lanes.lane, lanes.wideLane, lanes.publicLane, lanes.publicWideLane],
      ...[fields.leaseEndsAt ?? (status === 'claimed' ? NOW + 60 : null)],
      ...[fields.finishedAt ?? (STATUS[status] >= STATUS.fulfilled ? createdAt + 1 : null)],
      ...[fields.claimedBy ?? (status === 'claimed' ? 'main' : null), fields.address ?? null, fields.worker ?? null],
      ...[namespace, goal, publisher, visibility, target, capability],
      ...[fields.error ?? (status === 'dead' ? 'no use' : null), result === null ? null : 'json', result],
      ...[(fields.history ?? []).map(historyLine).join(''), fields.payload ?? '{}']
    )
    this.db
      .prepare('INSERT INTO tally_base VALUES (?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1')
      .run(namespace, goal, publisher, STATUS[status])
    this.db.prepare('INSERT OR IGNORE INTO goals VALUES (?, ?, ?, NULL)').run(namespace, goal, createdAt)
    return formatId(n, tail)
  }

  /** Puts a worker in that asked for any goal of the namespace `default` just now, unless told otherwise. */
  addWorker(fields: Partial<WorkerSample> = {}): void {
    const { worker = 'pi4', key = 'main', address = '192.168.0.4', capabilities = [], lastSeenAt = NOW } = fields
    const asks = fields.asks ?? [['default', null, null, lastSeenAt]]
    const ref = worker === null ? `${key}/a/${address}` : `${key}/w/${worker}`
    this.db
      .prepare('INSERT INTO workers VALUES (?, ?, ?, ?, ?, ?, ?, ?, 4, 3, 2, 1)')
      .run(ref, key, worker, address, capabilities.join(','), lastSeenAt - 1_000, lastSeenAt, JSON.stringify(asks))
  }

  addKey(id: string, owner: string, isRevoked = false): void {
    this.db
      .prepare('INSERT INTO keys (id, owner, digest, created_at, revoked_at) VALUES (?, ?, ?, ?, ?)')
      .run(id, owner, `digest of ${id}`, NOW - 5_000, isRevoked ? NOW : null)
  }

  limitKey(id: string, limits: Partial<KeyLimits>): void {
    this.db
      .prepare('UPDATE keys SET scope = @scope, expires_at = @expires_at, rate_limit = @rate_limit WHERE id = @id')
      .run({ id, ...storedLimits({ ...NO_LIMITS, ...limits }) })
  }

  [Symbol.dispose](): void {
    this.#reading.close()
    this.db.close()
    this.#folder[Symbol.dispose]()
  }
}
