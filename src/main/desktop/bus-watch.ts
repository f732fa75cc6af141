import type { Envelope } from '../../shared/control/transport.ts'
import type { EventFrame } from '../../shared/control/event-frame.ts'
import type { Counts, IntentPage } from '../../shared/control/intent-views.ts'
import type { Template } from '../../shared/control/library-views.ts'
import type { BusStatus } from '../../shared/control/status-views.ts'
import type { Clock } from '../bus/clock.ts'
import type { BusClient } from './bus-client.ts'
import { NO_COUNTS } from './stopped-bus.ts'
import { Throttle } from './throttle.ts'

/** What the shell shows of the bus. */
export interface BusPicture {
  readonly status: BusStatus | null
  readonly counts: Counts
  /** The newest dead letters. */
  readonly failures: readonly { readonly id: string; readonly goal: string; readonly error: string | null }[]
  readonly templates: readonly { readonly id: string; readonly name: string }[]
}

const MAX_FAILURES = 6
const INTERVAL = 1

/** Keeps the picture of the bus up to date for tray and notifications. */
export class BusWatch {
  readonly #bus: Pick<BusClient, 'call' | 'listen'>
  readonly #onFrame: (frame: EventFrame) => void
  readonly #tell: Throttle
  readonly #readFailures: Throttle
  #picture: BusPicture = { status: null, counts: NO_COUNTS, failures: [], templates: [] }

  /** `onPicture` hears of a new picture at most once a second, `onFrame` of every frame. */
  constructor(
    bus: Pick<BusClient, 'call' | 'listen'>,
    clock: Clock,
    onPicture: (picture: BusPicture) => void,
    onFrame: (frame: EventFrame) => void
  ) {
    this.#bus = bus
    this.#onFrame = onFrame
    this.#tell = new Throttle(clock, INTERVAL, () => onPicture(this.#picture))
    this.#readFailures = new Throttle(clock, INTERVAL, () => void this.#refreshFailures())
  }

  get picture(): BusPicture {
    return this.#picture
  }

  start(): void {
    this.#bus.listen(
      (frame) => this.#take(frame),
      (isLive) => {
        if (!isLive) return
        void this.#refreshTemplates()
        this.#readFailures.ask()
      }
    )
  }

  #take(frame: EventFrame): void {
    const hasOtherDead = frame.missed > 0 || frame.counts.dead !== this.#picture.counts.dead
    this.#change({ counts: frame.counts, ...(frame.status && { status: frame.status }) })
    if (hasOtherDead || frame.changes.some(({ status }) => status === 'dead')) this.#readFailures.ask()
    if (frame.changed?.includes('templates')) void this.#refreshTemplates()
    this.#onFrame(frame)
  }

  async #refreshFailures(): Promise<void> {
    const page = valueOf<IntentPage>(await this.#bus.call('intents.list', { filter: 'status:dead', limit: MAX_FAILURES }))
    this.#change({ failures: page?.rows.map(({ id, goal, error }) => ({ id, goal, error })) ?? [] })
  }

  async #refreshTemplates(): Promise<void> {
    const templates = valueOf<readonly Template[]>(await this.#bus.call('templates.list', {}))
    this.#change({ templates: templates?.map(({ id, name }) => ({ id, name })) ?? [] })
  }

  #change(change: Partial<BusPicture>): void {
    this.#picture = { ...this.#picture, ...change }
    this.#tell.ask()
  }
}

function valueOf<T>(envelope: Envelope): T | undefined {
  return envelope.ok ? (envelope.value as T) : undefined
}
