import type { Clock } from '../clock.ts'

/** Pause in seconds before the bus tries again to do what is due, after a transaction that failed. */
const RETRY_AFTER = 1

/**
 * When the next lease or lifetime ends, or earlier, in awake time. Wakes the bus then and not before: an idle bus sleeps. Deadlines
 * only get noted, never taken back; who comes too early finds nothing to do and sets the next one.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #wake: () => void
  /** In the past to begin with: what ended while the bus was down is due at once. */
  #next = -Infinity
  #cancel: (() => void) | undefined
  #isClosed = false

  /** `clock`: one that shows awake time. */
  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock
    this.#wake = wake
  }

  /** Before that nothing is due. */
  get next(): number {
    return this.#next
  }

  /** Something is due at `deadline`. */
  note(deadline: number): void {
    if (deadline < this.#next) this.set(deadline)
  }

  /** Nothing is due before `deadline` (Infinity: nothing at all). */
  set(deadline: number): void {
    this.#next = deadline
    if (deadline === Infinity) this.#disarm()
    else this.#arm(Math.max(0, deadline - this.#clock.now()))
  }

  /** What was due could not be done. */
  retry(): void {
    this.#next = -Infinity
    this.#arm(RETRY_AFTER)
  }

  close(): void {
    this.#isClosed = true
    this.#disarm()
  }

  #arm(seconds: number): void {
    this.#disarm()
    if (this.#isClosed) return
    this.#cancel = this.#clock.after(seconds, () => {
      this.#cancel = undefined
      const left = this.#next - this.#clock.now()
      // Woken too early: long timers come in pieces, and clocks get set.
      if (left > 0 && left !== Infinity) this.#arm(left)
      else this.#wake()
    })
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
