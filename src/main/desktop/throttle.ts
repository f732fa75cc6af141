import type { Clock } from '../bus/clock.ts'

/** Does something when asked, but at most once in so many seconds; asked in between, it does it at their end. */
export class Throttle {
  readonly #clock: Clock
  readonly #seconds: number
  readonly #action: () => void
  #readyAt = -Infinity
  #isScheduled = false

  constructor(clock: Clock, seconds: number, action: () => void) {
    this.#clock = clock
    this.#seconds = seconds
    this.#action = action
  }

  ask(): void {
    if (this.#isScheduled) return
    const wait = this.#readyAt - this.#clock.now()
    if (wait <= 0) {
      this.#act()
      return
    }
    this.#isScheduled = true
    this.#clock.after(wait, () => {
      this.#isScheduled = false
      this.#act()
    })
  }

  #act(): void {
    this.#readyAt = this.#clock.now() + this.#seconds
    this.#action()
  }
}
