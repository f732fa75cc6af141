import { openAside, SCHEMA_VERSION, UnusableDatabaseError, versionOf } from '../bus/store/database.ts'
import type { Log } from '../log.ts'
import { BusDamagedError, damageView } from './damaged.ts'
import { examine } from './health.ts'
import { backUpNow } from './now.ts'
import type { RecoveryReport, WantedRecovery } from './recovery-file.ts'
import { abandon, recover, RecoveryError, type RecoveryOptions } from './restore.ts'
import { moment, reportText } from './words.ts'

/** Seconds that a restore is told of. */
const TOLD = 7 * 86_400

export interface Prepared {
  /** The restore that this start carried out, and who wanted it. */
  readonly recovered: { readonly report: RecoveryReport; readonly by: WantedRecovery['by'] } | undefined
  /** Sentences about restores that a careful user wants to read. */
  readonly notices: readonly string[]
  /** False where the database is too large to be read as a whole before it is opened. */
  readonly isChecked: boolean
}

export interface PrepareOptions extends RecoveryOptions {
  readonly log: Log
  /** A restore that this start is asked for: it carries it out or fails. */
  readonly asked: WantedRecovery | undefined
}

/**
 * Before the database is opened: carries out a restore that was asked for, looks for damage, and makes a backup when the database is
 * of an older version. Throws RecoveryError when `asked` cannot be done, and BusDamagedError; then the database is as it was.
 */
export async function prepareDatabase(options: PrepareOptions): Promise<Prepared> {
  const { databasePath, folder, file, now, log } = options
  folder.clear()
  if (options.asked !== undefined) file.write(options.asked)
  const notices: string[] = []
  const recovered = await recoverIfWanted(options, notices)
  const state = file.read()
  if (state?.state === 'done' && now - state.report.at < TOLD) notices.push(reportText(state.report))
  const { damage, isFullyChecked } = examine(databasePath, folder.list().length > 0)
  if (damage !== undefined) {
    throw new BusDamagedError(damageView(`The database ${databasePath} is damaged: ${damage.text}.`, damage.isOnlyLog, folder))
  }
  await backUpBeforeMigration(options)
  if (recovered !== undefined) log.warn({ backup: recovered.report.backup?.id }, reportText(recovered.report))
  return { recovered, notices, isChecked: isFullyChecked }
}

async function recoverIfWanted(options: PrepareOptions, notices: string[]): Promise<Prepared['recovered']> {
  const { file, now, log, asked } = options
  const state = file.read()
  if (state === undefined || state.state === 'done') return undefined
  try {
    return { report: await recover(state, options), by: state.by }
  } catch (error) {
    // Once something may have been moved, it must be put to an end; before that all is as it was.
    if (file.read()?.state === 'ready') throw error
    abandon(options)
    if (asked !== undefined) throw error
    const { message } = error as Error
    log.error({ err: error }, 'a restore was not carried out')
    notices.push(`On ${moment(now)} a restore was not carried out. ${error instanceof RecoveryError ? message : `The reason: ${message}.`}`)
    return undefined
  }
}

async function backUpBeforeMigration({ databasePath, folder, now }: RecoveryOptions): Promise<void> {
  if (!isOlder(databasePath)) return
  try {
    await backUpNow(databasePath, folder, 'migration', now)
  } catch (error) {
    throw new UnusableDatabaseError(
      `The database ${databasePath} must be brought to a newer version, and the backup before that could not be made (${(error as Error).message}); it is as it was. Make room in ${folder.path}, then start again.`
    )
  }
}

/** Whether it is a database of ours that will be migrated. What cannot be opened is told by whoever opens it next. */
function isOlder(databasePath: string): boolean {
  try {
    const db = openAside(databasePath)
    try {
      return (versionOf(db) ?? SCHEMA_VERSION) < SCHEMA_VERSION
    } finally {
      db.close()
    }
  } catch {
    return false
  }
}
