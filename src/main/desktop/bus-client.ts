import type { DamageView, Recovery } from '../../shared/control/backup-views.ts'
import type { Envelope } from '../../shared/control/transport.ts'
import type { EventFrame } from '../../shared/control/event-frame.ts'
import type { Counts } from '../../shared/control/intent-views.ts'
import type { BusStatus } from '../../shared/control/status-views.ts'
import type { Clock } from '../bus/clock.ts'
import type { Log } from '../log.ts'
import type { FromBus, HostRequest, HostServices, ToBus } from './bus-messages.ts'
import { RestartBudget } from './restart-budget.ts'
import { absenceIn, absentStatus, NO_COUNTS, refusedByStopped, type BusState } from './stopped-bus.ts'

/** A thread that runs the bus: what is used of node's Worker. */
export interface BusThread {
  postMessage(message: ToBus): void
  on(event: 'message', listener: (message: FromBus) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'exit', listener: () => void): unknown
  terminate(): Promise<unknown>
}

export interface BusClientOptions {
  /** Starts a thread, and all that must be found out before; `recovery`: what it is to do about a damaged database. */
  readonly spawn: (recovery: Recovery | null) => Promise<BusThread>
  readonly services: HostServices
  readonly dataDir: string
  readonly logFile: string
  readonly log: Log
  readonly clock: Clock
}

interface Listener {
  readonly onFrame: (frame: EventFrame) => void
  readonly onState: (isLive: boolean) => void
}

const MAX_RESTARTS = 3
const RESTART_WINDOW = 300
/** Milliseconds beyond the grace that a closing bus gets for its database. */
const CLOSE_PATIENCE_MS = 1_500

/** The main thread's hold of the bus: starts its thread, asks it, and answers in its place while it is not there. */
export class BusClient {
  readonly #options: BusClientOptions
  readonly #budget: RestartBudget
  readonly #listeners = new Set<Listener>()
  readonly #waiting = new Map<number, (envelope: Envelope) => void>()
  #thread: BusThread | undefined
  #state: BusState = { name: 'stopped', problem: 'It was not started yet.' }
  /** Resolves when a start has come to an end, either way. */
  #started: PromiseWithResolvers<void> = Promise.withResolvers()
  /** Resolves when the thread has closed its bus. */
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers()
  #closing: Promise<void> | undefined
  #lastId = 0
  #seq = 0
  #counts: Counts = NO_COUNTS
  #lastStatus: BusStatus | undefined
  #hasLostFrames = false
  /** The thread ends because another one is to take its place. */
  #isReplaced = false

  constructor(options: BusClientOptions) {
    this.#options = options
    this.#budget = new RestartBudget(options.clock, MAX_RESTARTS, RESTART_WINDOW)
  }

  get isRunning(): boolean {
    return this.#state.name === 'running'
  }

