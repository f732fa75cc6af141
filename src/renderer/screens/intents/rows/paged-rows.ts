import type { ControlError } from '../../../../shared/control/transport.ts'
import type { Anchors, IntentPage, IntentRow } from '../../../../shared/control/intent-views.ts'
import { asControlError } from '../../../lib/state/failure.ts'
import { mergeRows } from './merge.ts'
import { Page, type LoadedPage } from './page.ts'

export const PAGE_SIZE = 100
/** Pages asked for at the same time; while somebody drags the scrollbar most of what passes by is never asked for. */
const MAX_LOADING = 2
/** Rows beyond what is on screen that are read ahead, so that whoever scrolls finds them there. */
const AHEAD = 60
/** Pages kept in memory; those farthest from the screen go first. */
const MAX_KEPT = 50
/** The most that one question may ask for. */
const MAX_ROWS = 1_000

/** Where the rows come from, newest first. */
export interface RowSource {
  /** Rows behind a cursor; from the newest on for undefined. */
  page(cursor: string | undefined, limit: number): Promise<IntentPage>
  /** Where pages of PAGE_SIZE rows begin, from a cursor on. */
  anchors(cursor: string): Promise<Anchors>
}

/**
 * The rows that matched when the list was opened, read a page at a time wherever somebody looks. Ids grow with time, so
 * they tell the order. A page that was read late may be shorter than it was counted, because intents have changed since:
 * then the list shrinks there, and `onShift` hears by how many rows what is on screen has moved.
 */
export class PagedRows {
  /** As far as was counted. */
  count = 0
  isCounted = false
  /** Why a part could not be read. */
  failure: ControlError | null = null
  onShift: (rows: number) => void = () => {}
  readonly #source: RowSource
  /** Hears that something of it is another now. */
  readonly #onChange: () => void
  #pages: Page[] = []
  /** Index of each page's first row. */
  #starts: readonly number[] = []
  readonly #pageOf = new Map<string, LoadedPage>()
  #window = { first: 0, last: 0 }
  #loading = 0
  #isClosed = false
  /** Where counting was interrupted. */
  #uncounted: string | null = null

  constructor(source: RowSource, onChange: () => void = () => {}) {
    this.#source = source
    this.#onChange = onChange
  }

  /** Reads the first page, and goes on counting after that. Rejects with ControlError. */
  async open(): Promise<void> {
    const { rows, next } = await this.#source.page(undefined, PAGE_SIZE)
    this.#pages = [new Page(undefined, 0)]
    this.isCounted = next === null
    this.#fill(this.#pages[0]!, rows, next === null)
    if (next !== null) void this.#count(next)
  }

  /** Takes no more answers. */
  close(): void {
    this.#isClosed = true
  }

  /** null for a row that was not read yet. */
  at(index: number): IntentRow | null {
    const at = this.#locate(index)
    return this.#pages[at]?.rows?.[index - this.#starts[at]!] ?? null
  }

  /** -1 for a row that is not in memory. */
  indexOf(id: string): number {
    const page = this.#pageOf.get(id)
    if (page === undefined) return -1
    return this.#starts[this.#pages.indexOf(page)]! + page.rows.findIndex((row) => row.id === id)
  }

  /** Puts another row in the place of one; false where there is none in memory. */
  patch(id: string, change: (row: IntentRow) => IntentRow): boolean {
    const page = this.#pageOf.get(id)
    if (page === undefined) return false
    page.rows = page.rows.map((row) => (row.id === id ? change(row) : row))
    this.#onChange()
    return true
  }

  /** Sees to it that the rows on screen are read. */
  show(first: number, last: number): void {
    this.#window = { first, last }
    this.#readOn()
  }

