import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from './client.ts'
import type { Options } from './options.ts'
import { Trouble } from './trouble.ts'

/** Requests that publish at a time. */
const PUBLISHERS = 8
/** Milliseconds without any progress after which the run is given up. */
const PATIENCE_MS = 30_000

interface Claimed {
  readonly id: string
  readonly claim_token: string
  readonly claim_attempts: number
  readonly payload: { readonly run: string; readonly n: number }
}

/** One run: publishes all its intents while its workers claim and fulfil them. */
export class Stress {
  readonly client: Client
  readonly #options: Options
  /** Nobody else's intents have this goal, so nobody else's are ever touched. */
  readonly #goal = `stress-${randomBytes(8).toString('hex')}`
  /** By number of the intent: when its publishing began, in milliseconds. */
  readonly #startedAt: number[] = []
  /** By number of the intent: how often fulfilling it was confirmed. */
  readonly #fulfilments: number[]
  readonly #stopped = new AbortController()
  /** Milliseconds from the beginning of a publish to the confirmation of its fulfil. */
  readonly lifetimes: number[] = []
  readonly published = new Set<string>()
  /** Claims of an intent that was claimed before, and leases that were lost. */
  redelivered = 0
  leasesLost = 0
  /** Claimed intents that this run never published. */
  strangers = 0
  seconds = 0
  #lastProgress = 0

  constructor(options: Options) {
    this.#options = options
    this.#fulfilments = Array<number>(options.intents).fill(0)
    this.client = new Client(options.url, options.key)
  }

  /** Intents fulfilled so far. */
  get fulfilled(): number {
    return this.lifetimes.length
  }

  /** Intents whose fulfil was confirmed more than once. */
  get repeated(): number {
    return this.#fulfilments.filter((count) => count > 1).length
  }

  get isFaultless(): boolean {
    const { intents } = this.#options
    const isComplete = this.published.size === intents && this.fulfilled === intents
    return isComplete && this.repeated === 0 && this.strangers === 0
  }

  /** Throws Trouble when the bus cannot be used at all. */
  check(): Promise<void> {
    return this.client.check(this.#goal)
  }

  /** Throws Trouble when the run had to be given up. */
  async run(): Promise<void> {
    const { intents, workers } = this.#options
    const started = performance.now()
    this.#progress()
    let next = 0
    const publish = async (): Promise<void> => {
      while (next < intents && !this.#stopped.signal.aborted) await this.#publish(next++)
    }
    const parts = [
      ...Array.from({ length: PUBLISHERS }, publish),
      ...Array.from({ length: workers }, (_, i) => this.#work(`stress-${i + 1}`))
    ]
    try {
      await Promise.all(parts)
    } finally {
      this.#stopped.abort()
      // Requests that are under way end before the figures are read.
      await Promise.allSettled(parts)
      this.seconds = (performance.now() - started) / 1000
    }
  }

  async #publish(n: number): Promise<void> {
    // Before the request: a worker may have the intent before its publisher has the answer.
    this.#startedAt[n] = performance.now()
    const id = await this.client.publish(this.#goal, { run: this.#goal, n }, `${this.#goal}-${n}`)
    this.published.add(id)
    this.#progress()
  }

  async #work(worker: string): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const answer = await this.client.claim(this.#goal, worker)
      if (answer.status === 200) await this.#fulfill(JSON.parse(answer.text) as Claimed)
      else await this.#pause(answer.retryAfter)
    }
  }

  async #fulfill({ id, claim_token, claim_attempts, payload }: Claimed): Promise<void> {
    const { n, run } = payload
    if (claim_attempts > 1) this.redelivered++
    const startedAt = this.#startedAt[n]
    if (run !== this.#goal || startedAt === undefined) {
      this.strangers++
      return
    }
    if (!(await this.client.fulfill(id, claim_token, { n }))) {
      this.leasesLost++
      return
    }
    if (this.#fulfilments[n]!++ > 0) return
    this.lifetimes.push(performance.now() - startedAt)
    this.#progress()
    if (this.fulfilled === this.#options.intents) this.#stopped.abort()
  }

  async #pause(seconds: number): Promise<void> {
    if (performance.now() - this.#lastProgress > PATIENCE_MS) {
      const patience = `${PATIENCE_MS / 1000} seconds`
      throw new Trouble(`Nothing moved for ${patience}: the bus has nothing to claim; it may be paused.`)
    }
    await sleep(seconds * 1000, undefined, { signal: this.#stopped.signal }).catch(() => {})
  }

  #progress(): void {
    this.#lastProgress = performance.now()
  }
}
