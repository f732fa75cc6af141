import { monotonic, sleep } from '../../../shared/client/patience.ts'
import type { BackupsView, BackupView } from '../../../shared/control/backup-views.ts'
import { ControlError } from '../../../shared/control/transport.ts'
import type { BusStatus } from '../../../shared/control/status-views.ts'
import { CommandError, EXIT } from '../exit.ts'
import type { Operator } from './operator.ts'

type Bus = Pick<Operator, 'call'>

/** Seconds between two looks at a bus that has something under way. */
const LOOK_INTERVAL = 0.5
/** Seconds that a bus may be gone for a restore: gigabytes are copied twice. */
const RETURN_PATIENCE = 1_800

/** Makes a backup, however long the bus is at it. Rejects with ControlError, and with the signal's reason. */
export async function makeBackup(bus: Bus, signal: AbortSignal): Promise<BackupView> {
  const before = await bus.call('backups.list', {})
  try {
    return await bus.call('backups.make', {})
  } catch (error) {
    if (!isOf(error, 'unreachable')) throw error
    return await madeSince(before, bus, signal, error)
  }
}

/** The backup that comes of a call whose answer did not; throws `lost` where none comes. */
async function madeSince(before: BackupsView, bus: Bus, signal: AbortSignal, lost: ControlError): Promise<BackupView> {
  const known = new Set(before.backups.map(({ id }) => id))
  for (;;) {
    const { backups, making, problem } = await bus.call('backups.list', {})
    const made = backups.find(({ kind, id }) => kind === 'manual' && !known.has(id))
    if (made !== undefined) return made
    if (making === null) {
      if (problem === null || problem.at === before.problem?.at) throw lost
      throw new ControlError({ code: 'storage_unavailable', message: problem.text })
    }
    await sleep(LOOK_INTERVAL, signal)
  }
}

/** What came of a restore. */
export interface Restored {
  readonly isDone: boolean
  /** Sentences that the bus has to say since. */
  readonly notices: readonly string[]
}

/**
 * Restores a backup, and waits until the bus is there again. `now` is how it is asked from then on, undefined while it listens nowhere:
 * it may have another port than before. Rejects with ControlError where it refuses, CommandError where it does
 * not come back or does not let the caller in any more, and the signal's reason.
 */
export async function restoreBackup(bus: Bus, { id }: BackupView, now: () => Bus | undefined, signal: AbortSignal): Promise<Restored> {
  const before = await bus.call('status.get', {})
  await bus.call('backups.restore', { id, confirm: true })
  const { status, bus: next } = await nextRun(before.since, now, signal)
  const { restored } = await next.call('backups.list', {})
  const { notices } = status
  return { isDone: restored?.id === id, notices: notices.filter((notice) => !before.notices.includes(notice)) }
}

/** `since`: when the run began that is about to end. */
async function nextRun(since: BusStatus['since'], now: () => Bus | undefined, signal: AbortSignal): Promise<{ readonly status: BusStatus; readonly bus: Bus }> {
  const end = monotonic() + RETURN_PATIENCE
  while (monotonic() < end) {
    const bus = now()
    const status = await bus?.call('status.get', {}).catch((error: unknown) => absence(error, signal))
    if (bus !== undefined && status?.state === 'running' && status.since !== since) return { status, bus }
    await sleep(LOOK_INTERVAL, signal)
  }
  const cure = '`intent-bus doctor` finds out what is wrong.'
  throw new CommandError(EXIT.timedOut, 'The bus did not come back yet, and nobody can say whether it was restored.', cure)
}

/** A bus that ends or begins may answer in many ways; only who is not let in has nothing to wait for. */
function absence(error: unknown, signal: AbortSignal): undefined {
  signal.throwIfAborted()
  if (!(error instanceof ControlError)) throw error
  if (error.code !== 'unauthorized' && error.code !== 'forbidden') return undefined
  const cure = 'Its interface says what came of the restore.'
  throw new CommandError(EXIT.notAllowed, 'The bus is there again, but no longer takes this key or password.', cure)
}

function isOf(error: unknown, code: string): error is ControlError {
  return error instanceof ControlError && error.code === code
}
