import { matchesChange, parseFilter, type Filter } from '../../../../shared/control/filter.ts'
import type { Input, MethodName, Output } from '../../../../shared/control/contract.ts'
import type { IntentChange } from '../../../../shared/control/views.ts'
import type { Batch } from '../../../lib/state/feed.svelte.ts'
import { applyChange } from './merge.ts'
import { Newcomers } from './newcomers.svelte.ts'
import { PAGE_SIZE, PagedRows } from './paged-rows.svelte.ts'

/** Pages that one question for anchors tells the beginnings of. */
const ANCHORS = 1_000
/** Milliseconds from one reading of what is on screen to the next. */
const REFRESH_MS = 1_000
/** Newer than none. */
const NO_INTENT = '0'.repeat(32)

export type Call = <M extends MethodName>(method: M, input: Input<M>) => Promise<Output<M>>

/**
 * The intents that match a filter, as they were when it was opened, followed from then on: rows change in their places,
 * those that match no more stay until the list is opened again, and new ones are counted only.
 */
export class IntentList {
  /** The filter as it was written. */
  readonly text: string
  readonly rows: PagedRows
  /** Ids of rows that match no more. */
  left = $state.raw<ReadonlySet<string>>(new Set())
  /** null until it is open. */
  newcomers = $state.raw<Newcomers | null>(null)
  readonly #filter: Filter
  readonly #call: Call
  #refreshTimer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(text: string, call: Call) {
    this.text = text
    this.#filter = parseFilter(text)
    this.#call = call
    this.rows = new PagedRows({
      page: (cursor, limit) => call('intents.list', { filter: text, limit, ...(cursor !== undefined && { cursor }) }),
      anchors: (cursor) => call('intents.anchors', { filter: text, size: PAGE_SIZE, limit: ANCHORS, cursor })
    })
  }

  /** Reads the first page. Rejects with ControlError. */
  async open(): Promise<void> {
    await this.rows.open()
    if (this.#isClosed) return
    this.newcomers = new Newcomers({
      text: this.text,
      filter: this.#filter,
      top: this.rows.at(0)?.id ?? NO_INTENT,
      count: (filter, limit, newerThan) => this.#call('intents.count', { filter, limit, ...(newerThan && { newerThan }) })
    })
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#refreshTimer)
    this.rows.close()
    this.newcomers?.close()
  }

  /** Takes over what happened. */
  take({ changes, missed }: Batch): void {
    for (const change of changes) this.#takeChange(change)
    if (missed > 0) this.#refreshTimer ??= setTimeout(() => void this.#refresh(), REFRESH_MS)
  }

  #takeChange(change: IntentChange): void {
    const { id } = change
    if (this.rows.patch(id, (row) => applyChange(row, change)) === null) this.newcomers?.note(change)
    else {
      const verdict = matchesChange(this.#filter, change)
      if (verdict === false) this.left = new Set(this.left).add(id)
      else if (verdict === true && this.left.has(id)) this.left = new Set([...this.left].filter((other) => other !== id))
    }
  }

  async #refresh(): Promise<void> {
    this.newcomers?.recount()
    try {
      const gone = await this.rows.refresh(this.newcomers?.count ?? 0)
      if (gone.length > 0) this.left = new Set([...this.left, ...gone])
    } catch {
      // The line about the bus says that it does not answer; the next events ask again.
    }
    this.#refreshTimer = undefined
  }
}
