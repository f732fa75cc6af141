import type { Clock } from './clock.ts'
import type { Keys } from './keys.ts'

/** Tells when keys expire, by one timer for the next of them. */
export class KeyExpiry {
  readonly #keys: Keys
  readonly #clock: Clock
  readonly #onExpired: (ids: readonly string[]) => void
  /** Unix seconds; Infinity while no key will expire. */
  #next = Infinity
  #cancel: (() => void) | undefined

  /** `onExpired` hears the ids of all keys that have expired, some of them perhaps not for the first time. */
  constructor(keys: Keys, clock: Clock, onExpired: (ids: readonly string[]) => void) {
    this.#keys = keys
    this.#clock = clock
    this.#onExpired = onExpired
  }

  /**
   * Sets the timer: at the start, and whenever an expiry may have changed. It may be late, and it comes too early where it
   * runs in pieces or clocks get set: only the time says whether a key has expired.
   */
  set(): void {
    this.close()
    const now = this.#clock.now()
    const isDue = now >= this.#next
    this.#next = this.#keys.nextExpiry(now)
    if (this.#next !== Infinity) this.#cancel = this.#clock.after(this.#next - now, () => this.set())
    if (!isDue) return
    this.#keys.noteExpiry()
    this.#onExpired(this.#keys.expired(now))
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
