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
const SECRET_BYTES = 32

/** An operator's browser that is logged in. Times are Unix seconds. */
export interface Session {
  /** Names it without giving access. */
  readonly id: string
  readonly expiresAt: number
  readonly lastUsedAt: number
}

interface LiveSession extends Session {
  lastUsedAt: number
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
  readonly #insert: Statement
  readonly #noteUse: Statement
  readonly #delete: Statement

  constructor(db: Connection, commits: Commits, timer: RideTimer, clock: Clock, random: Random) {
    this.#commits = commits
    this.#timer = timer
    this.#clock = clock
    this.#random = random
    this.#insert = db.prepare(
      'INSERT INTO sessions (digest, created_at, expires_at, last_used_at, address, agent) VALUES (?, ?, ?, ?, ?, ?)'
    )
    this.#noteUse = db.prepare('UPDATE sessions SET last_used_at = ? WHERE digest = ?')
    this.#delete = db.prepare('DELETE FROM sessions WHERE digest = ?')
    const rows = db
      .prepare('SELECT digest AS id, expires_at AS expiresAt, last_used_at AS lastUsedAt FROM sessions ORDER BY created_at')
      .all()
    for (const session of rows as LiveSession[]) this.#byId.set(session.id, session)
  }

  /** Opens a session; the secret is for the browser and not kept. Beyond 1,000 the oldest ones end. */
  async open(address: string, agent: string): Promise<{ secret: string; id: string }> {
    const secret = Buffer.from(this.#random.hex(SECRET_BYTES), 'hex').toString('base64url')
    const id = digestOf(secret)
    const surplus = [...this.#byId.keys()].slice(0, Math.max(0, this.#byId.size + 1 - MAX_SESSIONS))
    const session = await this.#commits.run((now) => {
      for (const old of surplus) this.#delete.run(old)
      const opened = { id, expiresAt: now + SESSION_LIFETIME, lastUsedAt: now }
      this.#insert.run(id, now, opened.expiresAt, now, address, agent)
      return opened
    })
    for (const old of surplus) this.#forget(old)
    this.#byId.set(id, session)
    return { secret, id }
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

  ride(): void {
    for (const { id, lastUsedAt } of this.#unwritten) this.#noteUse.run(lastUsedAt, id)
  }

  committed(): void {
    this.#unwritten.clear()
  }

  /** Removes the sessions that are over. */
  async removeOver(): Promise<void> {
    const now = this.#clock.now()
    await this.#end([...this.#byId.values()].filter((session) => isOver(session, now)).map(({ id }) => id))
  }

  async #end(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#forget(id)
    await this.#commits.run(() => {
      for (const id of ids) this.#delete.run(id)
    })
  }

  #forget(id: string): void {
    const session = this.#byId.get(id)
    if (session === undefined) return
    this.#byId.delete(id)
    this.#unwritten.delete(session)
  }
}

function isOver({ expiresAt, lastUsedAt }: Session, now: number): boolean {
  return now >= expiresAt || now - lastUsedAt >= IDLE_LIFETIME
}
