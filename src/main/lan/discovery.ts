import { Worker } from 'node:worker_threads'
import type { SharingView } from '../../shared/control/network-views.ts'
import type { Clock } from '../bus/clock.ts'
import type { Log } from '../log.ts'

/** What is announced, and where. */
export interface Announcement {
  readonly interface: string
  readonly addresses: readonly string[]
  readonly port: number
  /** What the bus and its machine are called; the second where others have the first. */
  readonly names: readonly [AnnouncedName, AnnouncedName]
  /** The TXT record: read by everybody. */
  readonly text: Readonly<Record<string, string>>
}

export interface AnnouncedName {
  readonly name: string
  /** Ends in `.local`. */
  readonly host: string
}

/** What the thread that announces is told: to say goodbye, or that it is alive. */
export type ToAnnouncer = 'end' | 'say-alive'

/** What it says: by which host name it announces, why not, or that it is alive. */
export type FromAnnouncer = { readonly announced: string } | { readonly problem: string } | { readonly isAlive: true }

/** Milliseconds that a goodbye may take. */
const GOODBYE_MS = 1_500
/** Seconds until it is tried again after it failed. */
const RETRY_AFTER = 30
/** Seconds from one sign of life to the next: without one, the thread is ended. */
export const HEARTBEAT = 10

export interface DiscoveryOptions {
  /** The module of the thread. */
  readonly entry: URL
  readonly clock: Clock
  readonly log: Log
  /** The state is another one. */
  readonly onChange: () => void
}

/** Announces the bus by mDNS, from a thread of its own that may fail without harm. */
export class Discovery {
  readonly #options: DiscoveryOptions
  #wanted: string | undefined
  #worker: Worker | undefined
  #state: SharingView['discovery'] = { state: 'off', problem: null }
  #host: string | null = null
  #failedAt = -Infinity
  #isAlive = false
  #cancelBeat: (() => void) | undefined

  constructor(options: DiscoveryOptions) {
    this.#options = options
  }

  get view(): SharingView['discovery'] {
    return this.#state
  }

  /** The host name that is announced; null while there is none. */
  get host(): string | null {
    return this.#host
  }

  /** Announces this from now on, in place of what was announced before; null for nothing. What failed is tried again in time. */
  async announce(announcement: Announcement | null): Promise<void> {
    const wanted = announcement === null ? undefined : JSON.stringify(announcement)
    const isDue = this.#state.state === 'failed' && this.#options.clock.now() - this.#failedAt >= RETRY_AFTER
    if (wanted === this.#wanted && !isDue) return
    this.#wanted = wanted
    await this.#end()
    if (announcement !== null) this.#start(announcement)
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    await this.announce(null)
  }

  #start(announcement: Announcement): void {
    const { entry, log } = this.#options
    const worker = new Worker(entry, { workerData: announcement, stdout: true, stderr: true })
    this.#worker = worker
    for (const output of [worker.stdout, worker.stderr]) output.on('data', (said: Buffer) => log.debug({ announcer: String(said) }, 'mDNS'))
    worker.on('message', (message: FromAnnouncer) => {
      if (worker !== this.#worker) return
      if ('isAlive' in message) this.#isAlive = true
      else if ('problem' in message) this.#fail(message.problem)
      else this.#become({ state: 'announced', problem: null }, message.announced)
    })
    worker.on('error', (err) => {
      log.warn({ err }, 'mDNS failed')
      if (worker === this.#worker) this.#fail(err.message)
    })
    worker.on('exit', () => {
      if (worker === this.#worker) this.#fail('it ended by itself')
    })
    this.#askForLife(worker)
  }

  /** Ends it when it does not say in time that it is alive, however often it is asked. */
  #askForLife(worker: Worker): void {
    this.#isAlive = false
    worker.postMessage('say-alive' satisfies ToAnnouncer)
    this.#cancelBeat = this.#options.clock.after(HEARTBEAT, () => {
      if (this.#isAlive) this.#askForLife(worker)
      else this.#fail('it does not answer')
    })
  }

  async #end(): Promise<void> {
    const worker = this.#letGo()
    // First: whatever those do who hear of the new state, the thread is told to end.
    const ended = worker && goodbye(worker)
    this.#become({ state: 'off', problem: null }, null)
    await ended
  }

  /** What it says from now on does not count. */
  #letGo(): Worker | undefined {
    const worker = this.#worker
    this.#worker = undefined
    this.#cancelBeat?.()
    return worker
  }

  #fail(reason: string): void {
    void this.#letGo()?.terminate()
    this.#failedAt = this.#options.clock.now()
    const problem = `The bus cannot be announced by mDNS (${reason}); other machines reach it by its address all the same.`
    this.#become({ state: 'failed', problem }, null)
  }

  #become(state: SharingView['discovery'], host: string | null): void {
    const isNew = state.state !== this.#state.state || state.problem !== this.#state.problem || host !== this.#host
    this.#state = state
    this.#host = host
    if (isNew) this.#options.onChange()
  }
}

/** Has the thread say goodbye and end; one that does not in time is ended. */
async function goodbye(worker: Worker): Promise<void> {
  const ended = new Promise<void>((resolve) => void worker.once('exit', () => resolve()))
  worker.postMessage('end' satisfies ToAnnouncer)
  const timer = setTimeout(() => void worker.terminate(), GOODBYE_MS)
  await ended
  clearTimeout(timer)
}
