import { RIGHTS, type Right } from '../../shared/control/rights.ts'
import { ProtocolError } from '../../shared/errors.ts'
import type { Clock } from './clock.ts'
import { digestOf } from './keys.ts'
import type { Random } from './random.ts'
import type { Commits } from './store/commits.ts'
import type { Connection, Statement } from './store/database.ts'
import type { Participant } from './store/participant.ts'
import type { RideTimer } from './store/ride-timer.ts'

/** Seconds after which a session ends, used or not, and after which it ends unused. */
export const SESSION_LIFETIME = 30 * 86_400
const IDLE_LIFETIME = 7 * 86_400

/** Seconds: uses closer together are one. */
const USE_GRANULARITY = 60
const MAX_SESSIONS = 1_000
/** Twice what a secret needs: a browser keeps it in two halves, and one of them alone must be as hard to guess. */
const SECRET_BYTES = 64

/** Who opens a session. */
export interface SessionOpening {
  readonly address: string
  /** What the browser calls itself. */
  readonly agent: string
  /** What the user calls the device, where it was paired. */
  readonly name?: string
  /** All of them where they are not given: those of a browser that knew the password. */
  readonly rights?: readonly Right[]
  /** Writes more in the same transaction, at a time in Unix seconds. */
  readonly alongside?: (now: number) => void
}

/** An operator's browser that is logged in or paired. Times are Unix seconds. */
export interface Session {
  /** Names it without giving access. */
  readonly id: string
  readonly name: string | null
  readonly rights: readonly Right[]
  /** Whether it was given its rights, and did not log in. */
  readonly isPaired: boolean
  readonly address: string
  readonly agent: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly lastUsedAt: number
}

interface LiveSession extends Session {
  lastUsedAt: number
}

interface SessionRow extends Omit<Session, 'rights' | 'isPaired'> {
  /** JSON. */
  readonly rights: string | null
}

/** Sessions of operators' browsers. Only the digest of a secret is kept; it is the session's id. */
export class Sessions implements Participant {
  readonly #commits: Commits
  readonly #timer: RideTimer
  readonly #clock: Clock
  readonly #random: Random
  /** Oldest first. */
  readonly #byId = new Map<string, LiveSession>()
  readonly #unwritten = new Set<LiveSession>()
  /** Opened while the disk took nothing. */
  readonly #unsaved = new Map<string, SessionRow>()
  readonly #onChange: () => void
  readonly #insert: Statement
  readonly #noteUse: Statement
  readonly #delete: Statement

