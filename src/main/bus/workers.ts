import { ProtocolError } from '../../shared/errors.ts'
import type { ClaimRequest } from '../../shared/requests.ts'
import type { Caller } from './caller.ts'
import { goalsAsked } from './intents/asked.ts'
import type { Connection, Statement } from './store/database.ts'
import { Pace } from './store/pace.ts'
import type { Participant } from './store/participant.ts'
import { workerRef, type StoredAsk, type WorkerRow } from './worker-row.ts'

const MAX_WORKERS = 5_000
/** So many go at once, the longest unseen, when there are too many. */
const ROOM = 250
/** Different questions of a worker that are remembered. */
const MAX_ASKS = 32
/** Seconds that a worker is remembered without being seen. */
const REMEMBERED = 30 * 86_400
/** So many wait to be written before they no longer wait for the second to be over. */
const MAX_UNWRITTEN = 1_000

/** What can come of a claim for its worker. */
export type WorkerCount = 'claimed' | 'fulfilled' | 'failed' | 'lost'

/** Who holds a lease, as its intent's row tells. */
export interface LeaseHolder {
  readonly claimed_by: string | null
  readonly claim_address: string | null
  readonly worker: string | null
}

/** A worker as its claims show it. Times are Unix seconds. */
export interface Worker {
  readonly ref: string
  readonly keyId: string
  /** `X-Worker-ID`. */
  readonly worker: string | null
  readonly firstSeenAt: number
  address: string
  capabilities: readonly string[]
  lastSeenAt: number
  readonly asks: Ask[]
  readonly counts: Record<WorkerCount, number>
}

interface Ask {
  readonly namespace: string
  readonly goal: string | null
  /** The public id of the publisher asked for. */
  readonly publisher: string | null
  lastAt: number
}

/** The workers seen lately. They are in memory; the table follows, so that a restart forgets none. */
export class Workers implements Participant {
  readonly #pace = new Pace()
  readonly #byRef = new Map<string, Worker>()
  readonly #unwritten = new Set<Worker>()
  /** Workers whose rows wait to be deleted. */
  readonly #removed = new Set<string>()
  readonly #upsert: Statement
  readonly #delete: Statement
  #pending: (readonly [Worker, WorkerCount])[] = []

