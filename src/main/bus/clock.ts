/** Time as the bus sees it. Tests turn one by hand; nothing in the bus reads the system's clock or sets a timer itself. */
export interface Clock {
  /** Unix time in seconds, with a fraction. */
  now(): number
  /** Calls `wake` once after `seconds`; the answer cancels it. */
  after(seconds: number, wake: () => void): () => void
}

/** Time that went by on the clock while nothing could run. */
export interface Gap {
  /** Unix time when it was over. */
  readonly at: number
  /** Its length in seconds; of a clock that was set what it was set by, below 0 for back. */
  readonly seconds: number
  /** `sleep`: the machine slept, or the process was stopped. `clock`: the clock was set. `restore`: the time since a backup that was restored. */
  readonly cause: 'sleep' | 'clock' | 'restore'
}

/** Tells of gaps. */
export interface GapSource {
  /** Those since the last call, in their order. Asked before every transaction. */
  take(): readonly Gap[]
  /** Calls `listener` when there is something to take, until the answer is called. */
  listen(listener: () => void): () => void
}

/** Where time never stands still. */
export const NO_GAPS: GapSource = { take: () => [], listen: () => () => {} }

/** setTimeout takes a signed 32-bit number of milliseconds; who sets a longer timer is woken early and sets it again. */
const MAX_TIMER_MS = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now() / 1000,
  after(seconds, wake) {
    // Timers drop fractions of a millisecond and would wake too early.
    const timer = setTimeout(wake, Math.min(Math.max(0, Math.ceil(seconds * 1000) + 1), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  }
}
