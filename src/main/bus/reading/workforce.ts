import type { WorkerAsk, WorkerView } from '../../../shared/control/worker-views.ts'
import type { Gap } from '../clock.ts'
import { readGaps, totalOf, withoutGaps } from '../gaps.ts'
import { formatId } from '../ids.ts'
import { MAIN_KEY_ID } from '../keys.ts'
import { permitsClaim } from '../scopes.ts'
import type { Connection, Statement } from '../store/database.ts'
import { workerRef, type StoredAsk, type WorkerRow } from '../worker-row.ts'
import { readBars, type Bar } from './keys.ts'
import { code } from './words.ts'

/** Seconds since it was last seen up to which a worker counts as online, and as late; after that it is gone. */
const ONLINE = 60
const LATE = 600
/** Leases that are looked at, those that end last first. */
const MAX_LEASES = 10_000
/** Gaps that are considered when it is told who is there. */
const RECENT_GAPS = 100

export const LEASES = `
  SELECT n, tail, goal, namespace, claim_expires_at, claimed_by, claim_address, worker
  FROM intents INDEXED BY intents_lease WHERE status = 1 AND claim_expires_at > +?
  ORDER BY claim_expires_at DESC LIMIT ${MAX_LEASES}`

const WORKERS = `
  SELECT workers.*, coalesce(keys.owner, '') AS owner FROM workers LEFT JOIN keys ON keys.id = workers.key_id
  ORDER BY last_seen_at DESC, ref`

/** What an intent asks of whoever claims it, and where it stands (SPEC 7.3). */
export interface Wanted {
  readonly namespace: string
  readonly goal: string
  /** The key whose workers may claim it; null for a public intent. */
  readonly privateTo: string | null
  /** null where any publisher's will do: a public intent of whom nothing is known. */
  readonly publisher: string | null
  readonly target: string | null
  readonly capability: string | null
}

/** A question that a worker asks now. */
export interface Asking {
  readonly worker: WorkerView
  readonly ask: WorkerAsk
}

/** The workers that were seen, with what they hold, as of one moment. */
export class Workforce {
  /** Last seen first. */
  readonly all: readonly WorkerView[]
  /** Questions of those that are there, by namespace and goal. */
  readonly #asking = new Map<string, Asking[]>()
  /** Questions of those that are there that their keys do not let them ask any more. */
  readonly barred: readonly Asking[]
  readonly #bars: ReadonlyMap<string, Bar>

  /** `bars`: what keeps keys from claiming, by their ids. */
  constructor(all: readonly WorkerView[], bars: ReadonlyMap<string, Bar>) {
    this.all = all
    this.#bars = bars
    const barred: Asking[] = []
    for (const worker of all.filter(({ presence }) => presence !== 'gone')) {
      for (const ask of currentAsks(worker)) {
        if (this.barOf(worker.key, ask.namespace, ask.goal) !== undefined) {
          barred.push({ worker, ask })
          continue
        }
        const name = askName(ask.namespace, ask.goal)
        const others = this.#asking.get(name)
        if (others === undefined) this.#asking.set(name, [{ worker, ask }])
        else others.push({ worker, ask })
      }
    }
    this.barred = barred
  }

  /** Why claims with a key cannot get such intents; undefined when they can. `goal`: null for a claim of any goal. */
  barOf(keyId: string, namespace: string, goal: string | null): 'revoked' | 'expired' | 'limited' | undefined {
    const bar = this.#bars.get(keyId)
    if (bar === undefined || typeof bar === 'string') return bar
    return permitsClaim(bar, namespace, goal) ? undefined : 'limited'
  }

