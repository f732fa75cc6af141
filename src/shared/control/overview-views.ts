import type { Counts } from './intent-views.ts'

/** Seconds; null where nothing was measured. */
export interface Latency {
  readonly count: number
  readonly p50: number | null
  readonly p95: number | null
}

export interface StatisticsPoint {
  /** Start of the step. */
  readonly at: number
  readonly published: number
  readonly claimed: number
  readonly fulfilled: number
  readonly failed: number
  readonly dead: number
  readonly lost: number
  readonly expired: number
  /** From when an intent could first be claimed to its claim. */
  readonly wait: Latency
  /** From a claim to its settling. */
  readonly work: Latency
}

export interface Statistics {
  /** Seconds of a point. */
  readonly step: number
  readonly points: readonly StatisticsPoint[]
  /** Over the whole range; `at` is its start. */
  readonly total: StatisticsPoint
}

/** Something that wants attention, in one sentence, with a filter that leads there. */
export interface Attention {
  readonly kind: 'unserved' | 'dead' | 'lost_leases' | 'stuck' | 'paused' | 'maintenance' | 'failing' | 'storage' | 'expired'
  readonly text: string
  readonly filter: string | null
}

export interface Overview {
  readonly counts: Counts
  readonly oldestWaiting: { readonly id: string; readonly goal: string; readonly namespace: string; readonly since: number } | null
  readonly attention: readonly Attention[]
  /** True until something was published. */
  readonly isNew: boolean
}
