import type { UnservedGoal } from '../../../shared/control/worker-views.ts'
import type { Connection } from '../store/database.ts'
import { goalKey } from './names.ts'
import type { WaitingLane } from './waiting.ts'
import type { Workforce } from './workforce.ts'

export interface Unserved {
  /** Goals for whose intents no worker there asks with a key that may claim them; the longest waiting first. */
  readonly goals: readonly UnservedGoal[]
  /** Lanes of other goals that none of the workers there can claim from. */
  readonly stuck: readonly WaitingLane[]
}

/** Which waiting intents have nobody. */
export function unserved(db: Connection, lanes: readonly WaitingLane[], workforce: Workforce): Unserved {
  const byGoal = Map.groupBy(lanes, goalKey)
  const lastClaim = db.prepare('SELECT last_claimed_at FROM goals WHERE namespace = ? AND goal = ?').pluck()
  let openOf: ReadonlyMap<string, number> | undefined
  const goals: UnservedGoal[] = []
  const stuck: WaitingLane[] = []
  for (const ofGoal of byGoal.values()) {
    const { namespace, goal } = ofGoal[0]!
    if (ofGoal.some((lane) => workforce.isAskedFor(lane))) {
      stuck.push(...ofGoal.filter((lane) => workforce.ableTo(lane).length === 0))
      continue
    }
    openOf ??= readOpen(db)
    const open = openOf.get(goalKey({ namespace, goal })) ?? 0
    const lastClaimedAt = (lastClaim.get(namespace, goal) as number | null | undefined) ?? null
    goals.push({ namespace, goal, open, oldestAt: Math.min(...ofGoal.map(({ oldest }) => oldest.since)), lastClaimedAt })
  }
  return { goals: goals.sort((a, b) => a.oldestAt - b.oldestAt), stuck: stuck.sort((a, b) => a.oldest.since - b.oldest.since) }
}

/** How many intents of each goal are open. */
function readOpen(db: Connection): Map<string, number> {
  const rows = db
    .prepare('SELECT namespace, goal, sum(count) AS open FROM tallies WHERE status = 0 GROUP BY namespace, goal')
    .all() as { namespace: string; goal: string; open: number }[]
  return new Map(rows.map((row) => [goalKey(row), row.open]))
}
