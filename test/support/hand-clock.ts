import type { Clock, Gap, GapSource } from '../../src/main/bus/clock.ts'

interface Timer {
  at: number
  readonly wake: () => void
}

/** A clock that stands still until a test turns it. Timers that come due run in their order. */
export class HandClock implements Clock, GapSource {
  #now: number
  #timers: Timer[] = []
  #gaps: Gap[] = []
  readonly #listeners = new Set<() => void>()

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

  /** The machine sleeps for so long; what follows from its waking up has been committed when this resolves. */
  async sleep(seconds: number): Promise<void> {
    await this.#gap(seconds, 'sleep')
  }

  /** Somebody sets the clock by so many seconds. */
  async set(seconds: number): Promise<void> {
    await this.#gap(seconds, 'clock')
  }

  take(): readonly Gap[] {
    return this.#gaps.splice(0)
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #gap(seconds: number, cause: Gap['cause']): Promise<void> {
    this.#now += seconds
    // As the host's: nothing is late because the clock was set back.
    if (cause === 'clock') for (const timer of this.#timers) timer.at += Math.min(0, seconds)
    this.#gaps.push({ at: this.#now, seconds, cause })
    for (const listener of this.#listeners) listener()
    await this.advance(0)
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
