import type { Overview } from '../../../shared/control/overview-views.ts'
import { formatId } from '../ids.ts'
import type { Connection } from '../store/database.ts'
import { attentionTo } from './attention.ts'
import { failuresSince } from './failures.ts'
import { readKeyOwners } from './keys.ts'
import { readCounts } from './names.ts'
import { statistics } from './statistics.ts'
import type { Share } from './turns.ts'
import { unserved } from './unserved.ts'
import { waitingLanes, type WaitingLane } from './waiting.ts'
import { readWorkforce } from './workforce.ts'

/** What only the bus itself knows. */
export interface SummaryContext {
  /** Unix seconds. */
  readonly now: number
  readonly isPaused: boolean
  readonly isMaintenance: boolean
  readonly storageProblem: string | null
}

const HOUR = 3_600
const MAX_COUNTED = 10_000
/** Lanes whose intents are counted, the longest waiting. */
const MAX_STUCK = 10

export const OPEN_IN_LANE = `
  SELECT count(*) FROM (SELECT 1 FROM intents INDEXED BY intents_lane WHERE status = 0 AND lane = +? LIMIT ${MAX_COUNTED})`

/** The state of the bus at a glance, and what wants attention. */
export async function readSummary(db: Connection, context: SummaryContext, share: Share): Promise<Overview> {
  const { now } = context
  const lanes = await waitingLanes(db, now, share)
  const failures = await failuresSince(db, now - HOUR, share)
  const workforce = await share.turn(() => readWorkforce(db, now))
  const { goals, stuck } = await share.turn(() => unserved(db, lanes, workforce))
  return share.turn(() => {
    const openIn = db.prepare(OPEN_IN_LANE).pluck()
    const counts = readCounts(db)
    const attention = attentionTo({
      ...context,
      expired: counts.expired,
      unserved: goals,
      stuck: stuck.slice(0, MAX_STUCK).map((lane) => ({ lane, open: openIn.get(lane.lane) as number })),
      failures,
      lastHour: statistics(db, 'hour', now).total,
      workforce,
      keyOwners: readKeyOwners(db)
    })
    return { counts, oldestWaiting: oldestOf(db, lanes), attention, isNew: isNew(db) }
  })
}

function oldestOf(db: Connection, lanes: readonly WaitingLane[]): Overview['oldestWaiting'] {
  if (lanes.length === 0) return null
  const { namespace, goal, oldest } = lanes.reduce((first, lane) => (lane.oldest.since < first.oldest.since ? lane : first))
  const tail = db.prepare('SELECT tail FROM intents WHERE n = ?').pluck().get(oldest.n) as string | undefined
  return tail === undefined ? null : { id: formatId(oldest.n, tail), goal, namespace, since: oldest.since }
}

/** What was published leaves traces that outlive it. */
function isNew(db: Connection): boolean {
  const traces = ['goals', 'tallies', 'statistics'].map((table) => `EXISTS (SELECT 1 FROM ${table})`)
  return db.prepare(`SELECT ${traces.join(' OR ')}`).pluck().get() === 0
}
