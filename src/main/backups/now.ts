import type { BackupKind, BackupView } from '../../shared/control/backup-views.ts'
import type { BackupFolder } from './backup-folder.ts'
import { findFlaw } from './check.ts'
import { copyDatabase } from './copy.ts'
import { HASTE } from './pace.ts'

/** Makes a backup as fast as it goes, while no bus serves. None goes for it. Rejects with why there is none; then nothing of it is left. */
export async function backUpNow(databasePath: string, folder: BackupFolder, kind: BackupKind, now: number): Promise<BackupView> {
  const begun = folder.begin(kind, now)
  try {
    await copyDatabase(databasePath, begun.partial, HASTE)
    const flaw = findFlaw(begun.partial)
    if (flaw !== undefined) throw new Error(flaw.text)
    return folder.finish(begun)
  } catch (error) {
    await folder.discard(begun)
    throw error
  }
}
