import type { Counts, IntentChange } from './intent-views.ts'
import type { BusStatus } from './status-views.ts'

/** What happened since the frame before. */
export interface EventFrame {
  readonly seq: number
  readonly changes: readonly IntentChange[]
  /** Changes that are not in `changes`: there were too many, or they were missed. Ask again for what is on screen. */
  readonly missed: number
  readonly counts: Counts
  /** There when it changed. */
  readonly status?: BusStatus
  /** Kinds of other things that changed: ask again for them. */
  readonly changed?: readonly ('keys' | 'workers' | 'templates' | 'views' | 'settings' | 'sharing' | 'pairing' | 'sessions' | 'transfer' | 'backups')[]
  /** How far a bulk action is. */
  readonly bulk?: { readonly token: string; readonly done: number; readonly total: number }
}
