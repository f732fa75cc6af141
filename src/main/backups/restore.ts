import { chmodSync, copyFileSync, existsSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { orderForRestore, type BackupView } from '../../shared/control/backup-views.ts'
import { isDamage, openAside, openDatabase, UnusableDatabaseError } from '../bus/store/database.ts'
import { replaceFile, syncDirectory, syncFile } from '../files.ts'
import type { Vault } from '../host.ts'
import { removeDatabase, type BackupFolder } from './backup-folder.ts'
import { carryOver, forgetNonces } from './carry-over.ts'
import { findFlaw } from './check.ts'
import { conditionOf, type Condition } from './health.ts'
import { backUpNow } from './now.ts'
import type { RecoveryFile, RecoveryReport, WantedRecovery } from './recovery-file.ts'
import { roomTrouble } from './room.ts'

export interface RecoveryOptions {
  readonly databasePath: string
  readonly folder: BackupFolder
  readonly file: RecoveryFile
  readonly vault: Vault
  /** Unix seconds. */
  readonly now: number
}

export type Ready = Extract<ReturnType<RecoveryFile['read']>, { state: 'ready' }>

/** Why a restore is not carried out; a sentence for the user. All is as it was. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError'
}

/**
 * Carries out a restore that was asked for, or goes on with one that a crash interrupted, while nobody has the database open. Whenever
 * it is interrupted, the next start finds either what was there before, or the mark that makes it go on. Throws RecoveryError. The
 * backups are not rotated: what was chosen and what was there before must be there until all is done.
 */
export async function recover(state: WantedRecovery | Ready, options: RecoveryOptions): Promise<RecoveryReport> {
  const ready = state.state === 'ready' ? state : await prepare(state, options)
  swap(ready, options)
  options.file.write({ state: 'done', report: ready.report })
  return ready.report
}

/** Removes what a restore has left that had not got as far as its mark `ready`. */
export function clearRestore({ databasePath, file }: RecoveryOptions): void {
  if (file.read()?.state !== 'ready') removeDatabase(nextOf(databasePath))
}

/** The newest backup that is good, read again for it. */
export function newestGood(folder: BackupFolder): BackupView | undefined {
  return orderForRestore(folder.list()).find((backup) => findFlaw(folder.file(backup)) === undefined)
}

/** Where the database lies that is to take the place of the other. */
function nextOf(databasePath: string): string {
  return `${databasePath}.restoring`
}

/** A restore that has changed nothing yet, as far as it is. */
interface Preparation extends RecoveryOptions {
  /** Where what is there goes if it cannot be copied. */
  readonly aside: string
  /** The copy of what is there, once there is one. */
  safety: BackupView | undefined
}

async function prepare(wanted: WantedRecovery, options: RecoveryOptions): Promise<Ready> {
  const { databasePath, folder, file, now } = options
  const preparation: Preparation = { ...options, aside: freeName(databasePath, now), safety: undefined }
  removeDatabase(nextOf(databasePath))
  try {
    const ready = { state: 'ready', report: await PREPARATIONS[wanted.what](preparation, wanted), by: wanted.by } as const
    file.write(ready)
    return ready
  } catch (error) {
    // Once the mark is on disk the next start goes on with it, whatever was said of it.
    if (file.read()?.state === 'ready') throw error
    removeDatabase(nextOf(databasePath))
    if (preparation.safety !== undefined) await folder.remove(preparation.safety)
    throw error
  }
}

type Prepare = (preparation: Preparation, wanted: WantedRecovery) => Promise<RecoveryReport> | RecoveryReport

/** Each puts what is to take the place of the database beside it; the answer is what will have been done. */
const PREPARATIONS: Readonly<Record<WantedRecovery['what'], Prepare>> = {
  backup: (preparation, { id }) => withBackup(preparation, chosen(id, preparation.folder)),
  newest: (preparation) => withBackup(preparation, newest(preparation.folder)),
  empty: withNothing,
  readable: withReadable
}

async function withBackup(preparation: Preparation, backup: BackupView): Promise<RecoveryReport> {
  const { databasePath, folder, vault, now, aside } = preparation
  const condition = conditionOf(databasePath)
  demandReplaceable(databasePath, condition)
  const copied = condition.state === 'good' ? sizeOf(databasePath) + sizeOf(`${databasePath}-wal`) : 0
  await demandRoom([[dirname(databasePath), backup.bytes], [folder.path, copied]])
  makeNext(folder.file(backup), databasePath)
  if (condition.state === 'good') preparation.safety = await copyOfPresent(preparation)
  const { safety } = preparation
  const losses = await carryOver({ next: nextOf(databasePath), present: safety && folder.file(safety), vault, from: backup.at, now })
  return {
    ...nothingOf(preparation),
    backup: { id: backup.id, at: backup.at },
    safety: safety?.id ?? null,
    aside: condition.state === 'damaged' ? aside : null,
    losses
  }
}

function withNothing(preparation: Preparation): RecoveryReport {
  const { databasePath, now, aside } = preparation
  const condition = conditionOf(databasePath)
  if (condition.state === 'good') throw new RecoveryError('The database is not damaged, so that there is no need to begin with an empty one.')
  demandReplaceable(databasePath, condition)
  openDatabase(nextOf(databasePath)).close()
  forgetNonces(nextOf(databasePath), now)
  return { ...nothingOf(preparation), aside: condition.state === 'damaged' ? aside : null }
}

/** What SQLite can read of a log goes into a copy; the database and its log are kept as they were. */
async function withReadable(preparation: Preparation): Promise<RecoveryReport> {
  const { databasePath, now, aside } = preparation
  const condition = conditionOf(databasePath)
  if (condition.state !== 'damaged' || !condition.damage.isOnlyLog) {
    throw new RecoveryError('Only where nothing but the log of the database is damaged can the bus go on with what can be read of it.')
  }
  const next = nextOf(databasePath)
  await demandRoom([[dirname(databasePath), sizeOf(databasePath) + 2 * sizeOf(`${databasePath}-wal`)]])
  for (const suffix of ['', '-wal']) copyFileSync(databasePath + suffix, next + suffix)
  foldLog(next)
  const flaw = findFlaw(next)
  if (flaw !== undefined) throw new RecoveryError(`Not only the log of the database is damaged (${flaw.text}), so that the bus cannot go on with what can be read of it.`)
  openDatabase(next).close()
  forgetNonces(next, now)
  return { ...nothingOf(preparation), aside, asideLog: `${aside}-wal` }
}

function nothingOf({ now }: Preparation): RecoveryReport {
  return { at: now, backup: null, safety: null, aside: null, asideLog: null, losses: null }
}

function newest(folder: BackupFolder): BackupView {
  const backup = newestGood(folder)
  if (backup === undefined) throw new RecoveryError(`There is no good backup in ${folder.path}.`)
  return backup
}

function chosen(id: string | null, folder: BackupFolder): BackupView {
  const backup = id === null ? undefined : folder.find(id)
  if (backup === undefined) throw new RecoveryError(`There is no backup ${id} in ${folder.path}.`)
  const flaw = findFlaw(folder.file(backup))
  if (flaw !== undefined) throw new RecoveryError(`The backup ${backup.id} is not good (${flaw.text}); choose another one.`)
  return backup
}

/** What cannot be read and is not damaged either may be another program's, or wanted again: it is left where it is. */
function demandReplaceable(databasePath: string, condition: Condition): void {
  if (condition.state !== 'unreadable') return
  throw new RecoveryError(
    `The database ${databasePath} is not damaged, but it cannot be read (${condition.reason}), and nothing was changed. See to that, or move the file to another folder, then start again.`
  )
}

async function demandRoom(needs: Parameters<typeof roomTrouble>[0]): Promise<void> {
  const trouble = await roomTrouble(needs)
  if (trouble !== undefined) throw new RecoveryError(`${trouble} Nothing was changed.`)
}

/** A backup of what is there. */
async function copyOfPresent({ databasePath, folder, now }: RecoveryOptions): Promise<BackupView> {
  try {
    foldLog(databasePath)
    return await backUpNow(databasePath, folder, 'restore', now)
  } catch (error) {
    throw new RecoveryError(`The database as it is could not be copied before (${(error as Error).message}), and nothing was restored.`)
  }
}

/** Puts a backup beside the database, brought to this version. */
function makeNext(backup: string, databasePath: string): void {
  const next = nextOf(databasePath)
  try {
    copyFileSync(backup, next)
    // A backup that was carried about may have lost it.
    chmodSync(next, 0o600)
    openDatabase(next).close()
  } catch (error) {
    if (error instanceof UnusableDatabaseError || isDamage(error)) throw new RecoveryError((error as Error).message)
    throw new RecoveryError(`The backup could not be copied (${(error as Error).message}), and nothing was restored.`)
  }
}

/** Moves away what is there and puts the other one into its place. Every step may have been taken before. */
function swap({ report }: Ready, { databasePath }: RecoveryOptions): void {
  const next = nextOf(databasePath)
  // Once the other one is in its place, there is nothing left to do.
  if (!existsSync(next)) return
  if (report.aside !== null) setAside(databasePath, report.aside)
  syncFile(next)
  replaceFile(next, databasePath)
  syncDirectory(dirname(databasePath))
}

/** The log of one database must never meet another. */
function setAside(databasePath: string, aside: string): void {
  const log = `${databasePath}-wal`
  // What tried to open it may have left one.
  if (statSync(log, { throwIfNoEntry: false })?.size === 0) rmSync(log)
  for (const suffix of ['', '-wal']) {
    if (existsSync(databasePath + suffix) && !existsSync(aside + suffix)) replaceFile(databasePath + suffix, aside + suffix)
  }
  rmSync(`${databasePath}-shm`, { force: true })
  syncDirectory(dirname(databasePath))
}

/** Where a damaged database goes: a name that nothing has yet. */
function freeName(databasePath: string, now: number): string {
  const name = `${databasePath}.damaged-${new Date(now * 1000).toISOString().replaceAll(/[-:]|[.].*/g, '')}`
  const isTaken = (path: string): boolean => ['', '-wal'].some((suffix) => existsSync(path + suffix))
  let free = name
  for (let n = 2; isTaken(free); n++) free = `${name}-${n}`
  return free
}

/** Brings the log into the database, which then has none. Throws when another program has the database open. */
function foldLog(databasePath: string): void {
  const db = openAside(databasePath, 'write')
  try {
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.pragma('journal_mode = DELETE')
  } finally {
    db.close()
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
