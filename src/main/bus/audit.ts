import type { AuditEvent } from '../../shared/control/network-views.ts'
import type { Clock } from './clock.ts'
import type { Connection, Statement } from './store/database.ts'
import type { Participant } from './store/participant.ts'
import type { RideTimer } from './store/ride-timer.ts'

/** Something about access that happened. Never a secret, in any member. */
export interface AuditNote {
  readonly event: AuditEvent
  /** `desktop`, `password`, `browser <name>`, `key <id>`, `headless`; empty for a stranger. */
  readonly actor: string
  /** Empty where it was this machine's own app. */
  readonly address: string
  /** What it was done to. */
  readonly subject?: string
  /** One more fact. */
  readonly detail?: string
}

/** What is kept of the trail: entries and seconds. */
export const MAX_ENTRIES = 10_000
export const MAX_AGE = 180 * 86_400
/** Of these a stranger can make as many as he likes: they must not push out the rest. */
const GATHERED: readonly AuditEvent[] = ['login.failed', 'pairing.wrong']
export const MAX_GATHERED_ENTRIES = 2_000

/** Seconds in which such attempts from one address are one entry. */
const GATHER_SECONDS = 60
/** Addresses with an entry of their own at a time; attempts from others share one. */
const MAX_ADDRESSES = 10
/** Seconds that an entry may wait for a transaction to ride with. */
const PATIENCE = 0.5
const MAX_TEXT = 200
/** Of what a restore cost: no stranger has a word in it. */
const MAX_RESTORE_TEXT = 2_000

/** Whom attempts are put down to when they come from more addresses than that. */
const OTHERS = 'other addresses'

interface Entry extends Required<AuditNote> {
  readonly at: number
  /** How many attempts are gathered in it; 0 for what is not gathered. */
  count: number
  /** Its row, once it has one. */
  n: number | undefined
}

/** The trail of who did what to access, and of who tried. Entries ride with the next transaction, which comes soon. */
export class Audit implements Participant {
  readonly #clock: Clock
  readonly #timer: RideTimer
  readonly #insert: Statement
  readonly #count: Statement
  readonly #deleteOld: Statement
  readonly #deleteGathered: Statement
  readonly #unwritten = new Set<Entry>()
  /** Those that the running transaction makes rows for. */
  #inserted: Entry[] = []
  /** Entries that still take attempts in, by event and address. */
  readonly #gathering = new Map<string, Entry>()

  constructor(db: Connection, timer: RideTimer, clock: Clock) {
    this.#clock = clock
    this.#timer = timer
    this.#insert = db.prepare('INSERT INTO audit (at, event, actor, address, subject, detail) VALUES (?, ?, ?, ?, ?, ?)')
    this.#count = db.prepare('UPDATE audit SET detail = ? WHERE n = ?')
    this.#deleteOld = db.prepare(
      `DELETE FROM audit WHERE n IN (SELECT n FROM audit ORDER BY n LIMIT @rows)
         AND (at <= @before OR n <= (SELECT n FROM audit ORDER BY n DESC LIMIT 1 OFFSET ${MAX_ENTRIES}))`
    )
    const gathered = `event IN (${GATHERED.map((event) => `'${event}'`).join(', ')})`
    this.#deleteGathered = db.prepare(
      `DELETE FROM audit WHERE n IN (SELECT n FROM audit WHERE ${gathered}
         AND n <= (SELECT n FROM audit WHERE ${gathered} ORDER BY n DESC LIMIT 1 OFFSET ${MAX_GATHERED_ENTRIES}) LIMIT @rows)`
    )
  }

  /**
   * Notes what happened. Failed logins and wrong codes are gathered: one entry for an address and minute, whose detail is
   * how many it were.
   */
  note(note: AuditNote): void {
    const now = this.#clock.now()
    const entry = GATHERED.includes(note.event) ? this.#gather(note, now) : toEntry(note, now)
    this.#unwritten.add(entry)
    this.#timer.within(PATIENCE)
  }

  /**
   * Writes what happens inside the transaction that does it, so that a crash keeps both or neither. Not for what is
   * gathered.
   */
  write(note: AuditNote, now: number): void {
    // What was noted before comes before it.
    this.ride()
    const { at, event, actor, address, subject, detail } = toEntry(note, now)
    this.#insert.run(at, event, actor, address, subject, detail)
  }

  get isWaiting(): boolean {
    return this.#unwritten.size > 0
  }

  ride(): void {
    for (const entry of this.#unwritten) {
      const { at, event, actor, address, subject, count, n } = entry
      const detail = count > 0 ? String(count) : entry.detail
      if (n !== undefined) {
        this.#count.run(detail, n)
        continue
      }
      entry.n = Number(this.#insert.run(at, event, actor, address, subject, detail).lastInsertRowid)
      this.#inserted.push(entry)
    }
  }

  committed(): void {
    this.#unwritten.clear()
    this.#inserted = []
  }

  rolledBack(): void {
    for (const entry of this.#inserted) entry.n = undefined
    this.#inserted = []
  }

  /** Deletes up to `rows` of what is too old or too much, inside a transaction; the answer is how many it were. */
  deleteOld(now: number, rows: number): number {
    return this.#deleteOld.run({ before: now - MAX_AGE, rows }).changes + this.#deleteGathered.run({ rows }).changes
  }

  /** The entry that an attempt belongs to. */
  #gather(note: AuditNote, now: number): Entry {
    for (const [key, { at }] of this.#gathering) {
      if (now - at >= GATHER_SECONDS || now < at) this.#gathering.delete(key)
    }
    const own = `${note.event} ${note.address}`
    const isOther = !this.#gathering.has(own) && this.#gathering.size >= MAX_ADDRESSES
    const key = isOther ? `${note.event} ${OTHERS}` : own
    const entry = this.#gathering.get(key) ?? toEntry(isOther ? { ...note, address: OTHERS } : note, now)
    this.#gathering.set(key, entry)
    entry.count++
    return entry
  }
}

function toEntry({ event, actor, address, subject = '', detail = '' }: AuditNote, at: number): Entry {
  const length = event === 'backup.restored' ? MAX_RESTORE_TEXT : MAX_TEXT
  return { at, event, actor: cut(actor), address: cut(address), subject: cut(subject), detail: cut(detail, length), count: 0, n: undefined }
}

function cut(text: string, length = MAX_TEXT): string {
  return text.slice(0, length).toWellFormed()
}
