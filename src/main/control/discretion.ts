import type { Right } from '../../shared/control/rights.ts'
import type { EventFrame } from '../../shared/control/event-frame.ts'
import type { BusStatus } from '../../shared/control/status-views.ts'

/** What can only be asked for by who may manage the bus. */
const MANAGED: ReadonlySet<string> = new Set(['settings', 'sharing', 'pairing', 'sessions', 'backups', 'transfer'])

/** The status as an operator may see it: where files and secrets lie is for those who may manage the bus. */
export function statusFor(rights: readonly Right[], status: BusStatus): BusStatus {
  if (rights.includes('manage')) return status
  // Where its files lie is not for everybody.
  const damage = status.damage && { problem: 'The database of the bus is damaged.', newest: null, recoveries: [] }
  return { ...status, damage, dataDir: '', databasePath: '', mainKey: null, password: null, notices: [], pairingRequests: 0 }
}

/** A frame as an operator may see it. */
export function frameFor(rights: readonly Right[], frame: EventFrame): EventFrame {
  if (rights.includes('manage')) return frame
  const { status, changed, ...rest } = frame
  const told = changed?.filter((what) => !MANAGED.has(what)) ?? []
  return { ...rest, ...(status && { status: statusFor(rights, status) }), ...(told.length > 0 && { changed: told }) }
}
