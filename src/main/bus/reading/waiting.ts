import { PRIORITY } from '../../../shared/limits.ts'
import { headQuery } from '../intents/claim.ts'
import type { Connection, Statement } from '../store/database.ts'
import { PUBLIC_SCOPE } from '../store/lanes.ts'
import type { Share } from './turns.ts'
import type { Wanted } from './workforce.ts'

/** Open intents of one kind: to a worker they differ in nothing but their order. */
export interface WaitingLane extends Wanted {
  readonly lane: number
  /** The one that could be claimed for longest, and since when (Unix seconds). */
  readonly oldest: { readonly n: number; readonly since: number }
}

/** Lanes that are looked at; a bus where more kinds of intents wait than this is not overlooked in one screen. */
const MAX_LANES = 5_000

export const NEXT_LANE = `
  SELECT lane FROM intents INDEXED BY intents_lane WHERE status = 0 AND lane > +? ORDER BY lane LIMIT 1`

/** The lanes with intents that could be claimed at `now`. Each step is a few looks at an index. */
export async function waitingLanes(db: Connection, now: number, share: Share): Promise<WaitingLane[]> {
  const nextLane = db.prepare(NEXT_LANE).pluck()
  const nameOf = db.prepare('SELECT name FROM lanes WHERE lane = ?').pluck()
  const head = db.prepare(headQuery('intents_lane', 'lane')).raw()
  const found: WaitingLane[] = []
  let lane = 0
  let looked = 0
  await share.repeat(() => {
    const next = nextLane.get(lane) as number | undefined
    if (next === undefined || looked++ === MAX_LANES) return true
    lane = next
    const name = nameOf.get(lane) as string | undefined
    const oldest = name === undefined ? undefined : oldestDue(head, lane, now)
    if (oldest !== undefined) found.push({ lane, ...readLaneName(name!), oldest })
    return false
  })
  return found
}

/** Within a priority the earliest `run_at` comes first, so one look at each priority will do. */
function oldestDue(head: Statement, lane: number, now: number): WaitingLane['oldest'] | undefined {
  let oldest: WaitingLane['oldest'] | undefined
  for (let priority: number = PRIORITY.max; priority >= PRIORITY.min; priority--) {
    const first = head.get(lane, priority) as [n: number, priority: number, runAt: number] | undefined
    if (first === undefined) break
    const [n, itsPriority, since] = first
    if (since <= now && (oldest === undefined || since < oldest.since)) oldest = { n, since }
    priority = itsPriority
  }
  return oldest
}

/** Takes apart what `laneName` of store/lanes.ts put together. */
function readLaneName(name: string): Wanted {
  const [namespace, scope, target, capability, ...goal] = name.split('\n') as [string, string, string, string, ...string[]]
  return {
    namespace,
    goal: goal.join('\n'),
    privateTo: scope === PUBLIC_SCOPE ? null : scope,
    publisher: scope === PUBLIC_SCOPE ? null : scope,
    target: target || null,
    capability: capability || null
  }
}
