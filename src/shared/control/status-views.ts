import type { DamageView } from './backup-views.ts'
import type { Settings, SettingName } from './settings.ts'
import type { StorageStatus } from './storage-views.ts'

/** Where a secret of the bus is kept; `where` names the variable or the file. */
export interface SecretView {
  readonly in: 'environment' | 'file' | 'keychain' | 'elsewhere'
  readonly where: string
}

export type ListenerView =
  | { readonly state: 'listening'; readonly url: string; readonly host: string; readonly port: number }
  | { readonly state: 'failed'; readonly host: string; readonly port: number; readonly problem: string }

/** How the bus is. */
export interface BusStatus {
  readonly app: { readonly name: string; readonly version: string; readonly shell: 'desktop' | 'headless' }
  /** `stopped`: there is no bus behind the interface; `problem` says why and what to do. */
  readonly state: 'starting' | 'running' | 'stopped'
  readonly problem: string | null
  /** What can be done about a database that is damaged; null while none is known to be. */
  readonly damage: DamageView | null
  readonly listener: ListenerView | null
  /** When the bus started. */
  readonly since: number
  /** The bus's own time, by which leases end. */
  readonly now: number
  readonly isPaused: boolean
  readonly isMaintenance: boolean
  readonly requiresSignatures: boolean
  /** Whether other machines can reach the bus. */
  readonly isOpenToNetwork: boolean
  /** Whether it is shared over HTTPS, the best address for other machines, and the pin that they know it by. */
  readonly sharing: { readonly state: 'off' | 'listening' | 'waiting' | 'failed'; readonly url: string | null; readonly pin: string | null }
  /** Devices that wait for somebody to let them in. */
  readonly pairingRequests: number
  readonly dataDir: string
  readonly databasePath: string
  readonly databaseBytes: number
  /** Whether the disk takes what the bus writes. */
  readonly storage: StorageStatus
  /** Seconds of a lease. */
  readonly claimTimeout: number
  /** Seconds that an open intent may wait from its first run on. */
  readonly intentLifetime: number
  readonly mainKey: SecretView | null
  readonly password: SecretView | null
  /** Sentences that a careful user wants to read. */
  readonly notices: readonly string[]
}

export interface SettingsView {
  readonly values: Settings
  /** Settings that the environment decides, with the variable that does. */
  readonly fixed: Readonly<Partial<Record<SettingName, string>>>
  /** Settings that mean nothing where this bus runs, with the reason. */
  readonly unavailable: Readonly<Partial<Record<SettingName, string>>>
  /** The log's file; null where the log goes to standard error. */
  readonly logFile: string | null
}