  constructor(db: Connection) {
    this.#upsert = db.prepare(
      `INSERT OR REPLACE INTO workers
         (ref, key_id, worker, address, capabilities, first_seen_at, last_seen_at, asks, claimed, fulfilled, failed, lost)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
    )
    this.#delete = db.prepare('DELETE FROM workers WHERE ref = ?')
    for (const row of db.prepare('SELECT * FROM workers').iterate() as Iterable<WorkerRow>) this.#byRef.set(row.ref, fromRow(row))
  }

  get isWaiting(): boolean {
    return this.#unwritten.size > 0 || this.#removed.size > 0
  }

  /**
   * A worker asks for something to do; `publisherId` is the id of the publisher it asks for, null for anybody's. It was
   * seen whatever comes of its claim, so this may be called inside a transaction that is rolled back.
   */
  see({ key, address }: Caller, request: ClaimRequest, publisherId: string | null, now: number): Worker {
    const { workerId, capabilities, namespace } = request
    const ref = workerRef(key.id, workerId, address)
    let worker = this.#byRef.get(ref)
    if (worker === undefined) {
      if (this.#byRef.size >= MAX_WORKERS) this.#makeRoom()
      const seen = { address, capabilities, firstSeenAt: now, lastSeenAt: now, asks: [] }
      worker = { ref, keyId: key.id, worker: workerId, ...seen, counts: { claimed: 0, fulfilled: 0, failed: 0, lost: 0 } }
      this.#byRef.set(ref, worker)
    }
    worker.lastSeenAt = now
    worker.address = address
    worker.capabilities = capabilities
    for (const goal of goalsAsked(request)) noteAsk(worker.asks, namespace, goal, publisherId, now)
    this.#unwritten.add(worker)
    return worker
  }

  /** Something came of a claim of this worker, inside a transaction. */
  count(worker: Worker, what: WorkerCount): void {
    this.#pending.push([worker, what])
  }

  /** The same for whoever holds a lease, unless that worker was forgotten. */
  countHolder({ claimed_by, claim_address, worker }: LeaseHolder, what: WorkerCount): void {
    const known = this.#byRef.get(workerRef(claimed_by!, worker, claim_address!))
    if (known !== undefined) this.count(known, what)
  }

  ride(now: number, mustWrite: boolean): void {
    if (!this.#pace.isDue(now, mustWrite || this.#unwritten.size >= MAX_UNWRITTEN)) return
    for (const ref of this.#removed) this.#delete.run(ref)
    for (const worker of this.#unwritten) this.#upsert.run(...toColumns(worker))
  }

  committed(): void {
    if (this.#pace.committed()) {
      this.#removed.clear()
      this.#unwritten.clear()
    }
    for (const [worker, what] of this.#pending) {
      worker.counts[what]++
      if (this.#byRef.get(worker.ref) === worker) this.#unwritten.add(worker)
    }
    if (this.#pending.length > 0) this.#pending = []
  }

  rolledBack(): void {
    this.#pending = []
  }

  /** Forgets a worker, inside a transaction; when it claims again it is a new one. Throws 404. */
  forget(ref: string): void {
    const worker = this.#byRef.get(ref)
    if (worker === undefined) throw new ProtocolError('not_found', 'There is no such worker any more.')
    this.#remove(worker)
    this.#delete.run(ref)
  }

  /** Forgets those that were not seen for long. */
  forgetUnseen(now: number): void {
    for (const worker of this.#byRef.values()) if (now - worker.lastSeenAt >= REMEMBERED) this.#remove(worker)
  }

  #makeRoom(): void {
    const byAge = [...this.#byRef.values()].sort((a, b) => a.lastSeenAt - b.lastSeenAt)
    for (const worker of byAge.slice(0, ROOM)) this.#remove(worker)
  }

  #remove(worker: Worker): void {
    this.#byRef.delete(worker.ref)
    this.#unwritten.delete(worker)
    this.#removed.add(worker.ref)
  }
}

/** Asks are only put in order when they are written; until then the oldest makes room by its time. */
function noteAsk(asks: Ask[], namespace: string, goal: string | null, publisher: string | null, now: number): void {
  let oldest = 0
  for (let i = 0; i < asks.length; i++) {
    const ask = asks[i]!
    if (ask.goal === goal && ask.namespace === namespace && ask.publisher === publisher) {
      ask.lastAt = now
      return
    }
    if (ask.lastAt < asks[oldest]!.lastAt) oldest = i
  }
  const ask = { namespace, goal, publisher, lastAt: now }
  if (asks.length < MAX_ASKS) asks.push(ask)
  else asks[oldest] = ask
}

function fromRow(row: WorkerRow): Worker {
  const { ref, key_id, worker, address, capabilities, first_seen_at, last_seen_at, claimed, fulfilled, failed, lost } = row
  const asks = JSON.parse(row.asks) as StoredAsk[]
  return {
    ref,
    keyId: key_id,
    worker,
    address,
    capabilities: capabilities === '' ? [] : capabilities.split(','),
    firstSeenAt: first_seen_at,
    lastSeenAt: last_seen_at,
    asks: asks.map(([namespace, goal, publisher, lastAt]) => ({ namespace, goal, publisher, lastAt })),
    counts: { claimed, fulfilled, failed, lost }
  }
}

function toColumns({ ref, keyId, worker, address, capabilities, firstSeenAt, lastSeenAt, asks, counts }: Worker): unknown[] {
  const newestFirst = asks.toSorted((a, b) => b.lastAt - a.lastAt)
  const stored: StoredAsk[] = newestFirst.map(({ namespace, goal, publisher, lastAt }) => [namespace, goal, publisher, lastAt])
  const { claimed, fulfilled, failed, lost } = counts
  return [
    ...[ref, keyId, worker, address, capabilities.join(','), firstSeenAt, lastSeenAt, JSON.stringify(stored)],
    ...[claimed, fulfilled, failed, lost]
  ]
}
