import type { DoctorCheck } from '../../shared/control/doctor-views.ts'
import type { Safety } from '../backups/safety.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import type { Config } from '../config.ts'
import type { Sharing } from '../lan/sharing.ts'
import type { Listener } from '../net/listener.ts'
import type { Secret } from '../secrets.ts'
import type { StorageWatch } from '../storage/storage-watch.ts'
import * as checks from './checks.ts'
import { checkOwnDatabase } from './database.ts'

/** What the doctor looks at in a bus that runs. */
export interface RunningBus {
  readonly bus: Bus
  readonly clock: Clock
  readonly config: Config
  readonly listener: Listener
  readonly sharing: Sharing
  readonly mainKey: Secret
  readonly password: Secret
  readonly storage: StorageWatch
  readonly safety: Safety
}

/**
 * Examines a bus that runs; the database is read as a whole, in a thread that gives way to everything else. What a damaged one does
 * not tell is left out.
 */
export async function examineBus(running: RunningBus): Promise<readonly DoctorCheck[]> {
  const { bus, clock, config, listener, sharing, mainKey, password, storage, safety } = running
  const { dataDir, databasePath } = config
  await storage.look()
  const database = await checkOwnDatabase(databasePath, safety)
  const times = await bus.reader.ask('timeFacts').catch(() => undefined)
  const { state, problem } = sharing.view()
  const backups = safety.backups.view()
  const secrets = [await secretFact('main key', mainKey), await secretFact('password', password)]
  return [
    database,
    checks.checkSpace(storage.finding, storage.room),
    checks.checkBackups(backups, clock.now()),
    checks.checkPermissions(dataDir, checks.privatePlaces(config, backups.folder)),
    checks.checkSecrets(secrets),
    ...(times === undefined ? [] : [checks.checkClock(clock.now(), times.newest, times.gaps)]),
    checks.checkPort(listener.state),
    checks.checkSharing(sharing.urls[0] ?? null, state === 'off' ? null : problem)
  ]
}

async function secretFact(what: string, secret: Secret): Promise<checks.SecretFact> {
  const isThere = (await secret.reveal().catch(() => undefined)) !== undefined
  return { what, place: secret.place.in, isThere }
}