  /** `onChange` hears that a session was opened or ended. */
  constructor(db: Connection, commits: Commits, timer: RideTimer, clock: Clock, random: Random, onChange: () => void) {
    this.#onChange = onChange
    this.#commits = commits
    this.#timer = timer
    this.#clock = clock
    this.#random = random
    this.#insert = db.prepare(
      `INSERT INTO sessions (digest, created_at, expires_at, last_used_at, address, agent, name, rights)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
    )
    this.#noteUse = db.prepare('UPDATE sessions SET last_used_at = ? WHERE digest = ?')
    this.#delete = db.prepare('DELETE FROM sessions WHERE digest = ?')
    const rows = db
      .prepare(
        `SELECT digest AS id, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt, address, agent,
           name, rights
         FROM sessions ORDER BY created_at`
      )
      .all()
    for (const row of rows as SessionRow[]) this.#byId.set(row.id, fromRow(row))
  }

  /** Those that are not over, the last used first. */
  list(): Session[] {
    const now = this.#clock.now()
    return [...this.#byId.values()].filter((session) => !isOver(session, now)).sort((a, b) => b.lastUsedAt - a.lastUsedAt)
  }

  /** The session with that id, undefined when there is none or it is over. */
  byId(id: string): Session | undefined {
    const session = this.#byId.get(id)
    return session === undefined || isOver(session, this.#clock.now()) ? undefined : session
  }

  /**
   * Opens a session; the secret is for the browser and not kept. Beyond 1,000 the oldest ones end. While the disk takes nothing, one
   * for who knew the password counts all the same, and is written later: somebody has to see what is wrong.
   */
  async open({ address, agent, name, rights, alongside }: SessionOpening): Promise<{ secret: string; id: string }> {
    const secret = Buffer.from(this.#random.hex(SECRET_BYTES), 'hex').toString('base64url')
    const id = digestOf(secret)
    const given = rights && withWatching(rights)
    const surplus = [...this.#byId.keys()].slice(0, Math.max(0, this.#byId.size + 1 - MAX_SESSIONS))
    const stored = given === undefined ? null : JSON.stringify(given)
    const rowAt = (now: number): SessionRow => ({
      ...{ id, address, agent, name: name ?? null, rights: stored },
      ...{ createdAt: now, expiresAt: now + SESSION_LIFETIME, lastUsedAt: now }
    })
    const saved = this.#commits.run((now): SessionRow => {
      for (const old of surplus) this.#delete.run(old)
      const row = rowAt(now)
      this.#save(row)
      alongside?.(now)
      return row
    })
    const row = await saved.catch((error: unknown) => {
      if (rights !== undefined || !isWithoutDisk(error)) throw error
      return this.#saveLater(rowAt(this.#clock.now()))
    })
    for (const old of surplus) this.#forget(old)
    this.#byId.set(id, fromRow(row))
    this.#onChange()
    return { secret, id }
  }

  #save({ id, createdAt, expiresAt, lastUsedAt, address, agent, name, rights }: SessionRow): void {
    this.#insert.run(id, createdAt, expiresAt, lastUsedAt, address, agent, name, rights)
  }

  #saveLater(row: SessionRow): SessionRow {
    this.#unsaved.set(row.id, row)
    this.#timer.soon()
    return row
  }

  /** The session that a secret opens, which thereby is used; undefined when there is none or it is over. */
  find(secret: string): Session | undefined {
    const session = this.#byId.get(digestOf(secret))
    const now = this.#clock.now()
    if (session === undefined || isOver(session, now)) return undefined
    if (now - session.lastUsedAt >= USE_GRANULARITY) {
      session.lastUsedAt = now
      this.#unwritten.add(session)
      this.#timer.soon()
    }
    return session
  }

  /** Ends a session, from this call on; one that is over already is no trouble. */
  end(id: string): Promise<void> {
    return this.#end([id])
  }

  /** Ends all sessions, or all but one, from this call on; resolves with how many it were. */
  async endAll(exceptId?: string): Promise<number> {
    const ended = [...this.#byId.keys()].filter((id) => id !== exceptId)
    await this.#end(ended)
    return ended.length
  }

  get isWaiting(): boolean {
    return this.#unsaved.size > 0
  }

  ride(): void {
    for (const row of this.#unsaved.values()) this.#save(row)
    for (const { id, lastUsedAt } of this.#unwritten) this.#noteUse.run(lastUsedAt, id)
  }

  committed(): void {
    this.#unsaved.clear()
    this.#unwritten.clear()
  }

  /** Removes the sessions that are over. */
  async removeOver(): Promise<void> {
    const now = this.#clock.now()
    await this.#end([...this.#byId.values()].filter((session) => isOver(session, now)).map(({ id }) => id))
  }

  async #end(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    for (const id of ids) this.#forget(id)
    this.#onChange()
    await this.#commits.run(() => {
      for (const id of ids) this.#delete.run(id)
    })
  }

  #forget(id: string): void {
    const session = this.#byId.get(id)
    if (session === undefined) return
    this.#byId.delete(id)
    this.#unsaved.delete(id)
    this.#unwritten.delete(session)
  }
}

function fromRow({ rights, ...row }: SessionRow): LiveSession {
  return { ...row, isPaired: rights !== null, rights: rights === null ? RIGHTS : (JSON.parse(rights) as Right[]) }
}

/** In their own order, and each once: whoever may do anything may also look on. */
function withWatching(rights: readonly Right[]): Right[] {
  return RIGHTS.filter((right) => right === 'watch' || rights.includes(right))
}

function isWithoutDisk(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === 'storage_unavailable'
}

function isOver({ expiresAt, lastUsedAt }: Session, now: number): boolean {
  return now >= expiresAt || now - lastUsedAt >= IDLE_LIFETIME
}
