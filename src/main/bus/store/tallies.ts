import { STATUS_NAMES, type Counts } from '../../../shared/control/intent-views.ts'
import type { Connection, Statement } from './database.ts'
import type { Participant } from './participant.ts'

/** Tallies are kept in memory up to here; all of them can be had from the table again. */
const MAX_CACHED = 50_000

/** A transaction that changes no more tallies than this writes them straight. */
const FEW = 2
/** When the log has so many rows, or tallies have changed since the base was written, it is time to write it again. */
const MAX_LOGGED = 32
const MAX_UNWRITTEN = 1_000

/**
 * How many intents there are by namespace, goal, publisher and status: kept up with every change, never counted. Where
 * transactions change many tallies, each only adds one row with its changes to a log; now and then the base takes them in.
 */
export class Tallies implements Participant {
  /** By namespace, publisher and goal. */
  readonly #tallies = new Map<string, Tally>()
  readonly #active = new Map<string, number>()
  readonly #totals = noCounts()
  /** Tallies with changes that are in the log. */
  readonly #unwritten = new Set<Tally>()
  readonly #find: Statement
  readonly #upsert: Statement
  readonly #deleteEmpty: Statement
  readonly #log: Statement
  readonly #clearLog: Statement
  #changed: Tally[] = []
  #logged = 0
  #isWritingBase = false

