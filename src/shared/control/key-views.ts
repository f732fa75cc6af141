import type { KeyLimits } from '../scope.ts'
import type { Counts } from './intent-views.ts'

export interface KeyView extends KeyLimits {
  readonly id: string
  readonly owner: string
  readonly createdAt: number
  readonly lastUsedAt: number | null
  /** Where its last request came from. */
  readonly lastAddress: string | null
  readonly requests: number
  /** Intents that it published. */
  readonly intents: Counts
}

export interface NewKeyView {
  readonly id: string
  readonly owner: string
  /** The key itself: shown once. */
  readonly secret: string
}

/** What revoking a key would touch. */
export interface KeyImpact {
  readonly open: number
  readonly claimed: number
  /** Leases that it holds right now on anybody's intents. */
  readonly leases: number
  readonly workers: readonly string[]
}
