import { EXTENSION } from '../limits.ts'
import type { ClaimedIntent } from './answers.ts'
import { LeaseLostError } from './errors.ts'
import type { LeaseOperations } from './leases.ts'
import { monotonic, Patience, sleep } from './patience.ts'
import { pauseWithin } from './retry.ts'

/** A lease is extended when this part of it is over, so that more attempts find it running if one fails. */
const EXTEND_AFTER = 1 / 3
/** Progress extends it when at least this part is over: a talkative handler must not use up the key's rate. */
const PROGRESS_AFTER = 1 / 10

export interface LeaseKeeperOptions {
  readonly leases: LeaseOperations
  readonly intent: ClaimedIntent
  /** Called once, when the lease is lost. */
  readonly onLost: (error: LeaseLostError) => void
  /** Hears of extensions that did not get through, and are tried again. */
  readonly onTrouble: (error: Error) => void
}

/** Keeps one lease running from the claim on, until it is stopped or the lease is lost. Times are of the monotonic clock. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions
  readonly #ended = new AbortController()
  /** Seconds that an extension asks for. */
  readonly #length: number
  #since: number
  /** Until then the lease is certainly held, if nobody took it away. */
  #until: number
  #extendAt: number
  #failures = 0
  #extending: Promise<void> | undefined

  constructor(options: LeaseKeeperOptions) {
    const { claimTimeout } = options.intent
    this.#options = options
    this.#length = Math.min(Math.max(Math.ceil(claimTimeout), EXTENSION.min), EXTENSION.max)
    this.#since = monotonic()
    this.#until = this.#since + claimTimeout
    this.#extendAt = this.#since + claimTimeout * EXTEND_AFTER
    void this.#keep()
  }

  /** Seconds for which the lease is certainly held. */
  get left(): number {
    return Math.max(0, this.#until - monotonic())
  }

  /** Extends no more: the lease is about to be settled, or given up. */
  stop(): void {
    this.#ended.abort()
  }

  /** Extends the lease if it has run for a while, and no failed attempt asks for a pause. */
  async touch(): Promise<void> {
    const at = this.#failures > 0 ? this.#extendAt : this.#since + (this.#until - this.#since) * PROGRESS_AFTER
    const isDue = monotonic() > at
    if (isDue && !this.#ended.signal.aborted) await this.#extend()
  }

  async #keep(): Promise<void> {
    for (;;) {
      // Progress may have extended it meanwhile.
      for (let pause; (pause = Math.min(this.#extendAt, this.#until) - monotonic()) > 0; ) {
        await sleep(pause, this.#ended.signal).catch(() => {})
        if (this.#ended.signal.aborted) return
      }
      if (this.left > 0) await this.#extend()
      else this.#lose(new LeaseLostError('The lease ended before an extension got through.', { code: 'lease_ended' }))
      if (this.#ended.signal.aborted) return
    }
  }

  /** One attempt; those that fall together are one. Never rejects. */
  #extend(): Promise<void> {
    this.#extending ??= this.#attempt().finally(() => {
      this.#extending = undefined
    })
    return this.#extending
  }

  async #attempt(): Promise<void> {
    const { leases, intent, onTrouble } = this.#options
    const startedAt = monotonic()
    const patience = new Patience(this.left, this.#ended.signal)
    try {
      await leases.extendClaim(intent.id, intent.claimToken, this.#length, { signal: patience.signal })
      this.#since = startedAt
      this.#until = startedAt + this.#length
      this.#extendAt = startedAt + this.#length * EXTEND_AFTER
      this.#failures = 0
    } catch (error) {
      if (this.#ended.signal.aborted || patience.isOver) return
      if (error instanceof LeaseLostError) {
        this.#lose(error)
        return
      }
      this.#extendAt = monotonic() + pauseWithin(this.left, error, this.#failures++)
      onTrouble(error as Error)
    } finally {
      patience.end()
    }
  }

  #lose(error: LeaseLostError): void {
    if (this.#ended.signal.aborted) return
    this.#ended.abort()
    this.#options.onLost(error)
  }
}
