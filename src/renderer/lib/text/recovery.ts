import type { BackupKind, BackupView, Recovery } from '../../../shared/control/backup-views.ts'
import type { Question } from '../state/confirmation.svelte.ts'
import { exactTime } from './time.ts'

/** What is asked before something is done about a damaged database. */
export function recoveryWords(recovery: Recovery, newest: BackupView | null): Question {
  switch (recovery) {
    case 'newest':
      return {
        title: 'Restore the newest backup?',
        text: `The bus goes on with the backup of ${newest === null ? 'the last good moment' : exactTime(newest.at)}. What was changed since then is gone. The damaged database is kept beside it.`,
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

/** What is asked before a backup takes the place of the database. */
export function restoreQuestion({ at }: BackupView): Question {
  return {
    title: 'Restore this backup?',
    text: `The bus goes back to ${exactTime(at)}: what was published, finished or changed since then is undone, and keys revoked since then count again. What there is now is kept as a backup first. Workers are turned away for a moment.`,
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

export function kindWord(kind: BackupKind): string {
  return KINDS[kind]
}
