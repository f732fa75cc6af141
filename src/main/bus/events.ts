import type { IntentChange } from '../../shared/control/intent-views.ts'
import type { Participant } from './store/participant.ts'

export type ChangesListener = (changes: readonly IntentChange[]) => void
/** Hears how many intents came or went that no change tells of: cleanup, purges and imports have too many. */
export type DeletedListener = (count: number) => void

/** Tells what happened to intents, once it is on disk: all of one commit at once, in order. */
export class Events implements Participant {
  readonly #onChanges = new Set<ChangesListener>()
  readonly #onDeleted = new Set<DeletedListener>()
  readonly #watching = new Set<ChangesListener>()
  #changes: IntentChange[] = []
  #untold = 0

  /** Whether anybody listens: operations make no changes for nobody. */
  get isHeard(): boolean {
    return this.#onChanges.size > 0
  }

  /** Whether an operator looks on, who wants to see soon what is kept in memory for a while. */
  get isWatched(): boolean {
    return this.#watching.size > 0
  }

  /** Notes a change inside the running transaction. */
  note(change: IntentChange): void {
    this.#changes.push(change)
  }

  /** Notes inside the running transaction that it deletes intents. */
  noteDeleted(count: number): void {
    this.#untold += count
  }

  /** Notes inside the running transaction that it takes in intents from elsewhere. */
  noteUntold(count: number): void {
    this.#untold += count
  }

  /** The answer ends it. */
  onChanges(listener: ChangesListener): () => void {
    return add(this.#onChanges, listener)
  }

  /** The same for an operator who looks on. */
  watch(listener: ChangesListener): () => void {
    const stop = this.onChanges(listener)
    this.#watching.add(listener)
    return () => {
      this.#watching.delete(listener)
      stop()
    }
  }

  /** The answer ends it. */
  onDeleted(listener: DeletedListener): () => void {
    return add(this.#onDeleted, listener)
  }

  committed(): void {
    if (this.#changes.length > 0) tell(this.#onChanges, this.#changes)
    if (this.#untold > 0) tell(this.#onDeleted, this.#untold)
    this.rolledBack()
  }

  rolledBack(): void {
    if (this.#changes.length > 0) this.#changes = []
    this.#untold = 0
  }
}

function add<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** In a microtask of its own: a listener that throws must not keep the commit from answering. */
function tell<T>(listeners: ReadonlySet<(news: T) => void>, news: T): void {
  for (const listener of listeners) {
    queueMicrotask(() => {
      if (listeners.has(listener)) listener(news)
    })
  }
}
