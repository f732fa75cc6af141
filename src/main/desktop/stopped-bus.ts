import { DEFAULT_CLAIM_TIMEOUT, INTENT_LIFETIME } from '../../shared/limits.ts'
import type { DamageView } from '../../shared/control/backup-views.ts'
import type { Envelope } from '../../shared/control/transport.ts'
import type { Counts } from '../../shared/control/intent-views.ts'
import type { BusStatus } from '../../shared/control/status-views.ts'
import { APP_NAME, APP_VERSION } from '../app-info.ts'

export const NO_COUNTS: Counts = { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }

/** How other machines reach a bus that is not there. */
const UNREACHED = { listener: null, isOpenToNetwork: false, sharing: { state: 'off', url: null, pin: null }, pairingRequests: 0 } as const

export interface Absence {
  readonly state: 'starting' | 'stopped'
  /** Why there is no bus, and what to do. */
  readonly problem: string | null
  /** There where a damaged database is why. */
  readonly damage?: DamageView
}

/** What the main thread knows of its bus. */
export type BusState =
  | { readonly name: 'starting' }
  | { readonly name: 'running' }
  | { readonly name: 'stopped'; readonly problem: string; readonly damage?: DamageView }
  | { readonly name: 'closed' }

/** How a bus that does not run is absent. */
export function absenceIn(state: BusState): Absence {
  if (state.name === 'starting') return { state: 'starting', problem: null }
  if (state.name !== 'stopped') return { state: 'stopped', problem: 'The app is closing.' }
  const { problem, damage } = state
  return { state: 'stopped', problem, ...(damage && { damage }) }
}

/** What operators are told of a bus that is not there; `last` is what it said of itself, if it ever ran. */
export function absentStatus(absence: Absence, last: BusStatus | undefined, dataDir: string, now: number): BusStatus {
  const known = last ?? {
    app: { name: APP_NAME, version: APP_VERSION, shell: 'desktop' },
    since: now,
    isPaused: false,
    isMaintenance: false,
    requiresSignatures: false,
    dataDir,
    databasePath: '',
    databaseBytes: 0,
    storage: { state: 'fine', problem: null } as const,
    claimTimeout: DEFAULT_CLAIM_TIMEOUT,
    intentLifetime: INTENT_LIFETIME,
    mainKey: null,
    password: null,
    notices: []
  }
  return { ...known, damage: null, ...absence, ...UNREACHED, now }
}

/** The answer to a call that nobody can carry out. */
export function refusedByStopped(problem: string): Envelope {
  return { ok: false, error: { code: 'bus_stopped', message: `The bus is stopped. ${problem}` } }
}
