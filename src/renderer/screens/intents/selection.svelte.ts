import type { IntentChange, IntentRow, StatusName } from '../../../shared/control/intent-views.ts'

/** One bulk action takes so many ids at most. */
export const MAX_SELECTED = 10_000

/** The intents that an action is meant for: some of them, or all that match the filter. */
export class Selection {
  /** How many all are; null unless all are meant. */
  all = $state.raw<number | null>(null)
  /** Ids with the status that each was last seen in. */
  #some = $state.raw<ReadonlyMap<string, StatusName>>(new Map())
  /** Where a range begins. */
  origin: string | null = null

  get size(): number {
    return this.all ?? this.#some.size
  }

  /** Empty where all are meant. */
  get some(): ReadonlyMap<string, StatusName> {
    return this.#some
  }

  has(id: string): boolean {
    return this.all !== null || this.#some.has(id)
  }

  /** Takes one in or out; a range begins here. Of all that match none can be taken out, so that ends. */
  toggle({ id, status }: IntentRow): void {
    const isOut = this.has(id)
    const some = new Map(this.#some)
    if (isOut) some.delete(id)
    else some.set(id, status)
    this.#set(some)
    this.origin = id
  }

  /** Takes more in, MAX_SELECTED altogether; false where there was no room for all. */
  add(rows: readonly IntentRow[]): boolean {
    const some = new Map(this.#some)
    for (const { id, status } of rows) if (some.size < MAX_SELECTED || some.has(id)) some.set(id, status)
    this.#set(some)
    return rows.every(({ id }) => some.has(id))
  }

  selectAll(count: number): void {
    this.#set(new Map())
    this.all = count
  }

  clear(): void {
    this.#set(new Map())
    this.origin = null
  }

  /** Keeps up with what happens to those that are selected. */
  take(changes: readonly IntentChange[]): void {
    const relevant = changes.filter(({ id }) => this.#some.has(id))
    if (relevant.length === 0) return
    const some = new Map(this.#some)
    for (const { id, status, event } of relevant) {
      if (event === 'deleted') some.delete(id)
      else some.set(id, status)
    }
    this.#some = some
  }

  #set(some: ReadonlyMap<string, StatusName>): void {
    this.all = null
    this.#some = some
  }
}