  /** Tries again what could not be read. */
  retry(): void {
    this.#fail(null)
    for (const page of this.#pages) page.hasFailed = false
    if (this.#uncounted !== null) void this.#count(this.#uncounted)
    this.#readOn()
  }

  /**
   * Reads again what is on screen; answers which of the rows match no more. `ahead`: how many rows are known to have come
   * before the first.
   */
  async refresh(ahead: number): Promise<string[]> {
    const gone: string[] = []
    for (const page of this.#onScreen()) {
      if (!page.isLoaded()) continue
      const isFirst = page.cursor === undefined
      const limit = isFirst ? Math.min(MAX_ROWS, PAGE_SIZE + ahead) : PAGE_SIZE
      const answer = await this.#source.page(page.cursor, limit)
      if (this.#isClosed || !page.isLoaded()) continue
      const merged = mergeRows(page.rows, answer)
      page.rows = merged.rows
      gone.push(...merged.gone)
      this.#onChange()
    }
    return gone
  }

  /** The rows from one index to another, read where they are not in memory. Rejects with ControlError. */
  async between(first: number, last: number): Promise<IntentRow[]> {
    const rows: IntentRow[] = []
    for (let at = this.#locate(first); at <= this.#locate(last); at++) {
      const page = this.#pages[at]!
      const start = this.#starts[at]!
      const read = page.rows ?? (page.length === 0 ? [] : (await this.#source.page(page.cursor, page.length)).rows)
      rows.push(...read.slice(Math.max(0, first - start), last - start + 1))
    }
    return rows
  }

  async #count(from: string): Promise<void> {
    this.#uncounted = null
    for (let cursor: string | null = from; cursor !== null; ) {
      try {
        const anchors = await this.#source.anchors(cursor)
        if (this.#isClosed) return
        this.#append(anchors)
        cursor = anchors.next
      } catch (error) {
        this.#uncounted = cursor
        this.#fail(error)
        return
      }
    }
    this.isCounted = true
    this.#onChange()
  }

  #append({ cursors, rows }: Anchors): void {
    this.#pages.push(...cursors.map((cursor, i) => new Page(cursor, Math.min(PAGE_SIZE, rows - i * PAGE_SIZE))))
    this.#measure()
    this.#readOn()
  }

  #readOn(): void {
    for (const page of [...this.#onScreen(), ...this.#onScreen(AHEAD)]) {
      if (this.#loading < MAX_LOADING && page.rows === null && !page.isLoading && !page.hasFailed) void this.#load(page)
    }
  }

  async #load(page: Page): Promise<void> {
    this.#loading++
    page.isLoading = true
    try {
      const { rows, next } = await this.#source.page(page.cursor, PAGE_SIZE)
      if (!this.#isClosed) this.#fill(page, rows, next === null)
    } catch (error) {
      page.hasFailed = true
      this.#fail(error)
    }
    page.isLoading = false
    this.#loading--
    if (!this.#isClosed) this.#readOn()
  }

  #fill(page: Page, answered: readonly IntentRow[], isEnd: boolean): void {
    const held = this.#firstOnScreen()
    const at = this.#pages.indexOf(page)
    const later = this.#pages.slice(at + 1).find((other) => other.isLoaded() && other.rows.length > 0)
    const bound = later?.rows?.[0]?.id ?? ''
    const rows = answered.filter(({ id }) => id > bound)
    this.#trimBefore(at, rows[0]?.id)
    page.rows = rows
    if (page.isLoaded()) for (const { id } of rows) this.#pageOf.set(id, page)
    // What was counted behind the end has gone since.
    if (isEnd) for (const other of this.#pages.slice(at + 1)) if (other.rows === null) other.expected = 0
    this.#forgetFarthest()
    this.#measure()
    const moved = held === null ? 0 : this.indexOf(held.id) - held.index
    if (moved !== 0) this.onShift(moved)
  }

  /** A page that was read before takes what has moved up from behind it: no row may be there twice. */
  #trimBefore(at: number, firstId: string | undefined): void {
    const before = this.#pages.slice(0, at).findLast((other) => other.isLoaded())
    if (firstId === undefined || before?.isLoaded() !== true) return
    for (const { id } of before.rows) if (id <= firstId) this.#pageOf.delete(id)
    before.rows = before.rows.filter(({ id }) => id > firstId)
  }

  #forgetFarthest(): void {
    const middle = this.#locate((this.#window.first + this.#window.last) / 2)
    const kept = this.#pages.flatMap((page, at) => (at > 0 && page.isLoaded() ? [{ page, distance: Math.abs(at - middle) }] : []))
    if (kept.length <= MAX_KEPT) return
    const { page } = kept.reduce((far, other) => (other.distance > far.distance ? other : far))
    for (const { id } of page.rows) this.#pageOf.delete(id)
    page.forget()
  }

  #measure(): void {
    let count = 0
    this.#starts = this.#pages.map((page) => (count += page.length) - page.length)
    this.count = count
    this.#onChange()
  }

  #fail(error: unknown): void {
    this.failure = error === null ? null : asControlError(error)
    this.#onChange()
  }

  /** The pages of what is on screen, with so many rows before and behind. */
  #onScreen(beyond = 0): readonly Page[] {
    const { first, last } = this.#window
    return this.#pages.slice(this.#locate(first - beyond), this.#locate(last + beyond) + 1)
  }

  #firstOnScreen(): { readonly id: string; readonly index: number } | null {
    for (let index = this.#window.first; index <= this.#window.last; index++) {
      const row = this.at(index)
      if (row !== null) return { id: row.id, index }
    }
    return null
  }

  /** The page that a row is on: the last one that begins at or before it. */
  #locate(index: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#starts[middle]! <= index) low = middle
      else high = middle - 1
    }
    return Math.max(0, low)
  }
}
