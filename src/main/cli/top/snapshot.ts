import type { IntentRow } from '../../../shared/control/intent-views.ts'
import type { Overview, Statistics } from '../../../shared/control/overview-views.ts'
import type { BusStatus } from '../../../shared/control/status-views.ts'
import type { WorkerView } from '../../../shared/control/worker-views.ts'
import type { Operator } from '../bus/operator.ts'
import { nowInSeconds } from '../terminal/time.ts'

/** All that the dashboard shows, as of one moment. */
export interface Snapshot {
  /** Unix seconds, by the clock of this machine. */
  readonly at: number
  readonly status: BusStatus
  readonly overview: Overview
  /** Of the last hour. */
  readonly statistics: Statistics
  readonly workers: readonly WorkerView[]
  /** Dead letters, and intents of the last hour that failed and will be tried again. The latest first. */
  readonly failures: readonly IntentRow[]
}

/** Of each kind. */
const MAX_FAILURES = 50
/** To look for errors among all that wait would take the bus long where many do. */
const TRIED_AGAIN = 'has:error status:open,claimed age:<1h'

/** Asks the bus. Rejects with ControlError. */
export async function takeSnapshot(operator: Operator): Promise<Snapshot> {
  const [status, overview, statistics, { workers }, dead, triedAgain] = await Promise.all([
    operator.call('status.get', {}),
    operator.call('overview.get', {}),
    operator.call('statistics.get', { range: 'hour' }),
    operator.call('workers.list', {}),
    operator.call('intents.list', { filter: 'status:dead', limit: MAX_FAILURES }),
    operator.call('intents.list', { filter: TRIED_AGAIN, limit: MAX_FAILURES })
  ])
  const failures = [...dead.rows, ...triedAgain.rows].sort((a, b) => lastAt(b) - lastAt(a))
  return { at: nowInSeconds(), status, overview, statistics, workers, failures }
}

/** When something was last known to happen to it. */
export function lastAt({ finishedAt, createdAt }: IntentRow): number {
  return finishedAt ?? createdAt
}
