import type { IntentRow } from '../../../../shared/control/intent-views.ts'

export type LoadedPage = Page & { rows: readonly IntentRow[] }

/** A stretch of the list, from its cursor to where the next page begins. */
export class Page {
  /** undefined for the first. */
  readonly cursor: string | undefined
  /** null while they are not in memory. */
  rows: readonly IntentRow[] | null = null
  /** How many there are, as far as is known without having read them. */
  expected: number
  isLoading = false
  hasFailed = false

  constructor(cursor: string | undefined, expected: number) {
    this.cursor = cursor
    this.expected = expected
  }

  get length(): number {
    return this.rows?.length ?? this.expected
  }

  isLoaded(): this is LoadedPage {
    return this.rows !== null
  }

  forget(): void {
    this.expected = this.length
    this.rows = null
  }
}
