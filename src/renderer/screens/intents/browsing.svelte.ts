import type { IntentRow } from '../../../shared/control/intent-views.ts'
import type { Batch } from '../../lib/state/feed.svelte.ts'
import type { Interface } from '../../lib/state/interface.ts'
import { formatNumber } from '../../lib/text/numbers.ts'
import type { BulkAction } from './bulk-words.ts'
import { Bulk } from './bulk.svelte.ts'
import type { IntentList } from './rows/intent-list.svelte.ts'
import { Listing } from './rows/listing.svelte.ts'
import { MAX_SELECTED, Selection } from './selection.svelte.ts'

/** What the list on screen does for us. */
export interface ListView {
  /** Makes a row the active one, and shows it. */
  activate(index: number): void
  /** Scrolls as little as needed to show a row. */
  reveal(index: number): void
  focus(): void
  /** Moves what is on screen by so many rows. */
  shift(rows: number): Promise<void>
}

/** Going through the list: where one is, what is selected, and what is done with it. */
export class Browsing {
  readonly listing: Listing
  readonly selection = new Selection()
  readonly bulk: Bulk
  /** Index of the row that keys act on; -1 for none. */
  active = $state(-1)
  /** undefined while no list is on screen. */
  view: ListView | undefined
  readonly #shared: Interface

  constructor(shared: Interface) {
    this.#shared = shared
    this.listing = new Listing(
      (method, input) => shared.call(method, input),
      (rows) => this.#shift(rows)
    )
    this.bulk = new Bulk(shared)
  }

  get list(): IntentList | null {
    return this.listing.current
  }

  get activeRow(): IntentRow | null {
    return this.active < 0 ? null : (this.list?.at(this.active) ?? null)
  }

  /** Opens a list for a filter, with nothing selected. Stays at the active row where that is still among the first ones. */
  async show(filter: string): Promise<void> {
    const activeId = this.activeRow?.id
    await this.listing.show(filter)
    const { list } = this
    if (list?.text !== filter) return
    this.selection.clear()
    this.active = activeId === undefined ? -1 : list.indexOf(activeId)
    this.view?.reveal(0)
  }

  /** Takes over what happened. */
  take(batch: Batch): void {
    this.list?.take(batch)
    this.selection.take(batch.changes)
    this.bulk.take(batch)
  }

  /** Goes to the next row or the one before. */
  move(step: 1 | -1): void {
    this.view?.activate(this.active < 0 ? 0 : this.active + step)
  }

  /** Takes a row into the selection, or out of it. */
  toggle(index: number): void {
    const row = this.list?.at(index)
    if (row) this.selection.toggle(row)
  }

  /** Selects everything from where the selection began to this row. */
  async extendTo(index: number): Promise<void> {
    const { list, selection } = this
    if (list === null) return
    const origin = selection.origin === null ? index : list.indexOf(selection.origin)
    const [first, last] = origin < index ? [Math.max(0, origin), index] : [index, origin]
    await this.#shared.attempt(async () => {
      const rows = await list.between(first, Math.min(last, first + MAX_SELECTED))
      if (list === this.list && !selection.add(rows)) this.#shared.toasts.say(TOO_MANY)
    })
  }

  /** Selects all that match the filter, on screen or not. */
  async selectAll(): Promise<void> {
    const { list } = this
    if (list === null) return
    await this.#shared.attempt(async () => {
      const { count } = await this.#shared.call('intents.count', { filter: list.text })
      if (list === this.list && count > 0) this.selection.selectAll(count)
    })
  }

  /** Does something with what is selected, or with the active row where nothing is. */
  async act(action: BulkAction): Promise<void> {
    const { list, selection, activeRow } = this
    if (list === null) return
    if (selection.size > 0) {
      const isDone = await this.bulk.run(action, selection.all === null ? { some: selection.some } : { filter: list.text })
      if (isDone) selection.clear()
    } else if (activeRow !== null) {
      await this.bulk.run(action, { some: new Map([[activeRow.id, activeRow.status]]) })
    }
  }

  #shift(rows: number): void {
    if (this.active >= 0) this.active += rows
    void this.view?.shift(rows)
  }
}

const TOO_MANY = `At most ${formatNumber(MAX_SELECTED)} can be selected one by one; press a for all that match.`
