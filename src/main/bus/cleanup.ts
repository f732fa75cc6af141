import { CLEANUP_PAUSE_AFTER_FAILURE } from '../../shared/limits.ts'
import type { Clock } from './clock.ts'
import type { CleanupStats, Retention } from './intents/retention.ts'

/** When passes of cleanup run: with traffic, at most once per interval, and after a pause when one failed (SPEC 16). */
export class Cleanup {
  readonly #retention: Retention
  readonly #clock: Clock
  readonly #interval: number
  readonly #onError: (error: unknown) => void
  #nextAt: number
  #running: Promise<CleanupStats> | undefined

  /** `interval`: least seconds between two passes; Infinity for none with traffic. `onError` hears of passes that nobody waited for. */
  constructor(retention: Retention, clock: Clock, interval: number, onError: (error: unknown) => void) {
    this.#retention = retention
    this.#clock = clock
    this.#interval = interval
    this.#onError = onError
    this.#nextAt = interval === Infinity ? Infinity : -Infinity
  }

  /** Runs a pass, or joins the one that is under way. */
  run(): Promise<CleanupStats> {
    this.#nextAt = this.#clock.now() + this.#interval
    this.#running ??= this.#pass()
    return this.#running
  }

  /** There is traffic: runs a pass if it is time. */
  runWhenDue(): void {
    if (this.#clock.now() >= this.#nextAt) this.run().catch(this.#onError)
  }

  async #pass(): Promise<CleanupStats> {
    try {
      return await this.#retention.clean()
    } catch (error) {
      this.#nextAt = this.#clock.now() + CLEANUP_PAUSE_AFTER_FAILURE
      throw error
    } finally {
      this.#running = undefined
    }
  }
}
