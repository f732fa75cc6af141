import type { DamageView } from './backup-views.ts'
import type { HistoryEvent } from '../history.ts'
import type { ResultType, Visibility } from '../requests.ts'
import type { KeyLimits } from '../scope.ts'
import type { Settings, SettingName } from './settings.ts'
import type { StorageStatus } from './storage-views.ts'

/** What operators get to see. Times are Unix seconds, keys public ids, `payload` and `result` JSON text. */

export const STATUS_NAMES = ['open', 'claimed', 'fulfilled', 'dead', 'expired'] as const
export type StatusName = (typeof STATUS_NAMES)[number]

export type Counts = Readonly<Record<StatusName, number>>

/** Where a secret of the bus is kept; `where` names the variable or the file. */
export interface SecretView {
  readonly in: 'environment' | 'file' | 'keychain' | 'elsewhere'
  readonly where: string
}

export type ListenerView =
  | { readonly state: 'listening'; readonly url: string; readonly host: string; readonly port: number }
  | { readonly state: 'failed'; readonly host: string; readonly port: number; readonly problem: string }

/** How the bus is. */
export interface BusStatus {
  readonly app: { readonly name: string; readonly version: string; readonly shell: 'desktop' | 'headless' }
  /** `stopped`: there is no bus behind the interface; `problem` says why and what to do. */
  readonly state: 'starting' | 'running' | 'stopped'
  readonly problem: string | null
  /** What can be done about a database that is damaged; null while none is known to be. */
  readonly damage: DamageView | null
  readonly listener: ListenerView | null
  /** When the bus started. */
  readonly since: number
  /** The bus's own time, by which leases end. */
  readonly now: number
  readonly isPaused: boolean
  readonly isMaintenance: boolean
  readonly requiresSignatures: boolean
  /** Whether other machines can reach the bus. */
  readonly isOpenToNetwork: boolean
  /** Whether it is shared over HTTPS, the best address for other machines, and the pin that they know it by. */
  readonly sharing: { readonly state: 'off' | 'listening' | 'waiting' | 'failed'; readonly url: string | null; readonly pin: string | null }
  /** Devices that wait for somebody to let them in. */
  readonly pairingRequests: number
  readonly dataDir: string
  readonly databasePath: string
  readonly databaseBytes: number
  /** Whether the disk takes what the bus writes. */
  readonly storage: StorageStatus
  /** Seconds of a lease. */
  readonly claimTimeout: number
  /** Seconds that an open intent may wait from its first run on. */
  readonly intentLifetime: number
  readonly mainKey: SecretView | null
  readonly password: SecretView | null
  /** Sentences that a careful user wants to read. */
  readonly notices: readonly string[]
}

export interface SettingsView {
  readonly values: Settings
  /** Settings that the environment decides, with the variable that does. */
  readonly fixed: Readonly<Partial<Record<SettingName, string>>>
  /** Settings that mean nothing where this bus runs, with the reason. */
  readonly unavailable: Readonly<Partial<Record<SettingName, string>>>
  /** The log's file; null where the log goes to standard error. */
  readonly logFile: string | null
}

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

export interface Template {
  readonly id: string
  readonly name: string
  readonly goal: string
  /** JSON text. */
  readonly payload: string
  readonly namespace: string
  readonly visibility: Visibility
  readonly priority: number
  readonly delay: number
  readonly maxAttempts: number
  readonly backoffBase: number
  readonly target: string | null
  readonly capability: string | null
  /** Id of the key it is published as. */
  readonly publisher: string
  /** JSON text of a JSON Schema for the payload; null for none. */
  readonly schema: string | null
  readonly updatedAt: number
}

export interface SavedView {
  readonly id: string
  readonly name: string
  readonly filter: string
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
