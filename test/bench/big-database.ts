import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../support/folders.ts'
import { fillDatabase, settleOnDisk } from './fill.ts'

/** A share of these stands for what operators look at: dead letters. */
const DEAD_PER_THOUSAND = 1

/** The database full of open intents that some sections use: made once, copied for each. */
export class BigDatabase implements Disposable {
  readonly #folder = temporaryFolder()
  readonly #intents: number
  #isMade = false

  /** `intents`: how many open intents it has. */
  constructor(intents: number) {
    this.#intents = intents
  }

  /** Puts a copy of it at `path`. */
  copyTo(path: string): void {
    const own = join(this.#folder.path, 'big.db')
    if (!this.#isMade) {
      fillDatabase(own, [
        { status: 'dead', count: Math.ceil((this.#intents * DEAD_PER_THOUSAND) / 1000) },
        { status: 'open', count: this.#intents }
      ])
    }
    this.#isMade = true
    copyFileSync(own, path)
    settleOnDisk(path)
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}
