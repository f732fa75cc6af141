import type { Clock } from '../bus/clock.ts'

/** Allows so many starts within so many seconds, so that what cannot live is not started for ever. */
export class RestartBudget {
  readonly #clock: Clock
  readonly #count: number
  readonly #seconds: number
  #startedAt: number[] = []

  constructor(clock: Clock, count: number, seconds: number) {
    this.#clock = clock
    this.#count = count
    this.#seconds = seconds
  }

  /** True when one more start is allowed, which then counts. */
  take(): boolean {
    const now = this.#clock.now()
    this.#startedAt = this.#startedAt.filter((at) => at > now - this.#seconds)
    if (this.#startedAt.length >= this.#count) return false
    this.#startedAt.push(now)
    return true
  }
}
