import type { Connection, Statement } from './database.ts'

/** Free pages are given back from so many bytes and this share of the file on: what is free now is used again by what comes. */
const SLACK = { bytes: 16 * 1024 ** 2, share: 0.25 }
/** Bytes that stay free for what comes next. */
const KEPT_FREE = 8 * 1024 ** 2

/** `PRAGMA auto_vacuum` of a file that can give pages back in steps. */
const INCREMENTAL = 2

/** The room that the database takes in its file, and what of it is free. Asking costs some microseconds. */
export class Space {
  readonly #db: Connection
  readonly #pageCount: Statement
  readonly #freePages: Statement
  readonly #pageSize: number
  /** Whether the file can give back space; one that was made without it keeps its size. */
  readonly canShrink: boolean

  constructor(db: Connection) {
    this.#db = db
    this.#pageCount = db.prepare('PRAGMA page_count').pluck()
    this.#freePages = db.prepare('PRAGMA freelist_count').pluck()
    this.#pageSize = db.pragma('page_size', { simple: true }) as number
    this.canShrink = db.pragma('auto_vacuum', { simple: true }) === INCREMENTAL
  }

  /** Bytes of the file once all of the log is in it. */
  get total(): number {
    return (this.#pageCount.get() as number) * this.#pageSize
  }

  /** Bytes in the file that hold nothing. */
  get free(): number {
    return (this.#freePages.get() as number) * this.#pageSize
  }

  /** Bytes that hold something. */
  get used(): number {
    return this.total - this.free
  }

  /** Whether so much is free that some of it should be given back. */
  get isSlack(): boolean {
    if (!this.canShrink) return false
    const { free } = this
    return free > SLACK.bytes && free > SLACK.share * this.total
  }

  /** Gives back up to `pages` free pages, inside a transaction; false when there is nothing more to give. */
  giveBack(pages: number): boolean {
    if (!this.canShrink || this.free <= KEPT_FREE) return false
    this.#db.pragma(`incremental_vacuum(${pages})`)
    return true
  }
}
