import type { Input, MethodName, Output } from '../../../../shared/control/contract.ts'
import { matchesChange, parseFilter, type Filter } from '../../../../shared/control/filter.ts'
import type { ControlError } from '../../../../shared/control/transport.ts'
import type { IntentChange, IntentRow } from '../../../../shared/control/intent-views.ts'
import type { Batch } from '../../../lib/state/feed.svelte.ts'
import { applyChange } from './merge.ts'
import { Newcomers } from './newcomers.ts'
import { PAGE_SIZE, PagedRows } from './paged-rows.ts'

/** Pages that one question for anchors tells the beginnings of. */
const ANCHORS = 1_000
/** Milliseconds from one reading of what is on screen to the next. */
const REFRESH_MS = 1_000
/** Older than every intent. */
const NO_INTENT = '0'.repeat(32)

export type Call = <M extends MethodName>(method: M, input: Input<M>) => Promise<Output<M>>

/**
 * The intents that match a filter, as they were when it was opened, followed from then on: rows change in their places,
 * those that match no more stay until the list is opened again, and new ones are counted only.
 */
export class IntentList {
  /** The filter as it was written. */
  readonly text: string
  readonly #filter: Filter
  readonly #call: Call
  readonly #rows: PagedRows
  #newcomers: Newcomers | undefined
  /** Ids of rows that match no more. */
  readonly #left = new Set<string>()
  /** Grows with each change of what is shown. */
  #version = $state(0)
  #refreshTimer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(text: string, call: Call) {
    this.text = text
    this.#filter = parseFilter(text)
    this.#call = call
    const source = {
      page: (cursor: string | undefined, limit: number) =>
        call('intents.list', { filter: text, limit, ...(cursor !== undefined && { cursor }) }),
      anchors: (cursor: string) => call('intents.anchors', { filter: text, size: PAGE_SIZE, limit: ANCHORS, cursor })
    }
    this.#rows = new PagedRows(source, () => this.#version++)
  }

  /** Rows there are, as far as was counted. */
  get count(): number {
    return this.#shown.rows.count
  }

  get isCounted(): boolean {
    return this.#shown.rows.isCounted
  }

  /** Why a part of the list could not be read. */
  get failure(): ControlError | null {
    return this.#shown.rows.failure
  }

  /** Intents that match and are not in the list. */
  get news(): { readonly count: number; readonly isAtLeast: boolean } {
    const { newcomers } = this.#shown
    return { count: newcomers?.count ?? 0, isAtLeast: newcomers?.isAtLeast ?? false }
  }

  /** null for a row that was not read yet. */
  at(index: number): IntentRow | null {
    return this.#shown.rows.at(index)
  }

  /** -1 for an intent whose row is not in memory. */
  indexOf(id: string): number {
    return this.#shown.rows.indexOf(id)
  }

  /** Whether the row is of an intent that matches no more. */
  hasLeft(id: string): boolean {
    return this.#shown.left.has(id)
  }

  /** Reads the first page. `onShift` hears by how many rows what is on screen has moved. Rejects with ControlError. */
  async open(onShift: (rows: number) => void): Promise<void> {
    this.#rows.onShift = onShift
    await this.#rows.open()
    if (this.#isClosed) return
    this.#newcomers = new Newcomers({
      text: this.text,
      filter: this.#filter,
      top: this.#rows.at(0)?.id ?? NO_INTENT,
      onChange: () => this.#version++,
      count: (filter, limit, newerThan) => this.#call('intents.count', { filter, limit, ...(newerThan && { newerThan }) })
    })
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#refreshTimer)
    this.#rows.close()
    this.#newcomers?.close()
  }

  /** Sees to it that the rows on screen are read. */
  show(first: number, last: number): void {
    this.#rows.show(first, last)
  }

  /** Tries again what could not be read. */
  retry(): void {
    this.#rows.retry()
  }

  /** The rows from one index to another, read where they are not in memory. Rejects with ControlError. */
  between(first: number, last: number): Promise<IntentRow[]> {
    return this.#rows.between(first, last)
  }

  /** Takes over what happened. */
  take({ changes, missed }: Batch): void {
    for (const change of changes) this.#takeChange(change)
    if (missed > 0) this.#refreshTimer ??= setTimeout(() => void this.#refresh(), REFRESH_MS)
  }

  /** What is shown, for whoever wants to hear when it changes. */
  get #shown() {
    void this.#version
    return { rows: this.#rows, newcomers: this.#newcomers, left: this.#left }
  }

  #takeChange(change: IntentChange): void {
    const { id } = change
    if (!this.#rows.patch(id, (row) => applyChange(row, change))) {
      this.#newcomers?.note(change)
      return
    }
    const verdict = matchesChange(this.#filter, change)
    if (verdict === false) this.#left.add(id)
    else if (verdict === true) this.#left.delete(id)
  }

  async #refresh(): Promise<void> {
    this.#newcomers?.recount()
    try {
      for (const id of await this.#rows.refresh(this.#newcomers?.count ?? 0)) this.#left.add(id)
    } catch {
      // The line about the bus says that it does not answer; the next events ask again.
    }
    this.#version++
    this.#refreshTimer = undefined
  }
}
