import type { SettingName } from './settings.ts'
import type { Counts } from './intent-views.ts'

/** What moves from one bus to another, and what became of it. Times are Unix seconds. */

/** How much there is of everything that moves. */
export interface TransferCounts {
  readonly intents: Counts
  readonly keys: number
  readonly templates: number
  readonly savedViews: number
  readonly keyValues: number
}

export type TransferKind = keyof TransferCounts

export const TRANSFER_KINDS = ['intents', 'keys', 'templates', 'savedViews', 'keyValues'] as const satisfies readonly TransferKind[]

/** An export that has begun. Its file is read in parts, the first of which is 0. */
export interface ExportView {
  readonly id: string
  /** What the file could be called. */
  readonly name: string
  /** At the beginning; what changes meanwhile is exported as it is when its turn comes. */
  readonly counts: TransferCounts
}

export interface ExportPart {
  /** Lines of the file. */
  readonly text: string
  readonly isLast: boolean
}

/** Why some of the same kind do not come over. */
export interface Skipped {
  readonly what: TransferKind | 'settings'
  readonly reason: string
  readonly count: number
  /** The id or the name of one of them. */
  readonly example: string
}

/** What is in a file. */
export interface ImportPreview {
  /** `export`: a file that a bus like this one wrote; `reference`: the database of the reference server. */
  readonly origin: 'export' | 'reference'
  readonly createdAt: number | null
  readonly appVersion: string | null
  readonly counts: TransferCounts
  readonly hasSettings: boolean
  /** Whether a passphrase opens keys and passwords in it. */
  readonly hasSecrets: boolean
  /** What of it cannot come over. */
  readonly skipped: readonly Skipped[]
  /** Sentences that the user should read first. */
  readonly notes: readonly string[]
}

/** A setting of a file that has another value here. */
export interface SettingChange {
  readonly name: SettingName
  readonly from: string | number | boolean
  readonly to: string | number | boolean
}

/** What an import would do here besides adding what is in the file, as things are now. */
export interface ImportEffects {
  /** What taking over the settings would change. */
  readonly settings: readonly SettingChange[]
  /** Megabytes that the database would have, and those it may have: what is finished would be deleted early. null where all of it may stay. */
  readonly tooLarge: { readonly megabytes: number; readonly bound: number } | null
}

/** What became of one kind. */
export interface Outcome {
  readonly what: TransferKind
  readonly added: number
  /** Keys that are here by their names only, as nothing told their secrets: they let nobody in. */
  readonly named: number
  /** Keys that were here by their names only, and count from now on. */
  readonly completed: number
  /** There already, and left as they are. */
  readonly present: number
  readonly skipped: number
}

export interface ImportReport {
  readonly outcomes: readonly Outcome[]
  readonly skipped: readonly Skipped[]
  /** Sentences about what else was done, or is left to do. */
  readonly notes: readonly string[]
}

/**
 * A file on its way in: its bytes arrive, it is checked, somebody says that it is to be imported. `refused` and `failed` have
 * a problem; after `failed` it can be started again, and what is there already is skipped. One that nobody goes on with is
 * forgotten: after five minutes without a piece, after an hour once it has arrived.
 */
export interface ImportView {
  readonly id: string
  readonly name: string
  readonly bytes: number
  readonly state: 'arriving' | 'checking' | 'refused' | 'ready' | 'importing' | 'failed' | 'done'
  readonly problem: string | null
  readonly preview: ImportPreview | null
  /** null but while it can be imported. */
  readonly effects: ImportEffects | null
  /** How far it is, in things that are to be imported. */
  readonly done: number
  readonly total: number
  readonly report: ImportReport | null
}
