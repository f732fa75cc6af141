/** Time as the bus sees it. Tests turn one by hand; nothing in the bus reads the system's clock or sets a timer itself. */
export interface Clock {
  /** Unix time in seconds, with a fraction. */
  now(): number
  /** Calls `wake` once after `seconds`; the answer cancels it. */
  after(seconds: number, wake: () => void): () => void
}

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
