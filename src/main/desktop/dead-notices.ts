import type { EventFrame } from '../../shared/control/event-frame.ts'
import type { Clock } from '../bus/clock.ts'
import { DEAD_LETTERS, intentPlace } from './links.ts'

/** What a notification says, and where a click on it leads. */
export interface Notice {
  readonly title: string
  readonly body: string
  readonly hash: string | undefined
}

interface Death {
  readonly id: string
  readonly goal: string
  readonly error: string | null
}

/** Seconds from one notification to the next. */
const INTERVAL = 10
const MAX_BODY = 200

/** Tells of dead letters without flooding: one notification in ten seconds, which sums up those in between. */
export class DeadNotices {
  readonly #clock: Clock
  readonly #show: (notice: Notice) => void
  /** The first and the number of those that died since the last notification. */
  #first: Death | undefined
  #count = 0
  /** Dead letters there were at the last frame. */
  #dead: number | undefined
  #isQuiet = true

  constructor(clock: Clock, show: (notice: Notice) => void) {
    this.#clock = clock
    this.#show = show
  }

  /** Looks for dead letters in a frame. What an operator buried is no news. */
  take({ changes, counts, missed }: EventFrame): void {
    const dead = changes.filter(({ status }) => status === 'dead')
    const died = dead.filter(({ event }) => event === 'failed' || event === 'lease_lost')
    const [first] = died
    if (first !== undefined) this.#first ??= { id: first.id, goal: first.goal, error: first.error ?? null }
    // Of changes that are not in the frame only the count tells.
    const unseen = missed > 0 && this.#dead !== undefined ? counts.dead - this.#dead - dead.length : 0
    this.#count += died.length + Math.max(0, unseen)
    this.#dead = counts.dead
    if (this.#isQuiet) this.#tell(false)
  }

  #tell(isMore: boolean): void {
    this.#isQuiet = this.#count === 0
    if (this.#isQuiet) return
    this.#show(this.#count === 1 && this.#first !== undefined ? about(this.#first) : summary(this.#count, isMore))
    this.#first = undefined
    this.#count = 0
    this.#clock.after(INTERVAL, () => this.#tell(true))
  }
}

function about({ id, goal, error }: Death): Notice {
  return { title: `Intent died: ${goal}`, body: (error ?? 'Its last lease ran out.').slice(0, MAX_BODY), hash: intentPlace(id) }
}

function summary(count: number, isMore: boolean): Notice {
  const subject = count === 1 ? 'intent' : 'intents'
  return { title: `${count} ${isMore ? 'more ' : ''}${subject} died`, body: 'Their last attempts failed.', hash: DEAD_LETTERS }
}
