import type { Clock } from '../clock.ts'
import type { Keys } from '../keys.ts'
import type { Store } from '../store/store.ts'

/** What an import adds to. */
export interface ImportParts {
  readonly store: Store
  readonly keys: Keys
  readonly clock: Clock
}

/**
 * What became of one record; `skipped` says why. `named`: a key that is here by its name only, and lets nobody in; `completed`: one that
 * was, and counts from now on.
 */
export type Fate = 'added' | 'present' | 'named' | 'completed' | { readonly skipped: string }
