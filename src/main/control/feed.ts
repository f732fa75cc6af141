import type { EventFrame } from '../../shared/control/event-frame.ts'
import type { Counts, IntentChange } from '../../shared/control/intent-views.ts'
import type { BusStatus } from '../../shared/control/status-views.ts'
import type { Clock } from '../bus/clock.ts'

/** Seconds between two frames: a few paints a second are all that eyes can use. */
const FRAME_INTERVAL = 0.1
/** A frame holds so many changes at most; who watches asks again for what is on screen when there were more. */
const MAX_CHANGES = 200

type Changed = NonNullable<EventFrame['changed']>[number]

export interface FeedSource {
  /** Hears the changes of every commit until the answer is called. */
  onChanges(listener: (changes: readonly IntentChange[]) => void): () => void
  /** Hears how many intents were deleted. */
  onDeleted(listener: (count: number) => void): () => void
  /** Hears that keys or sessions changed. */
  onAccess(listener: (what: 'keys' | 'sessions') => void): () => void
  readonly counts: Counts
}

interface Listener {
  readonly onFrame: (frame: EventFrame) => void
  readonly onEnd: () => void
}

/** Gathers what happens into frames. While nobody listens, nothing is gathered. */
export class Feed {
  readonly #source: FeedSource
  readonly #clock: Clock
  readonly #status: () => BusStatus
  readonly #listeners = new Set<Listener>()
  readonly #changed = new Set<Changed>()
  #seq = 0
  #changes: IntentChange[] = []
  #missed = 0
  #hasNewStatus = false
  #bulk: EventFrame['bulk']
  #lastFrameAt = -Infinity
  #cancelTimer: (() => void) | undefined
  #stopSource: (() => void) | undefined

  constructor(source: FeedSource, clock: Clock, status: () => BusStatus) {
    this.#source = source
    this.#clock = clock
    this.#status = status
  }

  /** Hears frames, the first of them at once, until the answer is called; `onEnd`: no more will come. */
  listen(onFrame: (frame: EventFrame) => void, onEnd: () => void): () => void {
    const listener = { onFrame, onEnd }
    this.#listeners.add(listener)
    this.#stopSource ??= this.#follow()
    // Who asked for the status before may have missed a change of it.
    onFrame({ seq: this.#seq, changes: [], missed: 0, counts: this.#source.counts, status: this.#status() })
    return () => {
      this.#listeners.delete(listener)
      if (!this.#isHeard) this.#rest()
    }
  }

  /** The status is another one. */
  noteStatus(): void {
    if (!this.#isHeard) return
    this.#hasNewStatus = true
    this.#schedule()
  }

  /** Something that is no intent changed. */
  noteChanged(what: Changed): void {
    if (!this.#isHeard) return
    this.#changed.add(what)
    this.#schedule()
  }

  /** Nothing could run for a while: leases and lifetimes end later than was told. */
  noteGap(): void {
    if (!this.#isHeard) return
    this.#missed++
    this.noteStatus()
  }

  /** A bulk action got on. */
  noteBulk(bulk: NonNullable<EventFrame['bulk']>): void {
    if (!this.#isHeard) return
    this.#bulk = bulk
    this.#schedule()
  }

  /** Tells all who listen that this is the end. */
  close(): void {
    for (const { onEnd } of [...this.#listeners]) onEnd()
    this.#listeners.clear()
    this.#rest()
  }

  get #isHeard(): boolean {
    return this.#listeners.size > 0
  }

  #follow(): () => void {
    const stops = [
      this.#source.onChanges((changes) => this.#note(changes)),
      // Which ones is not told: whoever shows some asks again.
      this.#source.onDeleted((count) => {
        this.#missed += count
        this.#schedule()
      }),
      this.#source.onAccess((what) => this.noteChanged(what))
    ]
    return () => stops.forEach((stop) => stop())
  }

  #note(changes: readonly IntentChange[]): void {
    const room = MAX_CHANGES - this.#changes.length
    this.#changes.push(...changes.slice(0, room))
    this.#missed += Math.max(0, changes.length - room)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#cancelTimer !== undefined) return
    const wait = Math.min(FRAME_INTERVAL, Math.max(0, this.#lastFrameAt + FRAME_INTERVAL - this.#clock.now()))
    this.#cancelTimer = this.#clock.after(wait, () => this.#send())
  }

  #send(): void {
    this.#cancelTimer = undefined
    this.#lastFrameAt = this.#clock.now()
    const frame: EventFrame = {
      seq: ++this.#seq,
      changes: this.#changes,
      missed: this.#missed,
      counts: this.#source.counts,
      ...(this.#hasNewStatus && { status: this.#status() }),
      ...(this.#changed.size > 0 && { changed: [...this.#changed] }),
      ...(this.#bulk && { bulk: this.#bulk })
    }
    this.#forget()
    for (const { onFrame } of [...this.#listeners]) onFrame(frame)
  }

  #forget(): void {
    this.#changes = []
    this.#missed = 0
    this.#hasNewStatus = false
    this.#bulk = undefined
    this.#changed.clear()
  }

  #rest(): void {
    this.#stopSource?.()
    this.#stopSource = undefined
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#forget()
  }
}
