import type { ControlError } from '../../../shared/control/transport.ts'
import { asControlError } from './failure.ts'
import type { Batch } from './feed.svelte.ts'
import { getInterface } from './interface.ts'

export { asControlError }

/**
 * A question to the bus and its latest answer. While it is asked again the answer before stays; an answer that was
 * overtaken by a later question is dropped.
 */
export class Query<T> {
  value = $state.raw<T>()
  failure = $state.raw<ControlError | null>(null)
  isBusy = $state(false)
  readonly #ask: () => Promise<T>
  #turn = 0

  constructor(ask: () => Promise<T>) {
    this.#ask = ask
  }

  /** What to show: `failed` only where there is nothing better to show. */
  get state(): 'loading' | 'failed' | 'ready' {
    if (this.value !== undefined) return 'ready'
    return this.failure === null ? 'loading' : 'failed'
  }

  /** Never rejects. */
  async refresh(): Promise<void> {
    const turn = ++this.#turn
    this.isBusy = true
    try {
      const value = await this.#ask()
      if (turn !== this.#turn) return
      this.value = value
      this.failure = null
    } catch (error) {
      if (turn !== this.#turn) return
      this.failure = asControlError(error)
    }
    this.isBusy = false
  }

  /** Forgets the answer and what is under way. */
  reset(): void {
    this.#turn++
    this.value = undefined
    this.failure = null
    this.isBusy = false
  }
}

interface Staleness {
  /** Whether what happened makes the answer stale. */
  when(batch: Batch): boolean
  /** At most one question in so many milliseconds; 1,000 unless told. */
  readonly every?: number
}

/**
 * A query that lives as long as the component that makes it: asked at once, again when state that `ask` reads before its
 * first `await` changes, when the bus comes back after a break, and when something happens that makes the answer stale.
 */
export function useQuery<T>(ask: () => Promise<T>, staleness?: Staleness): Query<T> {
  const { connection, feed } = getInterface()
  const query = new Query(ask)
  $effect(() => {
    void connection.generation
    void query.refresh()
  })
  if (staleness === undefined) return query
  const { when, every = 1_000 } = staleness
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let lastAt = 0
    const stop = feed.subscribe((batch) => {
      if (timer !== undefined || !when(batch)) return
      timer = setTimeout(() => {
        timer = undefined
        lastAt = performance.now()
        void query.refresh()
      }, Math.max(0, lastAt + every - performance.now()))
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  })
  return query
}
