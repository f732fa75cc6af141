import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { DoctorCheck } from '../../shared/control/doctor-views.ts'
import type { ListenerView } from '../../shared/control/views.ts'
import { findFlaw } from '../backups/check.ts'
import { backupFolderOf } from '../backups/safety-net.ts'
import { digestOf } from '../bus/keys.ts'
import { readTimeFacts, type TimeFacts } from '../bus/reading/time-facts.ts'
import { openAside, SCHEMA_VERSION, versionOf } from '../bus/store/database.ts'
import type { Config } from '../config.ts'
import { readRunning, type RunningBus } from '../data-directory.ts'
import { SECRET_SLOTS } from '../secrets.ts'
import { storageStatus } from '../storage/storage-status.ts'
import { leastRoom, refusalOf } from '../storage/storage-watch.ts'
import * as checks from './checks.ts'

/** Milliseconds after which a bus on this machine does not answer any more. */
const PATIENCE_MS = 3_000

type Digests = Readonly<Record<keyof typeof SECRET_SLOTS, string | undefined>>

interface Content {
  readonly times: TimeFacts
  readonly digests: Digests
}

/** Examines a data directory, whether a bus runs on it or not, and changes nothing. `now`: Unix seconds. */
export async function examineFolder(config: Config, now: number): Promise<readonly DoctorCheck[]> {
  const { dataDir, databasePath } = config
  const running = readRunning(dataDir)
  const flaw = existsSync(databasePath) ? findFlaw(databasePath)?.text : 'its file is not there'
  const content = flaw === undefined ? readContent(databasePath) : undefined
  const room = await leastRoom([dataDir])
  const refusal = await refusalOf([dataDir])
  const folder = backupFolderOf(dataDir)
  const shared = running?.shared?.[0] ?? null
  return [
    checks.checkDatabase(databasePath, flaw),
    checks.checkSpace(storageStatus({ trouble: null, isOverfull: false, maxMegabytes: 0, room, refusal }), room?.free ?? null),
    checks.checkBackups({ backups: folder.list(), folder: folder.path, problem: null }, now),
    checks.checkPermissions(dataDir, checks.privateFiles(config)),
    ...(content === undefined ? [] : [checks.checkSecrets(secretsOf(config, content.digests)), checks.checkClock(now, content.times.newest, content.times.gaps)]),
    checks.checkPort(await findListener(config, running)),
    checks.checkSharing(shared, null)
  ]
}

/** undefined for a database of an older version, which the next start brings up to date. */
function readContent(path: string): Content | undefined {
  const db = openAside(path)
  try {
    if (versionOf(db) !== SCHEMA_VERSION) return undefined
    const meta = db.prepare('SELECT value FROM meta WHERE name = ?').pluck()
    const digest = (name: string): string | undefined => meta.get(name) as string | undefined
    return {
      times: readTimeFacts(db),
      digests: { main_key_digest: digest('main_key_digest'), dashboard_password_digest: digest('dashboard_password_digest') }
    }
  } finally {
    db.close()
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

/** Whether a bus answers where one says that it listens, or could listen there. */
async function findListener({ host, port }: Config, running: RunningBus | undefined): Promise<ListenerView> {
  const { url } = running ?? {}
  if (url !== undefined && (await answers(url))) return { state: 'listening', host, port: Number(new URL(url).port), url }
  const code = await whyTaken(host, port)
  const what = url === undefined ? 'No bus runs on this folder' : `The bus of this folder does not answer at ${url}`
  const problem = code === undefined ? `${what}; port ${port} is free.` : `${what}, and port ${port} cannot be had (${code}).`
  return { state: 'failed', host, port, problem }
}

async function answers(url: string): Promise<boolean> {
  try {
    const { ok, body } = await fetch(`${url}/health`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    await body?.cancel()
    return ok
  } catch {
    return false
  }
}

function whyTaken(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'unknown'))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}
