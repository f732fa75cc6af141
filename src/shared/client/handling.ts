import type { ClaimedIntent } from './answers.ts'
import type { LeaseLostError } from './errors.ts'
import type { Handler, Outcome } from './handler.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import type { LeaseOperations } from './leases.ts'
import { Patience } from './patience.ts'
import type { SettledIds } from './settled-ids.ts'
import { settle } from './settle.ts'
import { toError } from './thrown.ts'
import type { Tracing } from './tracing.ts'

export interface HandlingOptions {
  readonly leases: LeaseOperations
  readonly tracing: Tracing
  readonly intent: ClaimedIntent
  readonly workerId: string | undefined
  readonly handler: Handler
  readonly settledIds: SettledIds | undefined
  readonly onProgress: (note: unknown) => void
  /** Hears of trouble that did not end the work. */
  readonly onTrouble: (error: Error) => void
}

/** Who stops a worker does not wait longer for a bus that is down: without a word the lease ends by itself. */
const HAND_BACK_SECONDS = 5

/** Why a handler is told to end when its worker stops; the bus keeps it as the error of the attempt. */
class HandBackError extends Error {
  override readonly name = 'AbortError'

  constructor() {
    super('worker stopped')
  }
}

/** The work on one claimed intent: the handler runs, the lease is kept, and the bus is told how it ended. */
export class Handling {
  readonly #options: HandlingOptions
  readonly #interrupt = new AbortController()
  readonly #keeper: LeaseKeeper
  readonly #handedBack = new AbortController()
  /** With telling the bus how it ended; it has no limit of its own until the intent is handed back. */
  readonly #patience = new Patience(Infinity)
  /** When the handler has ended, which may be long after the lease was lost or handed back. Never rejects. */
  #work: Promise<Outcome> | undefined
  readonly #note = (error: unknown): undefined => void this.#options.onTrouble(toError(error))
  /** Resolves with how it ended for the bus. Rejects when that could not be told. */
  readonly settled: Promise<Outcome>

  constructor(options: HandlingOptions) {
    this.#options = options
    this.#keeper = new LeaseKeeper({
      leases: options.leases,
      intent: options.intent,
      onLost: (error: LeaseLostError) => this.#interrupt.abort(error),
      onTrouble: options.onTrouble
    })
    this.settled = this.#handle().finally(() => {
      this.#keeper.stop()
      this.#patience.end()
    })
  }

  /** Resolves when it is settled and the handler has ended, if it is waited for. Never rejects. */
  async finished(): Promise<void> {
    await this.settled.catch(() => {})
    await Promise.race([this.#work?.catch(() => {}), aborted(this.#handedBack.signal)])
  }

  /** Tells the handler to end, and gives the intent back without waiting for it, nor longer than a moment for the bus. */
  handBack(): void {
    if (this.#handedBack.signal.aborted) return
    this.#patience.restart(HAND_BACK_SECONDS)
    this.#interrupt.abort(new HandBackError())
    this.#handedBack.abort()
  }

  #handle(): Promise<Outcome> {
    const { intent, tracing, workerId } = this.#options
    const { goal, namespace, id: intentId, claimAttempts: attempt, traceparent } = intent
    return tracing.span({ kind: 'process', goal, namespace, intentId, workerId, attempt, traceparent }, async ({ noteError }) => {
      this.#work = this.#runHandler()
      const outcome = await this.#settle(this.#work)
      if (outcome.status !== 'fulfilled') noteError(outcome.error)
      return outcome
    })
  }

  async #settle(work: Promise<Outcome>): Promise<Outcome> {
    const { leases, intent, settledIds } = this.#options
    const { signal } = this.#interrupt
    const first = await Promise.race([work, aborted(signal)])
    // A handler that heeds its signal fails at the same moment, with an error that tells less.
    const outcome = signal.aborted && first?.status !== 'fulfilled' ? interruption(signal.reason as Error) : first!
    const isHandedBack = outcome.status === 'failed' && outcome.error instanceof HandBackError
    const seconds = Math.min(this.#keeper.left, isHandedBack ? HAND_BACK_SECONDS : Infinity)
    this.#keeper.stop()
    const settled = await settle(leases, intent, outcome, { seconds, signal: this.#patience.signal })
    // The bus refuses the result: what is remembered would only be refused again.
    if (outcome.status === 'fulfilled' && settled.status === 'failed') {
      await Promise.race([settledIds?.forget(intent).catch(this.#note), aborted(this.#patience.signal)])
    }
    return settled
  }

  /** Never rejects. */
  async #runHandler(): Promise<Outcome> {
    const { intent, handler, settledIds } = this.#options
    const known = await settledIds?.recall(intent).catch(this.#note)
    if (known !== undefined) return { status: 'fulfilled', result: known.result }
    try {
      const { signal } = this.#interrupt
      // Nothing is begun that is to end at once.
      signal.throwIfAborted()
      const result = await handler(intent.payload, { intent, signal, progress: (said) => this.#progress(said) })
      // Before the bus is told: what gets lost is the fulfil. Also when the lease is lost, for who claims it next.
      await settledIds?.remember(intent, result).catch(this.#note)
      return { status: 'fulfilled', result }
    } catch (error) {
      return { status: 'failed', error: toError(error) }
    }
  }

  async #progress(said: unknown): Promise<void> {
    const { signal } = this.#interrupt
    signal.throwIfAborted()
    this.#options.onProgress(said)
    await this.#keeper.touch()
    signal.throwIfAborted()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** How it ends for the bus when the handler is not waited for. */
function interruption(reason: Error): Outcome {
  return reason instanceof HandBackError ? { status: 'failed', error: reason } : { status: 'lost', error: reason }
}
