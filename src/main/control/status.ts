import { statSync } from 'node:fs'
import type { BusStatus, SecretView } from '../../shared/control/status-views.ts'
import { APP_NAME, APP_VERSION } from '../app-info.ts'
import type { Safety } from '../backups/safety.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../bus/clock.ts'
import type { Config } from '../config.ts'
import type { Host } from '../host.ts'
import type { Pairing } from '../lan/pairing/pairing.ts'
import type { Sharing } from '../lan/sharing.ts'
import type { Listener } from '../net/listener.ts'
import type { Secret } from '../secrets.ts'
import type { SettingsFile } from '../settings.ts'
import type { StorageWatch } from '../storage/storage-watch.ts'

export interface StatusSource {
  readonly bus: Bus
  readonly clock: Clock
  readonly config: Config
  readonly host: Host
  /** Sentences that a careful user wants to read. */
  readonly notices: readonly string[]
  readonly listener: Listener
  readonly sharing: Sharing
  readonly pairing: Pairing
  readonly settings: SettingsFile
  readonly mainKey: Secret
  readonly password: Secret
  readonly storage: StorageWatch
  readonly safety: Safety
  /** Unix seconds. */
  readonly since: number
}

/** How a running bus is, for operators. */
export function busStatus(source: StatusSource): BusStatus {
  const { bus, clock, config, host, notices, listener, sharing, pairing, settings, mainKey, password, storage, safety, since } = source
  const { requireSignatures, maintenance, intentLifetimeHours } = settings.values
  return {
    app: { name: APP_NAME, version: APP_VERSION, shell: host.shell },
    state: 'running',
    problem: null,
    damage: safety.damage,
    listener: listener.state,
    since,
    now: clock.now(),
    isPaused: bus.isPaused,
    isMaintenance: maintenance,
    requiresSignatures: requireSignatures,
    isOpenToNetwork: listener.isOpenToNetwork || sharing.state === 'listening',
    sharing: { state: sharing.state, url: sharing.urls[0] ?? null, pin: sharing.identity?.pin ?? null },
    pairingRequests: pairing.pendingCount,
    dataDir: config.dataDir,
    databasePath: config.databasePath,
    databaseBytes: sizeOf(config.databasePath) + sizeOf(`${config.databasePath}-wal`),
    storage: storage.status,
    claimTimeout: config.claimTimeout,
    intentLifetime: intentLifetimeHours * 3_600,
    mainKey: secretView(mainKey),
    password: secretView(password),
    notices: [...safety.notices, ...notices]
  }
}

function secretView({ place }: Secret): SecretView {
  return place.in === 'environment' ? { in: place.in, where: place.variable } : { in: place.in, where: place.path }
}

/** Bytes of a file; 0 where there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
