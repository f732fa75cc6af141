/** What operators get to see of backups and of a damaged database. Times are Unix seconds. */

/**
 * `daily` and `weekly` come by themselves, `migration` before the database is brought to a newer version, `restore` is what was there
 * before a backup was restored, `manual` was asked for.
 */
export const BACKUP_KINDS = ['daily', 'weekly', 'migration', 'restore', 'manual'] as const
export type BackupKind = (typeof BACKUP_KINDS)[number]

export interface BackupView {
  /** The name of its file, without `.db`. */
  readonly id: string
  readonly kind: BackupKind
  /** The moment that it shows. */
  readonly at: number
  readonly bytes: number
  /** That moment has not come yet: the clock was ahead when it was made. */
  readonly isAhead: boolean
}

export interface BackupsView {
  /** Newest first; those that are ahead of the clock come last. */
  readonly backups: readonly BackupView[]
  /** Bytes of all of them. */
  readonly totalBytes: number
  /** How many of each kind are kept. */
  readonly kept: Readonly<Record<BackupKind, number>>
  /** Of the kind `restore` all of so many last days are kept, too, but no more than `most`. */
  readonly keptRestores: { readonly days: number; readonly most: number }
  /** Where they lie. */
  readonly folder: string
  /** What is being made now; null while nothing is. */
  readonly making: BackupKind | null
  /** Why the last one could not be made, and when; null once one was. */
  readonly problem: { readonly at: number; readonly text: string } | null
  /** What became of older ones when the last one was made, as a sentence, where that is not as usual; else null. */
  readonly notice: string | null
  /** The backup that this start of the bus went back to, and when; null when it did not. */
  readonly restored: { readonly at: number; readonly id: string } | null
}

/**
 * Backups, newest first, in the order in which `newest` tries them until one is good: what was there before a restore, and what is
 * ahead of the clock, only where nothing else is.
 */
export function orderForRestore(backups: readonly BackupView[]): BackupView[] {
  const rank = ({ kind, isAhead }: BackupView): number => (isAhead ? 2 : 0) + (kind === 'restore' ? 1 : 0)
  return backups.toSorted((a, b) => rank(a) - rank(b))
}

/** What can be done about a database that is damaged. */
export type Recovery =
  /** Sets it aside and restores the newest good backup. */
  | 'newest'
  /** Sets it aside and begins with an empty one. */
  | 'empty'
  /** Where only the log is damaged: goes on with what can be read of it. */
  | 'readable'

/** What the audit trail calls that the bus went on with, where it was no backup, of which it has the moment. */
export const RESTORED: Readonly<Record<Exclude<Recovery, 'newest'>, string>> = { empty: 'an empty database', readable: 'what could be read of the database' }

export interface DamageView {
  /** A sentence: what was found. */
  readonly problem: string
  /** The backup that would be restored; null where there is no good one. */
  readonly newest: BackupView | null
  readonly recoveries: readonly Recovery[]
}
