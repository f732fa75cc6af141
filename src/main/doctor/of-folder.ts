import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DoctorCheck } from '../../shared/control/doctor-views.ts'
import type { BackupFolder } from '../backups/backup-folder.ts'
import { backupFolderOf } from '../backups/safety-net.ts'
import { digestOf } from '../bus/keys.ts'
import { readTimeFacts, type TimeFacts } from '../bus/reading/time-facts.ts'
import { openAside, SCHEMA_VERSION, versionOf, type Connection } from '../bus/store/database.ts'
import type { Config } from '../config.ts'
import { readRunning } from '../data-directory.ts'
import { SECRET_SLOTS } from '../secrets.ts'
import { storageFinding } from '../storage/storage-status.ts'
import { foldersOf, leastRoom, refusalOf } from '../storage/storage-watch.ts'
import * as checks from './checks.ts'
import { examineDatabase } from './database.ts'
import { checkPortOfFolder, findBus } from './port.ts'

type Digests = Readonly<Record<keyof typeof SECRET_SLOTS, string | undefined>>

interface Content {
  readonly times: TimeFacts
  readonly digests: Digests
}

/** Examines a data directory, whether a bus runs on it or not, and changes nothing. `now`: Unix seconds. */
export async function examineFolder(config: Config, now: number): Promise<readonly DoctorCheck[]> {
  const { dataDir, databasePath } = config
  const running = readRunning(dataDir)
  const url = await findBus(running)
  const folder = backupFolderOf(dataDir)
  const database = await examineDatabase(databasePath, folder, url !== undefined)
  const content = database.isReadable ? readContent(databasePath) : undefined
  const shared = running?.shared?.[0] ?? null
  return [
    database.check,
    await checkDisk(config),
    checkBackups(folder, now),
    checks.checkPermissions(dataDir, checks.privatePlaces(config, folder.path)),
    ...(content === undefined ? [] : [checks.checkSecrets(secretsOf(config, content.digests)), checks.checkClock(now, content.times.newest, content.times.gaps)]),
    await checkPortOfFolder(config, running, url),
    checks.checkSharing(url === undefined ? null : shared, null)
  ]
}

/** A folder of backups that cannot be read keeps nothing else from being looked at. */
function checkBackups(folder: BackupFolder, now: number): DoctorCheck {
  try {
    return checks.checkBackups({ backups: folder.list(), folder: folder.path, problem: null }, now)
  } catch (error) {
    return checks.checkBackups({ backups: [], folder: folder.path, problem: { at: now, text: (error as Error).message } }, now)
  }
}

async function checkDisk(config: Config): Promise<DoctorCheck> {
  const folders = foldersOf(config)
  const room = await leastRoom(folders)
  const refusal = await refusalOf(folders)
  const folder = dirname(config.databasePath)
  return checks.checkSpace(storageFinding({ trouble: null, isOverfull: false, maxMegabytes: 0, folder, room, refusal }), room)
}

/** undefined for a database of an older version, which the next start brings up to date, and where it cannot be read any more. */
function readContent(path: string): Content | undefined {
  let db: Connection | undefined
  try {
    db = openAside(path)
    if (versionOf(db) !== SCHEMA_VERSION) return undefined
    const meta = db.prepare('SELECT value FROM meta WHERE name = ?').pluck()
    const digest = (name: string): string | undefined => meta.get(name) as string | undefined
    return {
      times: readTimeFacts(db),
      digests: { main_key_digest: digest('main_key_digest'), dashboard_password_digest: digest('dashboard_password_digest') }
    }
  } catch {
    return undefined
  } finally {
    db?.close()
  }
}

function secretsOf({ dataDir, secret, dashboardPassword }: Config, digests: Digests): readonly checks.SecretFact[] {
  return [
    secretOf(dataDir, 'main key', 'main_key_digest', secret, digests),
    secretOf(dataDir, 'password', 'dashboard_password_digest', dashboardPassword, digests)
  ]
}

function secretOf(dataDir: string, what: string, name: keyof Digests, given: string | undefined, digests: Digests): checks.SecretFact {
  if (given !== undefined) return { what, place: 'environment', isThere: true }
  const path = join(dataDir, SECRET_SLOTS[name])
  // Only the desktop app can open what its keychain has sealed.
  if (!existsSync(path) && existsSync(`${path}.sealed`)) return { what, place: 'keychain', isThere: true }
  const isThere = existsSync(path) && digestOf(readFileSync(path, 'utf8').trim()) === digests[name]
  return { what, place: isThere ? 'file' : 'elsewhere', isThere }
}
