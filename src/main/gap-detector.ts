import type { Gap } from './bus/clock.ts'

/** The clocks of a machine; each answers in seconds. */
export interface Hands {
  /** Unix time. */
  wall(): number
  /** Goes on evenly; whether it counts sleep differs from system to system. */
  steady(): number
  /** Since the start of the machine, sleep included; nobody sets it. Slow to read. */
  uptime(): number
}

/** Seconds from one look to the next at most, while all is well. */
export const BEAT = 5
/** Seconds that a look may be late: a busy machine is no gap. */
const PATIENCE = 3
/** Seconds below which clocks may disagree: some tell whole seconds only. */
const TOLERANCE = 2.5
/** Seconds of disagreement that are worth a look at the slow clock. */
const SUSPICIOUS = 1

interface Look {
  readonly wall: number
  readonly steady: number
}

/**
 * Tells from looks at the clocks when nothing could run. Sleep shows in one of two ways: on Linux the steady clock stands
 * while the uptime goes on; elsewhere, and for a process that was stopped, a look comes too late. A clock that is set shows
 * in the wall clock alone, and is never taken for sleep.
 */
export class GapDetector {
  readonly #hands: Hands
  #seen: Look
  /** The last look at all three. */
  #compared: Look & { readonly uptime: number }
  #isAsleep = false

  constructor(hands: Hands) {
    this.#hands = hands
    this.#compared = this.#readAll()
    this.#seen = this.#compared
  }

  /** The system says that it goes to sleep: what is gone by the next look is sleep, however short. */
  sleeps(): void {
    this.#isAsleep = true
  }

  /** The system says that it is awake, after a look. */
  wakes(): void {
    this.#isAsleep = false
  }

  /** The gaps since the last look. Must be called every `BEAT` seconds, and may be at any time. */
  look(): readonly Gap[] {
    const wall = this.#hands.wall()
    const steady = this.#hands.steady()
    const sinceSeen = steady - this.#seen.steady
    const isLate = sinceSeen > BEAT + PATIENCE || (this.#isAsleep && sinceSeen > TOLERANCE)
    const isOdd = Math.abs(wall - this.#seen.wall - sinceSeen) > SUSPICIOUS
    this.#seen = { wall, steady }
    if (!isLate && !isOdd && steady - this.#compared.steady < BEAT / 2) return []
    // Whoever was late may have been stopped at any moment since it was last seen; what is given too much are seconds.
    return this.#compare(isLate ? sinceSeen : 0)
  }

  /** `late`: seconds of the steady clock in which nothing ran. */
  #compare(late: number): readonly Gap[] {
    const before = this.#compared
    const now = this.#readAll()
    this.#compared = now
    this.#seen = now
    const steady = now.steady - before.steady
    const gone = Math.max(now.uptime - before.uptime, steady)
    const slept = (gone - steady > TOLERANCE ? gone - steady : 0) + late
    const set = now.wall - before.wall - gone
    const gaps: Gap[] = []
    if (slept > 0) {
      gaps.push({ at: now.wall, seconds: slept, cause: 'sleep' })
      // Not before: there may be a look between the announcement and the sleep.
      this.#isAsleep = false
    }
    if (Math.abs(set) > TOLERANCE) gaps.push({ at: now.wall, seconds: set, cause: 'clock' })
    return gaps
  }

  #readAll(): Look & { readonly uptime: number } {
    return { wall: this.#hands.wall(), steady: this.#hands.steady(), uptime: this.#hands.uptime() }
  }
}
