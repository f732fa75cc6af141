import type { Clock } from '../../bus/clock.ts'

/** What is to be done at a time, one thing for each id. */
export class Timers {
  readonly #clock: Clock
  readonly #cancels = new Map<string, () => void>()
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Does something at a time (Unix seconds), in place of what was to be done for the same id. */
  at(id: string, time: number, action: () => void): void {
    this.cancel(id)
    if (this.#isClosed) return
    const wake = (): void => {
      this.#cancels.delete(id)
      action()
    }
    this.#cancels.set(id, this.#clock.after(time - this.#clock.now(), wake))
  }

  cancel(id: string): void {
    this.#cancels.get(id)?.()
    this.#cancels.delete(id)
  }

  /** Nothing is done any more. */
  close(): void {
    this.#isClosed = true
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }
}
