import type { Clock } from '../clock.ts'
import type { Commits } from './commits.ts'

/** What nothing else takes along is written after this many seconds, and after so many while an operator watches. */
const ALONE_AFTER = 30
const ALONE_AFTER_WATCHED = 1
/**
 * Whoever asks for it waits so many seconds for a transaction to take it along: on a busy bus one comes in time, and
 * questions of operators cost workers no sync of the disk.
 */
const PATIENCE = 0.01

/** Sees to it that what only rides along with other writes is written when there are none, too. */
export class RideTimer {
  readonly #commits: Commits
  readonly #clock: Clock
  readonly #isWatched: () => boolean
  #cancel: (() => void) | undefined
  /** When it writes, where it is set. */
  #dueAt = Infinity
  #settling: Promise<void> | undefined

  /** `isWatched`: whether somebody wants to see it soon. */
  constructor(commits: Commits, clock: Clock, isWatched: () => boolean) {
    this.#commits = commits
    this.#clock = clock
    this.#isWatched = isWatched
  }

  /** Something waits to be written. */
  soon(): void {
    if (this.#cancel === undefined) this.#set(this.#isWatched() ? ALONE_AFTER_WATCHED : ALONE_AFTER)
  }

  /** Something waits that must not wait longer than this (seconds). */
  within(seconds: number): void {
    if (this.#cancel !== undefined && this.#dueAt <= this.#clock.now() + seconds) return
    this.close()
    this.#set(seconds)
  }

  /** Writes what waits with the next transaction, which comes at once. */
  now(): void {
    this.close()
    void this.#commits.writeRiders()
  }

  /** Resolves when nothing that waits now waits any more; at once when nothing does. */
  async settled(): Promise<void> {
    if (this.#cancel !== undefined) {
      this.close()
      this.#settling = this.#commits.writeRiders(PATIENCE)
    }
    await this.#settling
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #set(seconds: number): void {
    this.#dueAt = this.#clock.now() + seconds
    this.#cancel = this.#clock.after(seconds, () => this.now())
  }
}
