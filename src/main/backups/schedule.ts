import type { Clock } from '../bus/clock.ts'

/** Seconds from a start to the first look, and between two of them. */
const LOOK_INTERVAL = 10
/** Operations in such an interval from which on the bus is busy. */
const BUSY = 20
/** Seconds after which a moment need not be quiet any more: some buses never are. */
const MAX_WAIT = 3_600
/** Seconds until what failed is tried again. */
const RETRY = 900

export interface ScheduleOptions {
  readonly clock: Clock
  /** When the last daily backup was made (Unix seconds); undefined for never. */
  readonly lastAt: () => number | undefined
  /** Operations of the bus so far. */
  readonly operations: () => number
  /** Makes one; false when it failed. */
  readonly run: () => Promise<boolean>
}

/** Makes a backup at the first quiet moment of every day by the clock on the wall that has none yet. */
export class Schedule {
  readonly #options: ScheduleOptions
  #cancel: (() => void) | undefined
  #dueSince: number | undefined
  #seen = 0
  #isClosed = false

  constructor(options: ScheduleOptions) {
    this.#options = options
    this.#seen = options.operations()
    this.#in(LOOK_INTERVAL)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  #in(seconds: number): void {
    if (!this.#isClosed) this.#cancel = this.#options.clock.after(seconds, () => void this.#look())
  }

  async #look(): Promise<void> {
    const { clock, lastAt, operations, run } = this.#options
    const now = clock.now()
    const last = lastAt()
    if (last !== undefined && dayOf(last) === dayOf(now)) {
      this.#dueSince = undefined
      this.#in(secondsToTomorrow(now))
      return
    }
    this.#dueSince ??= now
    const isQuiet = operations() - this.#seen < BUSY
    this.#seen = operations()
    if (!isQuiet && now - this.#dueSince < MAX_WAIT) {
      this.#in(LOOK_INTERVAL)
      return
    }
    const isMade = await run()
    this.#in(isMade ? LOOK_INTERVAL : RETRY)
  }
}

function dayOf(at: number): string {
  return new Date(at * 1000).toDateString()
}

/** Until a little after the next midnight. */
function secondsToTomorrow(now: number): number {
  const date = new Date(now * 1000)
  const tomorrow = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1)
  return tomorrow.getTime() / 1000 - now + LOOK_INTERVAL
}
