import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { formatBytes } from '../../shared/bytes.ts'
import type { BackupView, DamageView } from '../../shared/control/backup-views.ts'
import type { DoctorCheck } from '../../shared/control/doctor-views.ts'
import type { BackupFolder } from '../backups/backup-folder.ts'
import { findFlaw, type Flaw } from '../backups/check.ts'
import { damageView } from '../backups/damaged.ts'
import { examine, type Damage } from '../backups/health.ts'
import type { Safety } from '../backups/safety.ts'
import { damageText } from '../backups/words.ts'
import { isBusy, openAside, SCHEMA_VERSION, versionOf, type Connection } from '../bus/store/database.ts'
import { refusalOf } from '../storage/storage-watch.ts'
import { fine, moment, named, trouble, type Finding } from './finding.ts'

/** A bus that runs begins its log anew now and then, under the eyes of whoever reads it: damage is what so many looks find. */
const LOOKS = 5
const MS_BETWEEN_LOOKS = 100

/** What a look at a database from outside has found. */
export interface Examined {
  readonly check: DoctorCheck
  /** Whether more can be read of it. */
  readonly isReadable: boolean
}

/** Reads all of a database from outside, as a start does, and changes nothing. `isRunning`: whether a bus has it open, which is where its cure is then. */
export async function examineDatabase(path: string, folder: BackupFolder, isRunning: boolean): Promise<Examined> {
  const finding = await findingOf(path, folder, isRunning)
  return { check: named('database', finding ?? sound(path)), isReadable: finding === undefined }
}

/** The database of the bus that tells this, which is read as a whole. */
export async function checkOwnDatabase(path: string, safety: Safety): Promise<DoctorCheck> {
  const flaw = await safety.backups.check().catch(asFlaw)
  return named('database', (await damageOfOwn(path, safety, flaw)) ?? (flaw === null ? sound(path) : await notUsable(path, flaw.text)))
}

/** What the bus knows of damage, or will know in a moment. */
async function damageOfOwn(path: string, { damage, backups }: Safety, flaw: Flaw | null): Promise<Finding | undefined> {
  if (damage !== null) return trouble(damage.problem, ownWayOut(damage.newest))
  const text = isThere(path) ? (flaw?.isDamaged === true ? flaw.text : undefined) : 'its file is empty or gone'
  if (text === undefined) return undefined
  const newest = await backups.newest().catch(() => undefined)
  return trouble(damageText(path, text), ownWayOut(newest?.backup ?? null))
}

function asFlaw(error: unknown): Flaw {
  return { text: (error as Error).message, isDamaged: false }
}

async function findingOf(path: string, folder: BackupFolder, isRunning: boolean): Promise<Finding | undefined> {
  try {
    const damage = await lastingDamage(path, hasAny(folder))
    if (damage !== undefined) return damaged(path, damage, folder, isRunning)
  } catch (error) {
    return notUsable(path, (error as Error).message)
  }
  if (!isThere(path)) return fine(`There is no database ${path} yet.`, 'The next start makes one. If there were intents here, see that BUS_DATA_DIR and BUS_DB_PATH name the right place.')
  const flaw = findFlaw(path)
  if (flaw === undefined) return undefined
  return flaw.isDamaged ? damaged(path, { text: flaw.text, isOnlyLog: false }, folder, isRunning) : notUsable(path, flaw.text)
}

async function lastingDamage(path: string, hasBackups: boolean, looks = LOOKS): Promise<Damage | undefined> {
  const { damage } = examine(path, hasBackups)
  if (damage === undefined || looks === 1) return damage
  await new Promise((resolve) => setTimeout(resolve, MS_BETWEEN_LOOKS))
  return lastingDamage(path, hasBackups, looks - 1)
}

/** Of a folder that cannot be read nobody knows; the check of backups tells. */
function hasAny(folder: BackupFolder): boolean {
  try {
    return folder.list().length > 0
  } catch {
    return false
  }
}

function damaged(path: string, { text, isOnlyLog }: Damage, folder: BackupFolder, isRunning: boolean): Finding {
  const view = damageView(damageText(path, text), isOnlyLog, folder)
  return trouble(view.problem, isRunning ? ownWayOut(view.newest) : wayOut(view))
}

/** The best of what can be done at the next start. */
function wayOut({ newest, recoveries }: DamageView): string {
  const start = 'Start the app, which asks what to do; without a window, run npm run headless --'
  if (recoveries.includes('readable')) return `${start} --keep-readable, which goes on with what can be read of the log.`
  if (newest !== null) return `${start} --restore-backup newest, which restores the backup of ${moment(newest.at)}.`
  return `${start} --start-empty: there is no good backup of it. What is damaged is kept.`
}

/** The same while the bus runs. */
function ownWayOut(newest: BackupView | null): string {
  return newest === null
    ? 'Begin with an empty database, under Storage: there is no good backup. What is damaged is kept.'
    : `Restore the backup of ${moment(newest.at)}, under Storage.`
}

/** Why a database that is not damaged cannot be used, which no backup would mend. */
async function notUsable(path: string, text: string): Promise<Finding> {
  let db: Connection | undefined
  try {
    db = openAside(path)
    return strange(path, versionOf(db)) ?? notRead(path, text)
  } catch (error) {
    if (isBusy(error)) return trouble(`The database ${path} is held by another program.`, 'End that program, then check again.')
    const refusal = await refusalOf([dirname(path)])
    if (refusal === null) return notRead(path, (error as Error).message)
    const why = `its folder cannot be written to (${refusal.reason})`
    return trouble(`The database ${path} cannot be opened: ${why}.`, 'Give the bus access to the folder again; the database is not known to be damaged.')
  } finally {
    db?.close()
  }
}

function strange(path: string, version: number | undefined): Finding | undefined {
  if (version === undefined) {
    return trouble(`${path} is a file of another program, not the database of a bus.`, 'Set BUS_DB_PATH to another file; this one is left alone.')
  }
  if (version <= SCHEMA_VERSION) return undefined
  const text = `The database ${path} was written by a newer version of Intent Bus Desktop (schema ${version}; this one knows up to ${SCHEMA_VERSION}).`
  return trouble(text, 'Start that version, or update this one; the database is not damaged.')
}

function notRead(path: string, text: string): Finding {
  return trouble(`The database ${path} cannot be read: ${text}.`, 'See that you own the file and may read it, and that its disk is well.')
}

function sound(path: string): Finding {
  return fine(`The database is sound, from beginning to end (${formatBytes(sizeOf(path))} in ${path}).`)
}

function isThere(path: string): boolean {
  return sizeOf(path) > 0
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
