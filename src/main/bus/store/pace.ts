/** Seconds between two rides. */
const INTERVAL = 1

/** Lets something ride along with other writes once a second: it is not worth a page in every transaction. */
export class Pace {
  #rodeAt = -Infinity
  #ridingAt: number | undefined

  /** Whether it rides along in the transaction that runs at `now` (Unix seconds). */
  isDue(now: number, mustWrite: boolean): boolean {
    const isDue = mustWrite || Math.abs(now - this.#rodeAt) >= INTERVAL
    this.#ridingAt = isDue ? now : undefined
    return isDue
  }

  /** The transaction is on disk; whether it rode along. */
  committed(): boolean {
    if (this.#ridingAt === undefined) return false
    this.#rodeAt = this.#ridingAt
    return true
  }
}
