import type { CleanupView } from '../../shared/control/storage-views.ts'
import { CLEANUP_PAUSE_AFTER_FAILURE } from '../../shared/limits.ts'
import type { Clock } from './clock.ts'
import type { CleanupStats, Retention, Trimmed } from './intents/retention.ts'

/** Seconds between two looks at the size of the database while there is traffic. */
const LOOK_INTERVAL = 60

export interface CleanupOptions {
  readonly clock: Clock
  /** Least seconds between two passes; Infinity for none with traffic. */
  readonly interval: number
  /** Hears what came of passes that did something. */
  readonly onReport: (report: CleanupView) => void
  /** Hears that the database is too large and nothing more of it may be deleted, or that this is over. */
  readonly onOverfull: () => void
  /** Hears of passes that nobody waited for. */
  readonly onError: (error: unknown) => void
}

/**
 * When passes of cleanup run: with traffic, at most once per interval, and after a pause when one failed (SPEC 16). Without
 * traffic nothing grows, so the size is looked at with traffic, too, more often.
 */
export class Cleanup {
  readonly #retention: Retention
  readonly #options: CleanupOptions
  #nextAt: number
  #nextLookAt: number
  #running: Promise<CleanupStats> | undefined
  #trimming: Promise<void> | undefined
  #last: CleanupView | null = null
  #isOverfull = false

  constructor(retention: Retention, options: CleanupOptions) {
    this.#retention = retention
    this.#options = options
    this.#nextAt = options.interval === Infinity ? Infinity : -Infinity
    this.#nextLookAt = this.#nextAt
  }

  /** The last pass since the start; null when there was none. */
  get last(): CleanupView | null {
    return this.#last
  }

  /** From when on traffic brings a pass, in Unix seconds; null for never. */
  get nextAt(): number | null {
    if (this.#nextAt === Infinity) return null
    return Math.max(this.#nextAt, this.#options.clock.now())
  }

  /** Whether the database is larger than it should be, and nothing more of it may be deleted. */
  get isOverfull(): boolean {
    return this.#isOverfull
  }

  /** Runs a pass, or joins the one that is under way. */
  run(): Promise<CleanupStats> {
    this.#nextAt = this.#options.clock.now() + this.#options.interval
    this.#running ??= this.#pass()
    return this.#running
  }

  /** Sees to the size alone, or joins whoever does. Never rejects. */
  trim(): Promise<void> {
    this.#nextLookAt = this.#options.clock.now() + LOOK_INTERVAL
    this.#trimming ??= this.#trim()
    return this.#trimming
  }

  /** There is traffic: runs what it is time for. */
  runWhenDue(): void {
    const now = this.#options.clock.now()
    if (now >= this.#nextAt) this.run().catch(this.#options.onError)
    else if (now >= this.#nextLookAt) {
      this.#nextLookAt = now + LOOK_INTERVAL
      if (this.#isOverfull || this.#retention.isTooLarge || this.#retention.isSlack) void this.trim()
    }
  }

  async #pass(): Promise<CleanupStats> {
    const { clock } = this.#options
    const startedAt = clock.now()
    try {
      const stats = await this.#retention.clean()
      const deleted = stats.fulfilled_deleted + stats.dead_deleted
      const trimmed = await this.#seeToSize()
      this.#report({ at: clock.now(), seconds: clock.now() - startedAt, deleted, ...trimmed })
      return stats
    } catch (error) {
      this.#nextAt = clock.now() + CLEANUP_PAUSE_AFTER_FAILURE
      throw error
    } finally {
      this.#running = undefined
    }
  }

  async #trim(): Promise<void> {
    const { clock } = this.#options
    const startedAt = clock.now()
    try {
      const trimmed = await this.#seeToSize()
      if (trimmed.trimmed > 0 || trimmed.bytesGivenBack > 0) {
        this.#report({ at: clock.now(), seconds: clock.now() - startedAt, deleted: 0, ...trimmed })
      }
    } catch (error) {
      this.#options.onError(error)
    } finally {
      this.#trimming = undefined
    }
  }

  async #seeToSize(): Promise<Trimmed> {
    const trimmed = await this.#retention.trim()
    this.#nextLookAt = this.#options.clock.now() + LOOK_INTERVAL
    const isOverfull = this.#retention.isTooLarge
    if (isOverfull !== this.#isOverfull) {
      this.#isOverfull = isOverfull
      this.#options.onOverfull()
    }
    return trimmed
  }

  #report(report: CleanupView): void {
    this.#last = report
    this.#options.onReport(report)
  }
}
