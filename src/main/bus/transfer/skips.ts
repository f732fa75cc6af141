import type { Skipped } from '../../../shared/control/transfer-views.ts'

const MAX_EXAMPLE = 80

/** Gathers what does not come over, by why; reasons are sentences of ours, so there are only so many. */
export class Skips {
  readonly #byReason = new Map<string, { -readonly [K in keyof Skipped]: Skipped[K] }>()

  /** `example`: an id or a name, nothing secret. */
  add(what: Skipped['what'], reason: string, example: string): void {
    const key = `${what} ${reason}`
    const known = this.#byReason.get(key)
    if (known !== undefined) known.count++
    else this.#byReason.set(key, { what, reason, count: 1, example: example.slice(0, MAX_EXAMPLE) })
  }

  get list(): readonly Skipped[] {
    return [...this.#byReason.values()]
  }
}
