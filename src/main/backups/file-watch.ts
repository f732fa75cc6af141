import { statSync } from 'node:fs'
import type { Clock } from '../bus/clock.ts'

/** Seconds between two looks. */
const LOOK_INTERVAL = 60

/**
 * Looks once a minute whether the files of a database that is open are still those at their path: a system with inodes lets a program
 * write on to a file that was deleted, and all of it is gone once the file is closed. The database must be open already.
 */
export class FileWatch {
  readonly #paths: readonly string[]
  readonly #clock: Clock
  readonly #onLost: () => void
  readonly #files: readonly string[]
  #cancel: (() => void) | undefined
  #isClosed = false

  /** `onLost` hears once that one of the files was deleted or replaced. */
  constructor(databasePath: string, clock: Clock, onLost: () => void) {
    this.#paths = [databasePath, `${databasePath}-wal`].filter((path) => fileAt(path) !== undefined)
    this.#files = this.#paths.map((path) => fileAt(path)!)
    this.#clock = clock
    this.#onLost = onLost
    this.#wait()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  /** Looks at once, and not only when the minute is over. */
  look(): void {
    if (this.#isClosed || this.#isThere()) return
    this.close()
    this.#onLost()
  }

  #wait(): void {
    this.#cancel = this.#clock.after(LOOK_INTERVAL, () => {
      this.look()
      if (!this.#isClosed) this.#wait()
    })
  }

  #isThere(): boolean {
    try {
      return this.#paths.every((path, i) => fileAt(path) === this.#files[i])
    } catch {
      // A folder that may not be looked into says nothing of its files.
      return true
    }
  }
}

/** What tells the file at a path from every other; undefined where there is none. */
function fileAt(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stats && `${stats.dev}:${stats.ino}`
}
