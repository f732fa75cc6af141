import type { Clock } from '../../src/main/bus/clock.ts'

interface Timer {
  readonly at: number
  readonly wake: () => void
}

/** A clock that stands still until a test turns it. Timers that come due run in their order. */
export class HandClock implements Clock {
  #now: number
  #timers: Timer[] = []

  /** `start`: Unix time in seconds. */
  constructor(start = 1_790_000_000) {
    this.#now = start
  }

  now = (): number => this.#now

  after(seconds: number, wake: () => void): () => void {
    const timer = { at: this.#now + seconds, wake }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves the hands without waking anybody: time that passed while the process could not run. */
  jump(seconds: number): void {
    this.#now += seconds
  }

  /** Lets time pass; what the timers started has been committed when this resolves. */
  async advance(seconds: number): Promise<void> {
    const end = this.#now + seconds
    for (;;) {
      await settle()
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
    }
    this.#now = end
    await settle()
  }
}

/** Lets everything that is queued run: commits take a few turns of the event loop. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve))
}
