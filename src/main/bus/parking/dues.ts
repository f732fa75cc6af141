import type { Clock } from '../clock.ts'
import { patternKey, type Pattern } from './patterns.ts'

/** When something of a pattern next falls due that is not claimable yet. Wakes then, and not before. */
export class Dues {
  readonly #clock: Clock
  readonly #wake: () => void
  readonly #dues = new Map<string, { readonly pattern: Pattern; readonly at: number }>()
  #next = Infinity
  #cancel: (() => void) | undefined

  constructor(clock: Clock, wake: () => void) {
    this.#clock = clock
    this.#wake = wake
  }

  /** Something of the pattern is claimable from `at` (Unix seconds) on. */
  note(pattern: Pattern, at: number): void {
    const key = patternKey(pattern)
    const known = this.#dues.get(key)
    if (known !== undefined && known.at <= at) return
    this.#dues.set(key, { pattern, at })
    if (at < this.#next) this.#arm(at)
  }

  /** The patterns that are due at `now`; they are forgotten. */
  take(now: number): Pattern[] {
    if (now < this.#next) return []
    const due: Pattern[] = []
    let next = Infinity
    for (const [key, { pattern, at }] of this.#dues) {
      if (at <= now) {
        due.push(pattern)
        this.#dues.delete(key)
      } else next = Math.min(next, at)
    }
    this.#arm(next)
    return due
  }

  /** Forgets all of them. */
  close(): void {
    this.#dues.clear()
    this.#arm(Infinity)
  }

  #arm(at: number): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#next = at
    if (at === Infinity) return
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      const left = at - this.#clock.now()
      // Long timers come in pieces, and clocks get set.
      if (left > 0) this.#arm(at)
      else this.#wake()
    })
  }
}
