import type { Counts } from './intent-views.ts'

export interface WorkerView {
  /** Stable name of this worker for the interface. */
  readonly ref: string
  /** `X-Worker-ID`; null for a worker that sends none, which is told by key and address. */
  readonly worker: string | null
  readonly key: string
  readonly keyOwner: string
  readonly address: string
  readonly capabilities: readonly string[]
  readonly presence: 'online' | 'late' | 'gone'
  readonly firstSeenAt: number
  readonly lastSeenAt: number
  /** What it asked for lately, newest first. */
  readonly asks: readonly WorkerAsk[]
  readonly holds: readonly { readonly id: string; readonly goal: string; readonly namespace: string; readonly leaseEndsAt: number }[]
  readonly claimed: number
  readonly fulfilled: number
  readonly failed: number
  readonly lost: number
}

/** What a claim asks for; null for any goal, anybody's intents. */
export interface WorkerAsk {
  readonly namespace: string
  readonly goal: string | null
  readonly publisher: string | null
  readonly lastAt: number
}

/** A goal that intents wait for and nobody asks for. */
export interface UnservedGoal {
  readonly namespace: string
  readonly goal: string
  readonly open: number
  readonly oldestAt: number
  readonly lastClaimedAt: number | null
}

export interface NamesView {
  readonly namespaces: readonly { readonly namespace: string; readonly counts: Counts }[]
  readonly goals: readonly {
    readonly namespace: string
    readonly goal: string
    readonly counts: Counts
    readonly lastPublishedAt: number | null
    readonly lastClaimedAt: number | null
  }[]
  readonly capabilities: readonly string[]
  readonly workers: readonly string[]
}
