import { DEFAULT_CLAIM_TIMEOUT } from '../../shared/limits.ts'
import type { Envelope } from '../../shared/control/transport.ts'
import type { BusStatus, Counts } from '../../shared/control/views.ts'
import { APP_NAME, APP_VERSION } from '../app-info.ts'

export const NO_COUNTS: Counts = { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }

/** How other machines reach a bus that is not there. */
const UNREACHED = { listener: null, isOpenToNetwork: false, sharing: { state: 'off', url: null, pin: null }, pairingRequests: 0 } as const

export interface Absence {
  readonly state: 'starting' | 'stopped'
  /** Why there is no bus, and what to do. */
  readonly problem: string | null
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
    claimTimeout: DEFAULT_CLAIM_TIMEOUT,
    mainKey: null,
    password: null,
    notices: []
  }
  return { ...known, ...absence, ...UNREACHED, now }
}

/** The answer to a call that nobody can carry out. */
export function refusedByStopped(problem: string): Envelope {
  return { ok: false, error: { code: 'bus_stopped', message: `The bus is stopped. ${problem}` } }
}
