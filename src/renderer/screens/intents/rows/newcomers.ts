import { matchesChange, type Filter } from '../../../../shared/control/filter.ts'
import type { Count, IntentChange, StatusName } from '../../../../shared/control/intent-views.ts'

/** Milliseconds from one count to the next. */
const PAUSE_MS = 1_000
/** More than that are not counted: the exact number says nothing any more. */
export const COUNT_LIMIT = 1_000
/** Single intents that are looked up in one go. */
const MAX_LOOKUPS = 10

/** What an intent mostly was before something happened to it; none where it was listed already if it matched. */
const BEFORE: Readonly<Record<IntentChange['event'], readonly StatusName[]>> = {
  published: [],
  claimed: ['open'],
  extended: ['claimed'],
  failed: ['claimed'],
  lease_lost: ['claimed'],
  returned: ['claimed'],
  moved: ['claimed'],
  fulfilled: ['claimed'],
  cancelled: ['open', 'claimed'],
  retried: ['fulfilled', 'dead', 'expired'],
  expired: ['open'],
  shortened: [],
  deleted: []
}

export interface NewcomersOptions {
  readonly text: string
  readonly filter: Filter
  /** The newest intent in the list; zeros for an empty list. */
  readonly top: string
  /** Hears that there are more or fewer. */
  onChange(): void
  /** Counts what matches a filter, of what was published after an intent where one is given. */
  count(filter: string, limit: number, newerThan?: string): Promise<Count>
}

/** How many intents match that the list does not show: published since, or come to match. */
export class Newcomers {
  count = 0
  /** There may be more than were counted. */
  isAtLeast = false
  readonly #options: NewcomersOptions
  /** Newer ones up to `#countedTo`, as the bus counted them. */
  #counted = 0
  #countedTo: string
  /** Newer ones since. */
  readonly #published = new Set<string>()
  /** Older ones that have come to match. */
  readonly #entered = new Set<string>()
  /** Older ones that only the bus can tell. */
  readonly #doubtful = new Set<string>()
  #isUncertain = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false

  constructor(options: NewcomersOptions) {
    this.#options = options
    this.#countedTo = options.top
  }

  /** Takes a change of an intent that the list does not show. */
  note(change: IntentChange): void {
    const { filter, top } = this.#options
    const verdict = matchesChange(filter, change)
    if (change.id > top) this.#notePublished(change, verdict)
    else this.#noteOlder(change, verdict)
    this.#tell()
  }

  /** Some changes were missed: only the bus knows. */
  recount(): void {
    this.#isUncertain = true
    this.#schedule()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  #notePublished({ id }: IntentChange, verdict: boolean | 'unknown'): void {
    const isCounted = id <= this.#countedTo
    // One of those that were counted may have left.
    if (verdict === 'unknown' || (isCounted && verdict === false && this.#counted > 0)) this.recount()
    if (verdict === true && !isCounted) this.#add(this.#published, id)
    if (verdict === false) this.#published.delete(id)
  }

  #noteOlder(change: IntentChange, verdict: boolean | 'unknown'): void {
    const { id, event } = change
    if (verdict === false) {
      this.#entered.delete(id)
      this.#doubtful.delete(id)
    } else if (BEFORE[event].length > 0 && !mayHaveMatched(this.#options.filter, BEFORE[event])) {
      if (verdict === true) this.#add(this.#entered, id)
      else {
        this.#add(this.#doubtful, id)
        this.#schedule()
      }
    }
  }

  #tell(): void {
    this.count = this.#counted + this.#published.size + this.#entered.size
    this.#options.onChange()
  }

  #add(ids: Set<string>, id: string): void {
    if (ids.size < COUNT_LIMIT) ids.add(id)
    else this.isAtLeast = true
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => void this.#ask(), PAUSE_MS)
  }

  async #ask(): Promise<void> {
    try {
      if (this.#isUncertain) await this.#countNewer()
      await this.#lookUp()
    } catch {
      // What is known stays; the next change asks again.
    }
    this.#timer = undefined
    if (this.#isUncertain || this.#doubtful.size > 0) this.#schedule()
    if (!this.#isClosed) this.#tell()
  }

  async #countNewer(): Promise<void> {
    this.#isUncertain = false
    const { text, top } = this.#options
    const { count, isExact, asOf } = await this.#options.count(text, COUNT_LIMIT, top)
    this.#counted = count
    this.isAtLeast = !isExact
    this.#countedTo = asOf > top ? asOf : top
    for (const id of this.#published) if (id <= this.#countedTo) this.#published.delete(id)
  }

  async #lookUp(): Promise<void> {
    const ids = [...this.#doubtful]
    this.#doubtful.clear()
    if (ids.length > MAX_LOOKUPS) this.isAtLeast = true
    for (const id of ids.slice(0, MAX_LOOKUPS)) {
      const { count } = await this.#options.count(`${this.#options.text} id:${id}`, 1)
      if (count > 0) this.#add(this.#entered, id)
    }
  }
}

/** Whether an intent of one of these statuses can match. */
function mayHaveMatched({ terms }: Filter, statuses: readonly StatusName[]): boolean {
  return statuses.some((status) =>
    terms.every(({ test, isNegated }) => test.field !== 'status' || test.statuses.includes(status) !== isNegated)
  )
}
