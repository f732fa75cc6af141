import type { HistoryEvent } from '../history.ts'
import type { ResultType, Visibility } from '../requests.ts'

export const STATUS_NAMES = ['open', 'claimed', 'fulfilled', 'dead', 'expired'] as const
export type StatusName = (typeof STATUS_NAMES)[number]

export type Counts = Readonly<Record<StatusName, number>>

/** A line of the list of intents. */
export interface IntentRow {
  readonly id: string
  readonly namespace: string
  readonly goal: string
  readonly status: StatusName
  readonly priority: number
  readonly attempts: number
  readonly maxAttempts: number
  readonly createdAt: number
  readonly runAt: number
  readonly expiresAt: number
  readonly leaseEndsAt: number | null
  readonly finishedAt: number | null
  readonly publisher: string
  readonly worker: string | null
  readonly claimedBy: string | null
  readonly target: string | null
  readonly capability: string | null
  readonly error: string | null
}

export interface IntentPage {
  readonly rows: readonly IntentRow[]
  /** Goes on behind the last row; null at the end. */
  readonly next: string | null
}

/** Where the pages of a list begin, so that a list can be entered anywhere. */
export interface Anchors {
  /** Cursors of the 1st, the (size+1)th, the (2 size+1)th row that matches ... */
  readonly cursors: readonly string[]
  /** Rows that match, as far as was looked. */
  readonly rows: number
  /** Goes on looking; null when all was looked at. */
  readonly next: string | null
}

export interface Count {
  readonly count: number
  /** False when counting stopped at the limit. */
  readonly isExact: boolean
  /** The newest intent there was when the counting began: pass it on to a bulk action. */
  readonly asOf: string
}

/** Time in which nothing could run: leases and lifetimes stood still. */
export interface GapView {
  /** Unix time when it was over. */
  readonly at: number
  /** Its length in seconds; of a clock that was set what it was set by, below 0 for back. */
  readonly seconds: number
  readonly cause: 'sleep' | 'clock' | 'restore'
}

export interface IntentView extends IntentRow {
  readonly visibility: Visibility
  readonly backoffBase: number
  readonly payload: string
  readonly result: string | null
  readonly resultType: ResultType
  readonly claimedAt: number | null
  readonly claimAddress: string | null
  /** Oldest first. */
  readonly history: readonly HistoryEvent[]
  /** Those since it was published, oldest first. */
  readonly gaps: readonly GapView[]
}

export interface BulkResult {
  readonly matched: number
  readonly changed: number
}

/** One rule of SPEC 7.3 held against an intent. */
export interface Check {
  readonly rule:
    | 'bus'
    | 'status'
    | 'run_at'
    | 'lifetime'
    | 'namespace'
    | 'goal'
    | 'visibility'
    | 'target'
    | 'capability'
    | 'order'
    | 'workers'
  /** `waits`: holds by itself at a known time. */
  readonly outcome: 'holds' | 'waits' | 'fails'
  /** Plain words. */
  readonly text: string
  /** What to do about it; null where there is nothing to do. */
  readonly next: string | null
  /** When a rule that waits will hold. */
  readonly at: number | null
}

export interface Explanation {
  readonly id: string
  /** One sentence: the answer. */
  readonly verdict: string
  readonly checks: readonly Check[]
  /** Intents that are claimed before this one by a worker of its goal. */
  readonly ahead: number
}

/** Dead letters whose reasons differ only in numbers and ids. */
export interface DeadGroup {
  /** The reason with `*` for what differs: fits `error:` of a filter. */
  readonly pattern: string
  readonly count: number
  readonly goals: readonly string[]
  readonly lastAt: number
  readonly lastId: string
}

/** One thing that happened to an intent. Beside what is here, nothing of the intent changed but what follows from it. */
export interface IntentChange {
  readonly id: string
  readonly at: number
  readonly event: HistoryEvent['event'] | 'deleted'
  readonly status: StatusName
  readonly namespace: string
  readonly goal: string
  readonly attempts?: number
  readonly runAt?: number
  readonly leaseEndsAt?: number | null
  readonly worker?: string | null
  /** Whose change it was: the publisher's or the worker's key. */
  readonly key?: string
  /** Whose intent it is; absent for one that is gone. */
  readonly publisher?: string
  readonly error?: string | null
}
