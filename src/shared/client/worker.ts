import { MAX_GOALS, WAIT } from '../limits.ts'
import type { ClaimedIntent } from './answers.ts'
import type { Claimant, Claims } from './claims.ts'
import type { Handler, HandlerContext, Outcome } from './handler.ts'
import { Handling } from './handling.ts'
import type { LeaseOperations } from './leases.ts'
import { Patience, sleep } from './patience.ts'
import { isPassing, pauseAfter } from './retry.ts'
import type { SettledIds } from './settled-ids.ts'
import { toError } from './thrown.ts'
import type { Tracing } from './tracing.ts'

/** Seconds between claims where the bus cannot hold them; a generated key has 60 requests a minute for all that it does. */
const POLL_INTERVAL = 5

export interface WorkerOptions {
  /** What is worked on, and how; in place of `goal` and `handler`. */
  readonly goals?: Readonly<Record<string, Handler>> | undefined
  readonly goal?: string | undefined
  readonly handler?: Handler | undefined
  readonly namespace?: string | undefined
  /** A key or its public id: only intents of that publisher. */
  readonly publisher?: string | undefined
  /** Default: the client's, as for the next. */
  readonly workerId?: string | undefined
  readonly capabilities?: readonly string[] | undefined
  /** How many intents are worked on at a time. Default: 1. */
  readonly concurrency?: number | undefined
  /** Seconds that a claim may be held until there is an intent. Default: 30. */
  readonly wait?: number | undefined
  /** Seconds between claims where the bus cannot hold them. Default: 5. */
  readonly pollInterval?: number | undefined
  /** Remembers what is done, so that an intent that is delivered again is not worked on twice. */
  readonly settled?: SettledIds | undefined
  /**
   * Hears of trouble: of claims (then without an intent), of leases, of results that could not be told. Default:
   * console.error.
   */
  readonly onError?: ((error: Error, intent?: ClaimedIntent) => void) | undefined
  /** Hears that the bus answers claims again, after trouble of claims that `onError` heard of. */
  readonly onRecovery?: (() => void) | undefined
  readonly onClaim?: ((intent: ClaimedIntent) => void) | undefined
  readonly onProgress?: ((note: unknown, intent: ClaimedIntent) => void) | undefined
  /** How the work on an intent ended; not called where the bus could not be told, then `onError` is. */
  readonly onSettled?: ((outcome: Outcome, intent: ClaimedIntent) => void) | undefined
  /** Aborting it is like `stop()`. */
  readonly signal?: AbortSignal | undefined
}

export interface StopOptions {
  /** Gives running intents back at once: they fail as `worker stopped`, and another worker may try. */
  readonly handBack?: boolean | undefined
  /** Seconds until running intents are given back. Default: as long as they take. */
  readonly timeout?: number | undefined
}

/** Claims intents and has them worked on, one after another or several at a time, until it is stopped. */
export class Worker {
  readonly #leases: LeaseOperations
  readonly #tracing: Tracing
  readonly #claims: Claims
  readonly #options: WorkerOptions
  readonly #handlers: ReadonlyMap<string, Handler>
  readonly #concurrency: number
  readonly #stopping = new AbortController()
  readonly #handlings = new Set<Handling>()
  #isHandingBack = false
  /** Ends the pause of a worker that has its hands full. */
  #wake = (): void => {}
  #running: Promise<void> | undefined

