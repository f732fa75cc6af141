import type { Clock } from '../clock.ts'
import type { Commits } from './commits.ts'

/** What nothing else takes along is written after this many seconds, and after so many while an operator watches. */
const ALONE_AFTER = 30
const ALONE_AFTER_WATCHED = 1

/** Sees to it that what only rides along with other writes is written when there are none, too. */
export class RideTimer {
  readonly #commits: Commits
  readonly #clock: Clock
  readonly #isWatched: () => boolean
  #cancel: (() => void) | undefined

  /** `isWatched`: whether somebody wants to see it soon. */
  constructor(commits: Commits, clock: Clock, isWatched: () => boolean) {
    this.#commits = commits
    this.#clock = clock
    this.#isWatched = isWatched
  }

  /** Something waits to be written. */
  soon(): void {
    this.#cancel ??= this.#clock.after(this.#isWatched() ? ALONE_AFTER_WATCHED : ALONE_AFTER, () => this.now())
  }

  /** Writes what waits with the next transaction, which comes at once. */
  now(): void {
    this.close()
    void this.#commits.poke(true)
  }

  /** Resolves when nothing waits any more; at once when nothing does. */
  async settled(): Promise<void> {
    if (this.#cancel === undefined) return
    this.close()
    await this.#commits.poke(true)
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
