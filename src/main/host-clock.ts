import { uptime } from 'node:os'
import { systemClock, type Clock, type Gap, type GapSource } from './bus/clock.ts'
import { BEAT, GapDetector, type Hands } from './gap-detector.ts'

interface Timer {
  /** Unix seconds. */
  at: number
  readonly wake: () => void
  cancel: () => void
}

const SYSTEM_HANDS: Hands = { wall: systemClock.now, steady: () => performance.now() / 1000, uptime }

/**
 * The clock of a machine that sleeps and is set: it notices both, and its timers wake by Unix time all the same, where the
 * system's own would be late by as long as it slept. None is late because the clock was set back: whoever waits for a time of
 * the day looks at the clock and waits again.
 */
export class HostClock implements Clock, GapSource {
  readonly #hands: Hands
  readonly #detector: GapDetector
  readonly #timers = new Set<Timer>()
  readonly #listeners = new Set<() => void>()
  readonly #beat: NodeJS.Timeout
  #found: Gap[] = []
  #isClosed = false

  constructor(hands: Hands = SYSTEM_HANDS) {
    this.#hands = hands
    this.#detector = new GapDetector(hands)
    this.#beat = setInterval(() => this.look(), BEAT * 1000).unref()
  }

  now = (): number => this.#hands.wall()

  after(seconds: number, wake: () => void): () => void {
    if (this.#isClosed) return () => {}
    const timer: Timer = { at: this.now() + seconds, wake, cancel: () => {} }
    this.#timers.add(timer)
    this.#set(timer, seconds)
    return () => {
      this.#timers.delete(timer)
      timer.cancel()
    }
  }

  take(): readonly Gap[] {
    this.#notice()
    if (this.#found.length === 0) return this.#found
    const found = this.#found
    this.#found = []
    return found
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The system says that it is about to sleep. */
  sleeps(): void {
    this.#detector.sleeps()
  }

  /** The system says that it is awake again. */
  wakes(): void {
    this.look()
    this.#detector.wakes()
  }

  /** Looks at the clocks, as it does by itself every few seconds. */
  look(): void {
    this.#notice()
    if (this.#found.length > 0) for (const listener of this.#listeners) listener()
  }

  /** The end of all timers, those that are set later too. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#beat)
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }

  #notice(): void {
    const gaps = this.#detector.look()
    if (gaps.length === 0) return
    this.#found.push(...gaps)
    const setBack = gaps.reduce((sum, { cause, seconds }) => (cause === 'clock' ? sum + Math.min(0, seconds) : sum), 0)
    for (const timer of this.#timers) {
      timer.at += setBack
      timer.cancel()
      this.#set(timer, Math.max(0, timer.at - this.now()))
    }
  }

  #set(timer: Timer, seconds: number): void {
    timer.cancel = systemClock.after(seconds, () => {
      this.#timers.delete(timer)
      timer.wake()
    })
  }
}
