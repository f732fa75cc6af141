import type { Destination } from './destinations.ts'

/** Not in Safari, where a moment must do. */
const whenIdle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 1_000))

/**
 * Fetches screens one after the other while nothing else is done: a phone's network comes and goes, and the screens are few.
 * The first that cannot be had ends it, and so does calling the answer.
 */
export function prefetch(destinations: readonly Pick<Destination, 'load'>[]): () => void {
  let isWanted = true
  const next = ([first, ...rest]: typeof destinations): void => {
    if (first === undefined) return
    whenIdle(() => {
      if (!isWanted) return
      first.load().then(
        () => next(rest),
        // Said when somebody goes there.
        () => {}
      )
    })
  }
  next(destinations)
  return () => (isWanted = false)
}
