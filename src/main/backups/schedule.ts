import type { Clock } from '../bus/clock.ts'

/** Seconds from a start to the first look, and between two of them. */
const LOOK_INTERVAL = 10
/** Operations in such an interval from which on the bus is busy. */
const BUSY = 20
/** Seconds after which a moment need not be quiet any more: some buses never are. */
const MAX_WAIT = 3_600
/** Seconds until what failed is tried again. */
const RETRY = 900
/** Seconds from one to the next at least, whatever the clock on the wall does. */
const MIN_INTERVAL = 20 * 3_600

export interface ScheduleOptions {
  readonly clock: Clock
  /** Seconds by a clock that nobody sets and that goes on while the machine sleeps. */
  readonly uptime: () => number
  /** When the daily backups that there are were made (Unix seconds). May throw, once it has said why that cannot be told. */
  readonly madeAt: () => readonly number[]
  /** Operations of the bus so far. */
  readonly operations: () => number
  /** Makes one; false when it failed. */
  readonly run: () => Promise<boolean>
}

/** Makes a backup at the first quiet moment of every day by the clock on the wall that has none yet, but no two of them soon after each other. */
export class Schedule {
  readonly #options: ScheduleOptions
  #cancel: (() => void) | undefined
  #dueSince: number | undefined
  #seen = 0
  /** By the clock that nobody sets. */
  #lastMade = -Infinity
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
    const { clock, uptime, operations, run } = this.#options
    const now = clock.now()
    const left = this.#secondsLeft(now)
    if (left === undefined) {
      this.#in(RETRY)
      return
    }
    if (left > 0) {
      this.#dueSince = undefined
      this.#in(left)
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
    if (isMade) this.#lastMade = uptime()
    this.#in(isMade ? LOOK_INTERVAL : RETRY)
  }

  /** Seconds until the next one is due; 0 for now, undefined while it cannot be told. */
  #secondsLeft(now: number): number | undefined {
    const { uptime } = this.#options
    const hasToday = this.#hasOneOf(dayOf(now))
    if (hasToday === undefined) return undefined
    const untilTomorrow = hasToday ? secondsToTomorrow(now) : 0
    return Math.max(untilTomorrow, this.#lastMade + MIN_INTERVAL - uptime())
  }

  #hasOneOf(day: string): boolean | undefined {
    try {
      return this.#options.madeAt().some((at) => dayOf(at) === day)
    } catch {
      // Whoever was asked has said it.
      return undefined
    }
  }
}

/** The day of a moment (Unix seconds) by the clock on the wall. */
export function dayOf(at: number): string {
  return new Date(at * 1000).toDateString()
}

/** Until a little after the next midnight. */
function secondsToTomorrow(now: number): number {
  const date = new Date(now * 1000)
  const tomorrow = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1)
  return tomorrow.getTime() / 1000 - now + LOOK_INTERVAL
}
