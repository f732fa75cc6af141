import type { BackupView, DamageView, Recovery } from '../../shared/control/backup-views.ts'
import { UnusableDatabaseError } from '../bus/store/database.ts'
import type { BackupFolder } from './backup-folder.ts'
import { newestGood } from './restore.ts'
import { newestText } from './words.ts'

/** A start that found the database damaged, with what can be done about it. Nothing was changed. */
export class BusDamagedError extends UnusableDatabaseError {
  readonly view: DamageView

  constructor(view: DamageView) {
    super(`${view.problem} ${newestText(view.newest)}`)
    this.view = view
  }
}

/** Looks for what can be done about a damage, which is told in a sentence. Reads backups until one is good. */
export function damageView(problem: string, isOnlyLog: boolean, folder: BackupFolder): DamageView {
  try {
    return viewOf(problem, newestGood(folder) ?? null, isOnlyLog)
  } catch (error) {
    return viewOf(`${problem} ${(error as Error).message}`, null, isOnlyLog)
  }
}

/** A damage with what can be done about it; `newest` is the newest good backup, null where there is none. */
export function viewOf(problem: string, newest: BackupView | null, isOnlyLog = false): DamageView {
  const recoveries: Recovery[] = newest === null ? ['empty'] : ['newest', 'empty']
  return { problem, newest, recoveries: isOnlyLog ? ['readable', ...recoveries] : recoveries }
}