  /** Starts the bus where it is stopped. */
  start(recovery: Recovery | null = null): void {
    if (this.#state.name === 'stopped') this.#begin(recovery)
  }

  /** Carries out a call of the control contract. Never rejects; calls made while the bus starts wait for it. */
  async call(method: string, input: unknown): Promise<Envelope> {
    if (method === 'bus.start' && this.#state.name === 'stopped') return this.#startFor(input)
    if (this.#state.name === 'starting' && method !== 'status.get') await this.#started.promise
    if (this.isRunning) return this.#ask(method, input)
    if (method === 'status.get') return { ok: true, value: this.#absentStatus() }
    return refusedByStopped(absenceIn(this.#state).problem ?? '')
  }

  async #startFor(input: unknown): Promise<Envelope> {
    const { damage } = absenceIn(this.#state)
    this.start(damage?.recoveries.find((recovery) => recovery === (input as { recovery?: unknown }).recovery))
    await this.#started.promise
    // What was to be done about the database has been done.
    return this.isRunning ? this.#ask('bus.start', {}) : refusedByStopped(absenceIn(this.#state).problem ?? '')
  }

  /**
   * Hears what happens, as `ControlTransport` has it, until the answer is called. Changes of the bus itself, its stop
   * and start included, come as frames with a status.
   */
  listen(onFrame: Listener['onFrame'], onState: Listener['onState']): () => void {
    const listener: Listener = { onFrame, onState }
    this.#listeners.add(listener)
    onState(this.isRunning)
    const status = this.isRunning ? this.#lastStatus : this.#absentStatus()
    if (this.#listeners.size === 1 && this.isRunning) this.#send({ kind: 'listen' })
    else onFrame({ seq: this.#seq, changes: [], missed: 0, counts: this.#counts, ...(status && { status }) })
    return () => {
      const wasThere = this.#listeners.delete(listener)
      if (wasThere && this.#listeners.size === 0 && this.isRunning) this.#send({ kind: 'unlisten' })
    }
  }

  /** Tells the bus that the machine is about to sleep, or is awake again. */
  tellPower(what: 'sleeps' | 'wakes'): void {
    if (this.isRunning) this.#send({ kind: 'power', what })
  }

  /** Closes the bus for good: requests under way get `graceMs`, and a thread that hangs is ended after some more. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs)
    return this.#closing
  }

  async #close(graceMs: number): Promise<void> {
    const { clock, log } = this.#options
    const thread = this.#thread
    this.#enter({ name: 'closed' })
    this.#started.resolve()
    if (thread === undefined) return
    thread.postMessage({ kind: 'close', graceMs })
    const cancel = clock.after((graceMs + CLOSE_PATIENCE_MS) / 1000, () => {
      log.error('the bus did not close in time and is ended')
      this.#closed.resolve()
    })
    await this.#closed.promise
    cancel()
    // A thread that hangs in a call of the system does not end either; the process does not wait for it.
    void thread.terminate()
  }

  #begin(recovery: Recovery | null = null): void {
    this.#started = Promise.withResolvers()
    this.#enter({ name: 'starting' })
    void this.#spawn(recovery)
  }

  async #spawn(recovery: Recovery | null): Promise<void> {
    let thread: BusThread
    try {
      thread = await this.#options.spawn(recovery)
    } catch (error) {
      this.#stop(`Its thread cannot be started: ${(error as Error).message}.`)
      return
    }
    if (this.#state.name !== 'starting') {
      void thread.terminate()
      return
    }
    this.#thread = thread
    let crash: unknown
    thread.on('message', (message) => {
      if (this.#thread === thread) this.#receive(message)
    })
    thread.on('error', (error) => (crash = error))
    thread.on('exit', () => {
      if (this.#thread === thread) this.#lost(crash)
    })
  }

  #receive(message: FromBus): void {
    switch (message.kind) {
      case 'ready':
        if (this.#state.name !== 'starting') return
        this.#enter({ name: 'running' })
        this.#started.resolve()
        break
      case 'failed':
        if (this.#state.name === 'closed') this.#closed.resolve()
        else this.#stop(message.problem, message.damage)
        break
      case 'restarting':
        if (this.#state.name !== 'running') return
        this.#isReplaced = true
        this.#started = Promise.withResolvers()
        this.#enter({ name: 'starting' })
        break
      case 'answer':
        this.#waiting.get(message.id)?.(message.envelope)
        this.#waiting.delete(message.id)
        break
      case 'frame':
        this.#relay(message.frame)
        break
      case 'host-request':
        void this.#serve(message)
        break
      case 'closed':
        this.#closed.resolve()
    }
  }

  #send(message: ToBus): void {
    this.#thread?.postMessage(message)
  }

  #ask(method: string, input: unknown): Promise<Envelope> {
    const id = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<Envelope>()
    this.#waiting.set(id, resolve)
    this.#send({ kind: 'call', id, method, input })
    return promise
  }

  async #serve({ id, service, argument }: HostRequest): Promise<void> {
    const { services } = this.#options
    const carryOut = services[service] as (argument: unknown) => Promise<unknown>
    try {
      this.#send({ kind: 'host-answer', id, value: await carryOut.call(services, argument) })
    } catch (error) {
      this.#send({ kind: 'host-refusal', id, message: (error as Error).message })
    }
  }

  /** The thread has ended. */
  #lost(crash: unknown): void {
    const { log, logFile } = this.#options
    this.#thread = undefined
    const refusal = refusedByStopped('It stopped before it answered; what was asked for may have been done all the same.')
    for (const answer of this.#waiting.values()) answer(refusal)
    this.#waiting.clear()
    if (this.#state.name === 'closed') {
      if (crash !== undefined) log.error({ err: crash }, 'the bus could not be closed')
      this.#closed.resolve()
      return
    }
    if (this.#isReplaced) {
      this.#isReplaced = false
      void this.#spawn(null)
      return
    }
    log.error({ err: crash }, 'the bus stopped by itself')
    // Who waits for a start that failed this way waits for the next one.
    const previous = this.#started
    if (this.#budget.take()) this.#begin()
    else this.#stop(`It stopped by itself again and again${because(crash)}; ${logFile} says more. Start it again when that is mended.`)
    void this.#started.promise.then(previous.resolve)
  }

  #stop(problem: string, damage?: DamageView): void {
    const thread = this.#thread
    this.#thread = undefined
    void thread?.terminate()
    this.#options.log.error({ problem }, 'the bus is stopped')
    this.#enter({ name: 'stopped', problem, ...(damage && { damage }) })
    this.#started.resolve()
  }

  #enter(state: BusState): void {
    const wasRunning = this.isRunning
    this.#state = state
    if (this.isRunning !== wasRunning) {
      this.#hasLostFrames ||= wasRunning
      for (const { onState } of [...this.#listeners]) onState(this.isRunning)
    }
    if (this.isRunning) void this.#resume()
    else this.#tellStatus(this.#absentStatus())
  }

  async #resume(): Promise<void> {
    if (this.#listeners.size > 0) this.#send({ kind: 'listen' })
    const status = await this.#ask('status.get', {})
    if (!this.isRunning || !status.ok) return
    this.#lastStatus = status.value as BusStatus
    this.#tellStatus(this.#lastStatus)
  }

  #tellStatus(status: BusStatus): void {
    this.#deliver({ seq: 0, changes: [], missed: 0, counts: this.#counts, status })
  }

  #relay(frame: EventFrame): void {
    const missed = frame.missed + (this.#hasLostFrames ? 1 : 0)
    this.#hasLostFrames = false
    this.#counts = frame.counts
    if (frame.status !== undefined) this.#lastStatus = frame.status
    this.#deliver({ ...frame, missed })
  }

  /** Frames are numbered here: a bus that was started again begins anew. */
  #deliver(frame: EventFrame): void {
    const numbered = { ...frame, seq: ++this.#seq }
    for (const { onFrame } of [...this.#listeners]) onFrame(numbered)
  }

  #absentStatus(): BusStatus {
    return absentStatus(absenceIn(this.#state), this.#lastStatus, this.#options.dataDir, this.#options.clock.now())
  }
}

function because(crash: unknown): string {
  return crash instanceof Error ? ` (${crash.message})` : ''
}
