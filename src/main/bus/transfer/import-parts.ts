import type { Clock } from '../clock.ts'
import type { Keys } from '../keys.ts'
import type { Store } from '../store/store.ts'

/** What an import adds to. */
export interface ImportParts {
  readonly store: Store
  readonly keys: Keys
  readonly clock: Clock
}

/** What became of one record; `skipped` says why. */
export type Fate = 'added' | 'present' | { readonly skipped: string }
