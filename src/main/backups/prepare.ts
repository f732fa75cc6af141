import { statSync } from 'node:fs'
import type { BackupView } from '../../shared/control/backup-views.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { openAside, SCHEMA_VERSION, UnusableDatabaseError, versionOf } from '../bus/store/database.ts'
import type { Log } from '../log.ts'
import type { BackupFolder } from './backup-folder.ts'
import { BusDamagedError, damageView } from './damaged.ts'
import { examine } from './health.ts'
import { backUpNow } from './now.ts'
import type { RecoveryReport, WantedRecovery } from './recovery-file.ts'
import { clearRestore, recover, RecoveryError, type Ready, type RecoveryOptions } from './restore.ts'
import { damageText, moment, reportText } from './words.ts'

/** Seconds that a restore is told of. */
const TOLD = 7 * 86_400
/** Seconds in which a bus that closes for a restore has written the last of its database. */
const CLOSING = 120

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
 * Before the database is opened: ends a restore that a crash interrupted, carries out one that was asked for, looks for damage, and
 * makes a backup when the database is of an older version. Throws RecoveryError when `asked` cannot be done, and BusDamagedError; then
 * the database is as it was.
 */
export async function prepareDatabase(options: PrepareOptions): Promise<Prepared> {
  const { databasePath, folder, file, now } = options
  clearFolder(options)
  clearRestore(options)
  const notices: string[] = []
  // Whatever became of it, a restore was for a database that was here.
  const wasRestored = file.read() !== undefined
  const recovered = await recoverAll(options, notices)
  const state = file.read()
  if (state?.state === 'done' && now - state.report.at < TOLD) notices.push(reportText(state.report))
  const { damage, isFullyChecked } = examine(databasePath, wasRestored || mayHaveBackups(folder))
  if (damage !== undefined) {
    throw new BusDamagedError(damageView(damageText(databasePath, damage.text), damage.isOnlyLog, folder))
  }
  await backUpBeforeMigration(options)
  return { recovered, notices, isChecked: isFullyChecked }
}

/** Backups are what a bus can do without: whatever is wrong with their folder, the start goes on. */
function clearFolder({ folder, log }: PrepareOptions): void {
  try {
    folder.clear()
  } catch (error) {
    log.error((error as Error).message)
  }
}

/** Where it cannot be told, there may be some: then a database that is gone is not begun anew. */
function mayHaveBackups(folder: BackupFolder): boolean {
  try {
    return folder.list().length > 0
  } catch {
    return true
  }
}

/** The answer is the last restore that was carried out. */
async function recoverAll(options: PrepareOptions, notices: string[]): Promise<Prepared['recovered']> {
  const { file, asked } = options
  const state = file.read()
  // What was there may have been moved away already: nothing else can be done before this has come to its end.
  const interrupted = state?.state === 'ready' ? await carryOut(state, options) : undefined
  if (asked !== undefined) return carryOut(asked, options)
  return state?.state === 'wanted' ? carryOutMarked(state, options, notices) : interrupted
}

async function carryOut(state: WantedRecovery | Ready, options: PrepareOptions): Promise<Prepared['recovered']> {
  const { folder, log } = options
  const report = await recover(state, options)
  log.warn({ backup: report.backup?.id }, reportText(report))
  const kept = [report.backup?.id, report.safety].filter((id) => typeof id === 'string')
  await rotate(folder, kept, log)
  return { report, by: state.by }
}

/** Where it cannot be done all is as it was, and the bus starts on that. */
async function carryOutMarked(wanted: WantedRecovery, options: PrepareOptions, notices: string[]): Promise<Prepared['recovered']> {
  const { file, now, log } = options
  try {
    demandRecent(wanted, options)
    return await carryOut(wanted, options)
  } catch (error) {
    // Once something may have been moved, it must be put to an end.
    if (file.read()?.state === 'ready') throw error
    file.remove()
    log.error({ err: error }, 'a restore was not carried out')
    const { message } = error as Error
    const isSentence = error instanceof RecoveryError || error instanceof ProtocolError
    notices.push(`A restore was not carried out at ${moment(now)}. ${isSentence ? message : `The reason: ${message}.`}`)
    return undefined
  }
}

/** A restore is for the database as it was when it was asked for: what was taken in long after that must not be lost by it. */
function demandRecent({ at }: WantedRecovery, { databasePath }: RecoveryOptions): void {
  const writtenAt = Math.max(...[databasePath, `${databasePath}-wal`].map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)) / 1000
  if (writtenAt <= at + CLOSING) return
  throw new RecoveryError(
    `It was asked for at ${moment(at)}, and the bus went on to take in more until ${moment(writtenAt)}. Restore the backup again if you still want it.`
  )
}

async function backUpBeforeMigration({ databasePath, folder, now, log }: PrepareOptions): Promise<void> {
  if (!isOlder(databasePath)) return
  let backup: BackupView
  try {
    backup = await backUpNow(databasePath, folder, 'migration', now)
  } catch (error) {
    throw new UnusableDatabaseError(
      `The database ${databasePath} must be brought to a newer version, and the backup before that could not be made (${(error as Error).message}); it is as it was. See that ${folder.path} can be written to and has room, then start again.`
    )
  }
  await rotate(folder, [backup.id], log)
}

/** Backups that are too many harm nobody: the next one tries again. */
async function rotate(folder: BackupFolder, kept: readonly string[], log: Log): Promise<void> {
  await folder.rotate(kept).catch((err: unknown) => log.warn({ err }, 'backups that are too many could not be removed'))
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
