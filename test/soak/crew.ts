import { setTimeout as sleep } from 'node:timers/promises'
import { IntentBusError, IntentClient, LeaseLostError, type ClaimedIntent } from '../../src/shared/client/index.ts'
import type { Ledger } from './ledger.ts'

export interface CrewOptions {
  /** Where the bus is now; it keeps its port over restarts. */
  readonly url: string
  readonly key: string
  readonly publishesPerSecond: number
  readonly workers: number
}

/** Seconds that a claim waits at the bus, and after trouble here. */
const WAIT = 5
const REST = 0.2
/** One intent in so many is ... */
const FAILS_ONCE = 15
const DIES = 25
const IS_DROPPED = 60
const IS_SLOW = 40
const IS_DELAYED = 10
const IS_WAITED_FOR = 12

const GOALS = ['soak.resize', 'soak.mail', 'soak.backup'] as const

/** Publishers, workers and onlookers of a bus, who write down what it acknowledged. */
export class Crew {
  readonly #options: CrewOptions
  readonly #ledger: Ledger
  readonly #client: IntentClient
  readonly #over = new AbortController()
  readonly #tasks: Promise<void>[] = []
  readonly #publishing = new Set<Promise<void>>()
  #isPublishing = true
  #n = 0
  /** Milliseconds of publishes and settlements since they were last taken. */
  #samples: number[] = []

  constructor(options: CrewOptions, ledger: Ledger) {
    this.#options = options
    this.#ledger = ledger
    // Signed as the SDK does by default: nonces are part of the load.
    this.#client = new IntentClient({ baseUrl: options.url, apiKey: options.key, workerId: 'soak' })
  }

  start(): void {
    this.#tasks.push(this.#publish(), this.#keepValues(), this.#follow())
    for (let i = 0; i < this.#options.workers; i++) this.#tasks.push(this.#work(`soak-${i}`))
  }

  takeSamples(): readonly number[] {
    return this.#samples.splice(0)
  }

  /** No new intents; resolves when all that were on their way are acknowledged. */
  async stopPublishing(): Promise<void> {
    this.#isPublishing = false
    await Promise.all(this.#publishing)
  }

  async stop(): Promise<void> {
    this.#over.abort()
    await Promise.all(this.#tasks)
  }

  /** Status and result as the bus tells them; undefined where it knows nothing. */
  async outcome(id: string): Promise<{ readonly status: string; readonly result: string | null } | undefined> {
    try {
      const { status, resultText } = await this.#client.getResult(id)
      return { status, result: status === 'fulfilled' ? resultText : null }
    } catch (error) {
      if (error instanceof IntentBusError && error.status === 404) return undefined
      throw error
    }
  }

  async #publish(): Promise<void> {
    const interval = 1000 / this.#options.publishesPerSecond
    for (let due = performance.now(); this.#isPublishing; due += interval) {
      await sleep(Math.max(0, due - performance.now()))
      const one = this.#publishOne(++this.#n)
      this.#publishing.add(one)
      void one.finally(() => this.#publishing.delete(one))
    }
  }

  async #publishOne(n: number): Promise<void> {
    const mustDie = n % DIES === 0
    const payload = { n, kind: mustDie ? 'dies' : n % FAILS_ONCE === 0 ? 'fails' : n % IS_DROPPED === 0 ? 'dropped' : n % IS_SLOW === 0 ? 'slow' : 'plain' }
    const options = {
      idempotencyKey: `soak-${process.pid}-${n}`,
      priority: n % 3,
      ...(n % IS_DELAYED === 0 && { delay: 1 + (n % 3) }),
      ...(mustDie && { maxAttempts: 1 }),
      backoffBase: 1
    }
    // Until the bus has said so: the key makes it one intent, however often it is sent.
    for (;;) {
      const started = performance.now()
      try {
        const { id } = await this.#client.publish(GOALS[n % GOALS.length]!, payload, options)
        this.#samples.push(performance.now() - started)
        this.#ledger.published(id, mustDie)
        if (n % IS_WAITED_FOR === 0) void this.#client.getResult(id, { wait: WAIT, signal: this.#over.signal }).catch(() => {})
        return
      } catch (error) {
        if (!(error instanceof IntentBusError)) throw error
        await sleep(REST * 1000)
      }
    }
  }

  async #work(worker: string): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      const askedAt = performance.now()
      try {
        const intent = await this.#client.claim({ goal: GOALS, workerId: worker, wait: WAIT, signal })
        if (intent === null) continue
        this.#ledger.claimed(intent.id, worker, askedAt, intent.claimTimeout)
        await this.#carryOut(intent)
      } catch {
        // The bus is being restarted, or the soak is over.
        await sleep(REST * 1000)
      }
    }
  }

  async #carryOut({ id, claimToken, payload, claimAttempts, claimTimeout }: ClaimedIntent): Promise<void> {
    const { n, kind } = payload as { readonly n: number; readonly kind: string }
    // A worker that vanishes: its lease ends by itself.
    if (kind === 'dropped' && claimAttempts === 1) return
    try {
      if (kind === 'slow') {
        const askedAt = performance.now()
        await this.#client.extendClaim(id, claimToken, 2 * claimTimeout)
        this.#ledger.extended(id, askedAt, 2 * claimTimeout)
        await sleep(claimTimeout * 1000 * 1.3, undefined, { signal: this.#over.signal }).catch(() => {})
      }
      const isFailure = kind === 'dies' || (kind === 'fails' && claimAttempts === 1)
      const started = performance.now()
      if (isFailure) await this.#client.fail(id, claimToken, `no ${n}`)
      else await this.#client.fulfill(id, claimToken, { n })
      this.#samples.push(performance.now() - started)
      this.#ledger.settled(id, isFailure ? undefined : JSON.stringify({ n }))
    } catch (error) {
      // Whether the bus has heard of it is not known.
      if (!(error instanceof LeaseLostError)) await sleep(REST * 1000)
      this.#ledger.released(id)
    }
  }

  async #keepValues(): Promise<void> {
    for (let i = 0; !this.#over.signal.aborted; i++) {
      try {
        await this.#client.set(`soak.${i % 20}`, { i })
        await this.#client.get(`soak.${i % 20}`)
      } catch {
        // As above.
      }
      await sleep(250)
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#over
    while (!signal.aborted) {
      try {
        for await (const _ of this.#client.events({ signal })) if (signal.aborted) break
      } catch {
        // As above.
      }
      await sleep(REST * 1000)
    }
  }
}
