import type { BackupKind, BackupView, BackupsView, DamageView, Recovery } from '../../../shared/control/backup-views.ts'
import { ControlError } from '../../../shared/control/transport.ts'
import type { Question } from '../state/confirmation.svelte.ts'
import { wholeTime } from './time.ts'

/** What is asked before something is done about a damaged database. */
export function recoveryWords(recovery: Recovery, newest: BackupView | null): Question {
  switch (recovery) {
    case 'newest':
      return {
        title: 'Restore the newest backup?',
        text: `The bus goes on with the backup of ${newest === null ? 'the last good moment' : wholeTime(newest.at)}. ${GONE}`,
        action: 'Restore the newest backup'
      }
    case 'readable':
      return {
        title: 'Go on with what can be read?',
        text: 'Only the log of the last changes is damaged. The bus goes on with all that can be read of it; the rest of these changes is gone. The damaged log is kept.',
        action: 'Go on with what can be read'
      }
    case 'empty':
      return {
        title: 'Begin with an empty database?',
        text: 'There are no intents, keys and templates then. The damaged database is kept beside it, and a backup can be restored later.',
        action: 'Start empty',
        isDangerous: true
      }
  }
}

/** Whether a refusal is one that a damaged database brings about. */
export function isOfDamage(error: unknown): boolean {
  return error instanceof ControlError && (error.code === 'internal_error' || error.code === 'storage_unavailable' || error.code === 'bus_stopped')
}

/** What there is to go back to from a damaged database, and what that costs. */
export function newestWords({ newest }: Pick<DamageView, 'newest'>): string {
  return newest === null ? 'There is no good backup of it.' : `Its newest good backup is of ${wholeTime(newest.at)}; what is newer would be lost.`
}

/** Why one has to log in again after that was done: of a damaged database nobody knows who was logged in. */
export function recoveredWords(recovery: Recovery, newest: BackupView | null): string {
  switch (recovery) {
    case 'newest':
      return newest === null ? 'The bus started again from its newest backup. Log in again to see what is missing since then.' : restoredWords(newest)
    case 'readable':
      return 'The bus started again with what could be read of its database. Log in again.'
    case 'empty':
      return 'The bus started again with an empty database. Log in again.'
  }
}

/** The same after one backup was restored. */
export function restoredWords({ at }: BackupView): string {
  return `The bus started again from its backup of ${wholeTime(at)}. Log in again to see what is missing since then.`
}

const GONE =
  'What was changed since then is gone, and keys revoked since then count again. The damaged database is kept beside it. Everybody has to log in again.'
const UNDONE =
  'What was published, finished or changed since then is undone; keys revoked since then stay revoked. What there is now is kept as a backup first. Workers are turned away for a moment.'

/** What is asked before a backup takes the place of the database, which may be a damaged one. */
export function restoreQuestion({ at }: BackupView, isDamaged: boolean): Question {
  return {
    title: 'Restore this backup?',
    text: `The bus goes back to ${wholeTime(at)}. ${isDamaged ? GONE : UNDONE}`,
    action: 'Restore the backup',
    isDangerous: true
  }
}

const KINDS: Readonly<Record<BackupKind, string>> = {
  daily: 'Daily',
  weekly: 'Weekly',
  migration: 'Before an update',
  restore: 'Before a restore',
  manual: 'By hand'
}

/** How many backups are kept of each kind, as a sentence. */
export function keptWords(kept: BackupsView['kept'], { days, most }: BackupsView['keptRestores']): string {
  const { daily, weekly, manual, migration, restore } = kept
  const last = `The last ${daily} daily ones are kept, ${weekly} weekly, ${manual} made by hand, ${migration} from before an update`
  return `${last}, and ${restore} from before a restore (and those of the last ${days} days, ${most} at most).`
}

export function kindWord(kind: BackupKind): string {
  return KINDS[kind]
}
