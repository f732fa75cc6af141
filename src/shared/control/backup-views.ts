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
}

export interface BackupsView {
  /** Newest first. */
  readonly backups: readonly BackupView[]
  /** Where they lie. */
  readonly folder: string
  /** What is being made now; null while nothing is. */
  readonly making: BackupKind | null
  /** Why the last one could not be made, and when; null once one was. */
  readonly problem: { readonly at: number; readonly text: string } | null
}

/** What can be done about a database that is damaged. */
export type Recovery =
  /** Sets it aside and restores the newest good backup. */
  | 'newest'
  /** Sets it aside and begins with an empty one. */
  | 'empty'
  /** Where only the log is damaged: goes on with what can be read of it. */
  | 'readable'

export interface DamageView {
  /** A sentence: what was found. */
  readonly problem: string
  /** The backup that would be restored; null where there is no good one. */
  readonly newest: BackupView | null
  readonly recoveries: readonly Recovery[]
}