  /** Made by `client.worker(options)`. Throws TypeError for options that make no worker. */
  constructor(leases: LeaseOperations, tracing: Tracing, claims: (claimant: Claimant) => Claims, options: WorkerOptions) {
    this.#leases = leases
    this.#tracing = tracing
    this.#options = options
    this.#handlers = handlersOf(options)
    this.#concurrency = options.concurrency ?? 1
    if (!(this.#concurrency >= 1)) throw new TypeError('A worker has a concurrency of at least 1.')
    const { namespace, publisher, workerId, capabilities } = options
    this.#claims = claims({ goals: [...this.#handlers.keys()], namespace, publisher, workerId, capabilities })
  }

  /** How many intents are worked on right now. */
  get size(): number {
    return this.#handlings.size
  }

  /**
   * Works until it is stopped; resolves when the last intent is settled. Trouble with network or bus goes to `onError`, and
   * is tried again for as long as it takes. Rejects when the bus refuses to let it claim at all, as with a wrong key.
   */
  run(): Promise<void> {
    this.#running ??= this.#work()
    return this.#running
  }

  /** Claims no more, and resolves when what runs is settled. May be called again, to hand back what takes too long. */
  async stop({ handBack = false, timeout = Infinity }: StopOptions = {}): Promise<void> {
    this.#stopping.abort()
    this.#wake()
    const patience = new Patience(handBack ? 0 : timeout)
    patience.signal.addEventListener('abort', () => this.#handBack())
    try {
      await this.#running
    } catch {
      // Whoever runs it hears of that.
    } finally {
      patience.end()
    }
  }

  async #work(): Promise<void> {
    const { signal } = this.#options
    const stop = (): void => void this.stop()
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
    try {
      await this.#claimUntilStopped()
    } finally {
      while (this.#handlings.size > 0) await this.#change()
      signal?.removeEventListener('abort', stop)
    }
  }

  async #claimUntilStopped(): Promise<void> {
    const { wait = WAIT.max, pollInterval = POLL_INTERVAL } = this.#options
    const { signal } = this.#stopping
    for (let failures = 0; !signal.aborted; ) {
      if (this.#handlings.size >= this.#concurrency) {
        await this.#change()
        continue
      }
      try {
        // Behind trouble nothing is waited for at first: so it is known at once that it is over.
        const seconds = failures > 0 ? 0 : Infinity
        const intent = await this.#claims.next({ seconds, hold: wait, pollInterval, signal })
        if (failures > 0) this.#tell(() => this.#options.onRecovery?.())
        failures = 0
        if (intent !== null) this.#take(intent)
      } catch (error) {
        if (signal.aborted) return
        if (!isPassing(error)) throw error
        this.#report(error)
        await sleep(pauseAfter(error, failures++), signal).catch(() => {})
      }
    }
  }

  #take(intent: ClaimedIntent): void {
    const { settled, onClaim, onProgress } = this.#options
    const handling = new Handling({
      leases: this.#leases,
      tracing: this.#tracing,
      intent,
      workerId: this.#claims.workerId,
      handler: this.#handlers.get(intent.goal) ?? unknownGoal,
      settledIds: settled,
      onProgress: (note) => this.#tell(() => onProgress?.(note, intent), intent),
      onTrouble: (error) => this.#report(error, intent)
    })
    this.#handlings.add(handling)
    if (this.#isHandingBack) handling.handBack()
    void this.#follow(handling, intent)
    this.#tell(() => onClaim?.(intent), intent)
  }

  async #follow(handling: Handling, intent: ClaimedIntent): Promise<void> {
    try {
      const outcome = await handling.settled
      if (outcome.status === 'lost') this.#report(outcome.error, intent)
      this.#tell(() => this.#options.onSettled?.(outcome, intent), intent)
    } catch (error) {
      this.#report(toError(error), intent)
    } finally {
      // A handler that goes on although its lease is lost still takes up a place.
      await handling.finished()
      this.#handlings.delete(handling)
      this.#wake()
    }
  }

  /** Resolves when the work on an intent ends, or the worker is told to stop. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #handBack(): void {
    this.#isHandingBack = true
    for (const handling of this.#handlings) handling.handBack()
  }

  /** What those who listen do wrong, at once or later, is trouble like any other, and ends no work. */
  #tell(call: () => unknown, intent?: ClaimedIntent): void {
    invoke(call).catch((error: unknown) => this.#report(toError(error), intent))
  }

  #report(error: Error, intent?: ClaimedIntent): void {
    const { onError = print } = this.#options
    invoke(() => onError(error, intent)).catch((fault: unknown) => console.error('intent bus: onError threw', fault))
  }
}

/** Calls at once; what that throws is a rejection, too. */
async function invoke(call: () => unknown): Promise<void> {
  await call()
}

function print(error: Error, intent?: ClaimedIntent): void {
  console.error(`intent bus: ${intent === undefined ? '' : `${intent.goal} ${intent.id}: `}${error.message}`)
}

function handlersOf({ goals, goal, handler }: WorkerOptions): ReadonlyMap<string, Handler> {
  const handlers = new Map(Object.entries(goals ?? {}))
  if (goal !== undefined && handler !== undefined) handlers.set(goal, handler)
  if (handlers.size >= 1 && handlers.size <= MAX_GOALS) return handlers
  throw new TypeError(`A worker has handlers for 1 to ${MAX_GOALS} goals: pass goals, or goal and handler.`)
}

/** For a server that hands out what was not asked for. */
function unknownGoal(_payload: unknown, { intent }: HandlerContext): never {
  throw new Error(`This worker has no handler for ${intent.goal}.`)
}