  constructor(db: Connection) {
    this.#find = db.prepare('SELECT status, count FROM tally_base WHERE namespace = ? AND goal = ? AND publisher = ?').raw()
    this.#upsert = db.prepare(
      `INSERT INTO tally_base (namespace, goal, publisher, status, count) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = excluded.count`
    )
    this.#deleteEmpty = db.prepare(
      'DELETE FROM tally_base WHERE namespace = ? AND goal = ? AND publisher = ? AND status = ?'
    )
    this.#log = db.prepare('INSERT INTO tally_log (changes) VALUES (?)')
    this.#clearLog = db.prepare('DELETE FROM tally_log')
    const rows = db.prepare('SELECT publisher, status, sum(count) FROM tallies GROUP BY publisher, status').raw().all()
    for (const [publisher, status, count] of rows as [string, number, number][]) {
      this.#totals[status]! += count
      if (isActive(status)) this.#addActive(publisher, count)
    }
    for (const line of db.prepare('SELECT changes FROM tally_log').pluck().all() as string[]) this.#readLog(line)
  }

  /** All intents by status, as committed. */
  get counts(): Counts {
    return Object.fromEntries(STATUS_NAMES.map((name, status) => [name, this.#totals[status]!])) as Counts
  }

  get isWaiting(): boolean {
    return this.#logged > 0
  }

  /**
   * Notes inside the running transaction that there are more intents, or with a negative change fewer; `status` as stored.
   * The answer stands for their namespace, goal and publisher.
   */
  add(namespace: string, goal: string, publisher: string, status: number, change: number): TallyName {
    const tally = this.#toChange(namespace, goal, publisher)
    tally.changes[status]! += change
    if (isActive(status)) this.#addActive(publisher, change)
    return tally
  }

  /** One intent went from one status to another. */
  move(namespace: string, goal: string, publisher: string, from: number, to: number): TallyName {
    const tally = this.#toChange(namespace, goal, publisher)
    tally.changes[from]!--
    tally.changes[to]!++
    if (isActive(from) !== isActive(to)) this.#addActive(publisher, isActive(to) ? 1 : -1)
    return tally
  }

  /** Open and claimed intents of one publisher, those of the running transaction included (SPEC 15's cap). */
  activeOf(publisher: string): number {
    return this.#active.get(publisher) ?? 0
  }

  /** Writes the changes of this transaction into it. */
  ride(_now: number, mustWrite: boolean): void {
    const isFew = this.#logged === 0 && this.#changed.length <= FEW
    const isFull = this.#logged >= MAX_LOGGED || this.#unwritten.size >= MAX_UNWRITTEN
    this.#isWritingBase = isFew || isFull || mustWrite
    if (this.#isWritingBase) this.#writeBase()
    else if (this.#changed.length > 0) this.#log.run(`[${this.#changed.map(logEntry).join()}]`)
  }

  committed(): void {
    for (const tally of this.#changed) {
      for (let status = 0; status < tally.changes.length; status++) {
        tally.counts[status]! += tally.changes[status]!
        this.#totals[status]! += tally.changes[status]!
      }
      this.#unwritten.add(tally)
    }
    if (this.#isWritingBase) {
      for (const { stored, counts } of this.#unwritten) counts.forEach((count, status) => (stored[status] = count))
      this.#unwritten.clear()
      this.#logged = 0
    } else if (this.#changed.length > 0) this.#logged++
    this.#endTransaction()
  }

  rolledBack(): void {
    for (const { publisher, changes } of this.#changed) {
      for (const [status, change] of changes.entries()) if (isActive(status)) this.#addActive(publisher, -change)
    }
    this.#endTransaction()
  }

  #writeBase(): void {
    for (const { namespace, goal, publisher, stored, counts, changes } of new Set([...this.#unwritten, ...this.#changed])) {
      for (let status = 0; status < stored.length; status++) {
        const count = counts[status]! + changes[status]!
        if (count === stored[status]) continue
        if (count === 0) this.#deleteEmpty.run(namespace, goal, publisher, status)
        else this.#upsert.run(namespace, goal, publisher, status, count)
      }
    }
    if (this.#logged > 0) this.#clearLog.run()
  }

  #endTransaction(): void {
    for (const tally of this.#changed) {
      tally.changes.fill(0)
      tally.isChanged = false
    }
    this.#changed = []
    if (this.#tallies.size > MAX_CACHED && this.#unwritten.size === 0) this.#tallies.clear()
  }

  /** Takes in a row of the log that the process before left behind. */
  #readLog(line: string): void {
    for (const [namespace, goal, publisher, changes] of JSON.parse(line) as [string, string, string, number[]][]) {
      const tally = this.#tally(namespace, goal, publisher)
      for (const [status, change] of changes.entries()) tally.counts[status]! += change
      this.#unwritten.add(tally)
    }
    this.#logged++
  }

  #toChange(namespace: string, goal: string, publisher: string): Tally {
    const tally = this.#tally(namespace, goal, publisher)
    if (!tally.isChanged) {
      tally.isChanged = true
      this.#changed.push(tally)
    }
    return tally
  }

  #tally(namespace: string, goal: string, publisher: string): Tally {
    // Only a goal can hold a newline, so it comes last.
    const key = `${namespace}\n${publisher}\n${goal}`
    const known = this.#tallies.get(key)
    if (known !== undefined) return known
    const stored = noCounts()
    for (const [status, count] of this.#find.all(namespace, goal, publisher) as [number, number][]) stored[status] = count
    const label = JSON.stringify([namespace, goal, publisher]).slice(0, -1)
    const tally = { namespace, goal, publisher, label, stored, counts: [...stored], changes: noCounts(), isChanged: false }
    this.#tallies.set(key, tally)
    return tally
  }

  #addActive(publisher: string, change: number): void {
    const count = (this.#active.get(publisher) ?? 0) + change
    if (count === 0) this.#active.delete(publisher)
    else this.#active.set(publisher, count)
  }
}

/** What a tally is of. */
export interface TallyName {
  readonly namespace: string
  readonly goal: string
  readonly publisher: string
}

/** The intents of one namespace, goal and publisher; the lists have a place for each status as stored. */
interface Tally extends TallyName {
  /** How its entries in the log begin. */
  readonly label: string
  /** In the base. */
  readonly stored: number[]
  /** As committed, with what is in the log. */
  readonly counts: number[]
  /** By the running transaction. */
  readonly changes: number[]
  isChanged: boolean
}

function logEntry({ label, changes }: Tally): string {
  return `${label},[${changes.join()}]]`
}

function noCounts(): number[] {
  return STATUS_NAMES.map(() => 0)
}

/** Open or claimed, as stored. */
function isActive(status: number): boolean {
  return status <= 1
}
