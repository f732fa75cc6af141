import type { EventFrame } from '../../../shared/control/event-frame.ts'
import type { Counts, IntentChange } from '../../../shared/control/intent-views.ts'
import type { BusStatus } from '../../../shared/control/status-views.ts'

export type ChangedThing = NonNullable<EventFrame['changed']>[number]

/** Frames put together since the batch before. */
export interface Batch {
  /** Oldest first. */
  readonly changes: readonly IntentChange[]
  /** Changes that are not among them: ask again for what is on screen. */
  readonly missed: number
  readonly counts: Counts
  readonly status: BusStatus | undefined
  readonly changed: ReadonlySet<ChangedThing>
  /** How far each bulk action is, by its token. */
  readonly bulk: ReadonlyMap<string, { readonly done: number; readonly total: number }>
}

/** A change, with a key of its own for keyed lists. */
export interface FeedEntry {
  readonly key: number
  readonly change: IntentChange
}

const RECENT = 200
/** Changes that one batch holds; beyond, asking again is cheaper than looking at each. */
const MAX_BATCH = 1_000
/** Milliseconds from one batch to the next. */
const PAUSE_MS = 100

/** Frames come as fast as intents do; what is on screen follows a few times a second, and not while it is hidden. */
export class Feed {
  /** The latest changes, newest first. */
  recent = $state.raw<readonly FeedEntry[]>([])
  readonly #listeners = new Set<(batch: Batch) => void>()
  #pending: Pending | undefined
  #isResting = false
  #lastKey = 0

  /** Takes a frame as it comes in. */
  take(frame: EventFrame): void {
    const isFirst = this.#pending === undefined
    this.#pending ??= { changes: [], missed: 0, counts: frame.counts, status: undefined, changed: new Set(), bulk: new Map() }
    merge(this.#pending, frame)
    if (isFirst && !this.#isResting) requestAnimationFrame(() => this.#paint())
  }

  /** Hears each batch, until the answer is called. */
  subscribe(listener: (batch: Batch) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #paint(): void {
    const batch = this.#pending!
    this.#pending = undefined
    if (batch.changes.length > 0) {
      const entries = batch.changes.map((change) => ({ key: ++this.#lastKey, change })).reverse()
      this.recent = [...entries, ...this.recent].slice(0, RECENT)
    }
    for (const listener of [...this.#listeners]) listener(batch)
    this.#isResting = true
    setTimeout(() => {
      this.#isResting = false
      if (this.#pending !== undefined) requestAnimationFrame(() => this.#paint())
    }, PAUSE_MS)
  }
}

interface Pending extends Batch {
  readonly changes: IntentChange[]
  missed: number
  counts: Counts
  status: BusStatus | undefined
  readonly changed: Set<ChangedThing>
  readonly bulk: Map<string, { readonly done: number; readonly total: number }>
}

function merge(pending: Pending, frame: EventFrame): void {
  pending.changes.push(...frame.changes)
  const surplus = Math.max(0, pending.changes.length - MAX_BATCH)
  pending.changes.splice(0, surplus)
  pending.missed += frame.missed + surplus
  pending.counts = frame.counts
  pending.status = frame.status ?? pending.status
  for (const thing of frame.changed ?? []) pending.changed.add(thing)
  if (frame.bulk !== undefined) pending.bulk.set(frame.bulk.token, frame.bulk)
}