  /** What workers that are there ask for this goal, any goal of its namespace included. */
  asking({ namespace, goal }: Pick<Wanted, 'namespace' | 'goal'>): readonly Asking[] {
    return [...(this.#asking.get(askName(namespace, goal)) ?? []), ...(this.#asking.get(askName(namespace, null)) ?? [])]
  }

  /** What workers that are there ask in this namespace. */
  askingIn(namespace: string): readonly Asking[] {
    return [...this.#asking.values()].flat().filter(({ ask }) => ask.namespace === namespace)
  }

  /** Whether somebody there asks for intents like this, target and capability aside. */
  isAskedFor(wanted: Wanted): boolean {
    return this.asking(wanted).some(({ worker, ask }) => mayClaim(worker, ask, wanted))
  }

  /** The questions of those who are there that intents like this would answer. */
  ableTo(wanted: Wanted): readonly Asking[] {
    return this.asking(wanted).filter(({ worker, ask }) => mayClaim(worker, ask, wanted) && isMeant(worker, wanted))
  }
}

/** Reads the workers as they are at `now` (Unix seconds). */
export function readWorkforce(db: Connection, now: number): Workforce {
  const held = heldBy(db.prepare(LEASES), now, totalOf(db))
  const rows = db.prepare(WORKERS).all() as StoredWorker[]
  const gaps = readGaps(db, now - LATE, RECENT_GAPS)
  return new Workforce(rows.map((row) => toView(row, held.get(row.ref) ?? [], gaps, now)), readBars(db, now))
}

/** What the worker asks for now: what it last asked long before it was last seen belongs to what it did then. */
function currentAsks({ asks, lastSeenAt }: WorkerView): readonly WorkerAsk[] {
  return asks.filter(({ lastAt }) => lastAt >= lastSeenAt - LATE)
}

/** Namespaces have no newlines, so that names never collide. */
function askName(namespace: string, goal: string | null): string {
  return goal === null ? namespace : `${namespace}\n${goal}`
}

/** Whether a worker that asks so may see the intent (SPEC 6.2); the bus lets only the main key ask for another's. */
export function mayClaim({ key }: WorkerView, { publisher }: WorkerAsk, wanted: Wanted): boolean {
  if (wanted.privateTo !== null) return (publisher ?? key) === wanted.privateTo
  return publisher === null || wanted.publisher === null || publisher === wanted.publisher
}

/** Whether target and capability are this worker's (SPEC 6.4, 6.5). */
export function isMeant({ worker, capabilities }: WorkerView, { target, capability }: Wanted): boolean {
  return (target === null || worker === target) && (capability === null || capabilities.includes(capability))
}

/** What sentences call a worker. */
export function workerName({ worker, address }: WorkerView): string {
  return worker === null ? `a worker at ${code(address)}` : code(worker)
}

/** What sentences call a key. */
export function keyName(id: string, owner: string | undefined): string {
  if (id === MAIN_KEY_ID) return 'the main key'
  return owner === undefined || owner === '' ? `the key ${code(id)}` : `the key of ${owner} (${code(id)})`
}

type Hold = WorkerView['holds'][number]

interface StoredLease {
  readonly n: number
  readonly tail: string
  readonly goal: string
  readonly namespace: string
  readonly claim_expires_at: number
  readonly claimed_by: string
  readonly claim_address: string
  readonly worker: string | null
}

interface StoredWorker extends WorkerRow {
  readonly owner: string
}

/** Live leases by the `ref` of the worker that holds them. `gone`: seconds of all gaps so far. */
function heldBy(leases: Statement, now: number, gone: number): Map<string, Hold[]> {
  const held = new Map<string, Hold[]>()
  for (const lease of leases.iterate(now - gone) as IterableIterator<StoredLease>) {
    const { n, tail, goal, namespace, claim_expires_at, claimed_by, claim_address, worker } = lease
    const ref = workerRef(claimed_by, worker, claim_address)
    const hold = { id: formatId(n, tail), goal, namespace, leaseEndsAt: claim_expires_at + gone }
    const others = held.get(ref)
    if (others === undefined) held.set(ref, [hold])
    else others.push(hold)
  }
  return held
}

function toView(row: StoredWorker, holds: readonly Hold[], gaps: readonly Gap[], now: number): WorkerView {
  const { ref, key_id, owner, worker, address, capabilities, first_seen_at, last_seen_at, asks, ...counts } = row
  // Nobody can ask a bus that sleeps.
  const unseen = withoutGaps(last_seen_at, now, gaps)
  return {
    ref,
    worker,
    key: key_id,
    keyOwner: key_id === MAIN_KEY_ID ? MAIN_KEY_ID : owner,
    address,
    capabilities: capabilities === '' ? [] : capabilities.split(','),
    presence: unseen <= ONLINE || holds.length > 0 ? 'online' : unseen <= LATE ? 'late' : 'gone',
    firstSeenAt: first_seen_at,
    lastSeenAt: last_seen_at,
    asks: (JSON.parse(asks) as StoredAsk[]).map(toAsk),
    holds,
    ...counts
  }
}

function toAsk([namespace, goal, publisher, lastAt]: StoredAsk): WorkerAsk {
  return { namespace, goal, publisher, lastAt }
}
