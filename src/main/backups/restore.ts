import { chmodSync, copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { BackupView } from '../../shared/control/backup-views.ts'
import { isDamage, openAside, openDatabase, UnusableDatabaseError } from '../bus/store/database.ts'
import { syncDirectory, syncFile } from '../files.ts'
import type { Vault } from '../host.ts'
import { removeDatabase, type BackupFolder } from './backup-folder.ts'
import { carryOver } from './carry-over.ts'
import { findFlaw } from './check.ts'
import { isReadable } from './health.ts'
import { backUpNow } from './now.ts'
import type { RecoveryFile, RecoveryReport, WantedRecovery } from './recovery-file.ts'

export interface RecoveryOptions {
  readonly databasePath: string
  readonly folder: BackupFolder
  readonly file: RecoveryFile
  readonly vault: Vault
  /** Unix seconds. */
  readonly now: number
}

type Ready = Extract<ReturnType<RecoveryFile['read']>, { state: 'ready' }>

/** Why a restore is not carried out; a sentence for the user. All is as it was. */
export class RecoveryError extends Error {
  override readonly name = 'RecoveryError'
}

/**
 * Carries out a restore that was asked for, or goes on with one that a crash interrupted, while nobody has the database open. Whenever
 * it is interrupted, the next start finds either what was there before, or the mark that makes it go on. Throws RecoveryError.
 */
export async function recover(state: WantedRecovery | Ready, options: RecoveryOptions): Promise<RecoveryReport> {
  const ready = state.state === 'ready' ? state : await prepare(state, options)
  swap(ready, options)
  options.file.write({ state: 'done', report: ready.report })
  return ready.report
}

/** Gives up a restore that has moved nothing yet. */
export function abandon({ databasePath, file }: RecoveryOptions): void {
  removeDatabase(nextOf(databasePath))
  file.remove()
}

/** The newest backup that is good, read again for it. What was there before a restore comes last. */
export function newestGood(folder: BackupFolder): BackupView | undefined {
  const backups = folder.list()
  const inOrder = [...backups.filter(({ kind }) => kind !== 'restore'), ...backups.filter(({ kind }) => kind === 'restore')]
  return inOrder.find((backup) => findFlaw(folder.file(backup)) === undefined)
}

/** Where the database lies that is to take the place of the other. */
function nextOf(databasePath: string): string {
  return `${databasePath}.restoring`
}

async function prepare(wanted: WantedRecovery, options: RecoveryOptions): Promise<Ready> {
  const { databasePath, folder, file, now } = options
  const aside = `${databasePath}.damaged-${new Date(now * 1000).toISOString().replaceAll(/[-:]|[.].*/g, '')}`
  removeDatabase(nextOf(databasePath))
  let report: RecoveryReport = { at: now, backup: null, safety: null, aside: null, asideLog: null, losses: null }
  if (wanted.what === 'readable') {
    keepReadable(databasePath, aside)
    report = { ...report, asideLog: `${aside}-wal` }
  } else if (wanted.what === 'empty') {
    if (isReadable(databasePath)) throw new RecoveryError('The database is not damaged, so that there is no need to begin with an empty one.')
    report = { ...report, aside }
  } else {
    const backup = choose(wanted, folder)
    const safety = await copyOfPresent(options)
    makeNext(folder.file(backup), databasePath)
    const present = safety && folder.file(safety)
    const losses = await carryOver({ next: nextOf(databasePath), present, vault: options.vault, from: backup.at, now })
    report = { ...report, backup: { id: backup.id, at: backup.at }, safety: safety?.id ?? null, aside: safety || !isThere(databasePath) ? null : aside, losses }
  }
  const ready = { state: 'ready', report, by: wanted.by } as const
  file.write(ready)
  return ready
}

function choose({ what, id }: WantedRecovery, folder: BackupFolder): BackupView {
  if (what === 'newest') {
    const newest = newestGood(folder)
    if (newest === undefined) throw new RecoveryError(`There is no good backup in ${folder.path}.`)
    return newest
  }
  const backup = id === null ? undefined : folder.find(id)
  if (backup === undefined) throw new RecoveryError(`There is no backup ${id} in ${folder.path}.`)
  const flaw = findFlaw(folder.file(backup))
  if (flaw !== undefined) throw new RecoveryError(`The backup ${backup.id} is not good (${flaw.text}); choose another one.`)
  return backup
}

/** A backup of what is there; undefined where nothing is, or it is damaged and must be set aside as it is. */
async function copyOfPresent({ databasePath, folder, now }: RecoveryOptions): Promise<BackupView | undefined> {
  if (!isThere(databasePath) || !isReadable(databasePath)) return undefined
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
    removeDatabase(next)
    if (error instanceof UnusableDatabaseError || isDamage(error)) throw new RecoveryError((error as Error).message)
    throw new RecoveryError(`The backup could not be copied (${(error as Error).message}), and nothing was restored.`)
  }
}

/** Moves away what is there and puts the other one into its place. Every step may have been taken before. */
function swap({ report }: Ready, { databasePath }: RecoveryOptions): void {
  const next = nextOf(databasePath)
  // Once the other one is in its place, there is nothing left to do.
  if (report.backup !== null && !existsSync(next)) return
  if (report.aside !== null) setAside(databasePath, report.aside)
  if (report.backup !== null) {
    syncFile(next)
    renameSync(next, databasePath)
  }
  syncDirectory(dirname(databasePath))
}

/** The log of one database must never meet another. */
function setAside(databasePath: string, aside: string): void {
  const log = `${databasePath}-wal`
  // What tried to open it may have left one.
  if (statSync(log, { throwIfNoEntry: false })?.size === 0) rmSync(log)
  for (const suffix of ['', '-wal']) {
    if (existsSync(databasePath + suffix) && !existsSync(aside + suffix)) renameSync(databasePath + suffix, aside + suffix)
  }
  rmSync(`${databasePath}-shm`, { force: true })
  syncDirectory(dirname(databasePath))
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

/** What SQLite can read of a log goes into the database; the log is kept beside it as it was. */
function keepReadable(databasePath: string, aside: string): void {
  const log = `${databasePath}-wal`
  if (!existsSync(log)) throw new RecoveryError('The log of the database is not damaged.')
  copyFileSync(log, `${aside}-wal`)
  syncFile(`${aside}-wal`)
  foldLog(databasePath)
}

function isThere(path: string): boolean {
  return existsSync(path) || existsSync(`${path}-wal`)
}
