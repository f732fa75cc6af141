import { RIGHTS, type Right } from '../../../shared/control/rights.ts'
import type { ControlError } from '../../../shared/control/transport.ts'
import type { Counts } from '../../../shared/control/intent-views.ts'
import type { BusStatus } from '../../../shared/control/status-views.ts'
import type { Carrier } from '../transport/carrier.ts'
import type { Clock } from './clock.svelte.ts'
import { asControlError } from './failure.ts'
import type { Feed } from './feed.svelte.ts'

/** Milliseconds without events before it is said: a moment's gap concerns nobody. */
const PATIENCE_MS = 2_000

/** Whether there is a bus behind the interface, how it is, and whether events come in. */
export class Connection {
  /** null until the bus has told it. */
  status = $state.raw<BusStatus | null>(null)
  /** Intents by status. */
  counts = $state.raw<Counts | null>(null)
  /** Why the status cannot be had; null when it can. */
  failure = $state.raw<ControlError | null>(null)
  /** A browser without a session. */
  needsLogin = $state(false)
  /** What the login says of why this page is logged out; null where it has nothing to say. */
  loginReason = $state<string | null>(null)
  /** What the bus lets this page do. */
  rights = $state.raw<readonly Right[]>([])
  /** Events have not come in for a while. */
  isOffline = $state(false)
  /** Grows whenever the bus comes back: what was asked before may be stale, and what was refused may be had now. */
  generation = $state(0)
  readonly #carrier: Carrier
  readonly #clock: Clock
  readonly #feed: Feed
  #stopListening: (() => void) | undefined
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor(carrier: Carrier, clock: Clock, feed: Feed) {
    this.#carrier = carrier
    this.#clock = clock
    this.#feed = feed
    if (carrier.session !== null) carrier.session.onEnd = () => this.#end()
    feed.subscribe(({ counts, status }) => {
      this.counts = counts
      if (status !== undefined) this.#takeStatus(status)
    })
  }

  /** Asks for the status, and follows events if that is allowed. */
  async open(): Promise<void> {
    if (await this.#lacksSession()) {
      this.#end()
      return
    }
    // First, so that nothing is offered that is refused.
    await this.#askRights()
    await this.refresh()
    if (!this.needsLogin) this.#listen()
  }

  /** Rejects with ControlError. */
  async login(password: string): Promise<void> {
    await this.#carrier.session!.login(password)
    await this.enter()
  }

  /** Goes in with the session that this browser was just given. */
  async enter(): Promise<void> {
    this.needsLogin = false
    this.loginReason = null
    await this.open()
  }

  /** Asks for another database, after which nobody may be logged in any more: then the login says `reason`. `ask`: whether it is under way. */
  async replaceDatabase(reason: string, ask: () => Promise<boolean>): Promise<void> {
    // First, because the session may be over before the answer is here.
    this.loginReason = reason
    if (!(await ask())) this.loginReason = null
  }

  /** Asks for the status again. */
  async refresh(): Promise<void> {
    try {
      this.#takeStatus(await this.#carrier.transport.call('status.get', {}))
    } catch (error) {
      this.failure = asControlError(error)
    }
  }

  /** Asked first, because a call that is refused is an error in the browser's console. */
  async #lacksSession(): Promise<boolean> {
    try {
      return this.#carrier.session !== null && !(await this.#carrier.session.isOpen())
    } catch {
      // The call that follows says what is wrong.
      return false
    }
  }

  async #askRights(): Promise<void> {
    // Whoever sits at the app may do everything, also while there is no bus to say so.
    if (this.#carrier.session === null) this.rights = RIGHTS
    try {
      this.rights = (await this.#carrier.transport.call('access.whoami', {})).rights
    } catch {
      // The call that follows says what is wrong.
    }
  }

  #takeStatus(status: BusStatus): void {
    const before = this.status
    this.status = status
    if (before !== null && (before.state !== status.state || before.since !== status.since)) {
      this.generation++
      // Still logged in.
      this.loginReason = null
    }
    this.failure = null
    this.#clock.set(status.now)
  }

  #listen(): void {
    this.#stopListening ??= this.#carrier.transport.listen(
      (frame) => this.#feed.take(frame),
      (isLive) => this.#setLive(isLive)
    )
  }

  #setLive(isLive: boolean): void {
    if (!isLive) {
      this.#patience ??= setTimeout(() => {
        this.isOffline = true
        // Says why, if it can be told.
        void this.refresh()
      }, PATIENCE_MS)
      return
    }
    this.#stopWaiting()
    if (!this.isOffline && this.failure === null) return
    this.isOffline = false
    this.generation++
    // The bus may be another one than before the gap.
    void this.refresh()
  }

  #stopWaiting(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  #end(): void {
    this.#stopWaiting()
    this.#stopListening?.()
    this.#stopListening = undefined
    this.isOffline = false
    this.needsLogin = true
  }
}
