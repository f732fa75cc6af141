import type { UnservedGoal } from '../../../shared/control/views.ts'
import type { Connection } from '../store/database.ts'
import type { WaitingLane } from './waiting.ts'
import type { Workforce } from './workforce.ts'

/** A goal is told once, whoever published its intents. */
function goalKey({ namespace, goal }: { readonly namespace: string; readonly goal: string }): string {
  return `${namespace}\n${goal}`
}

export interface Unserved {
  /** Goals for whose intents no worker there asks with a key that may claim them; the longest waiting first. */
  readonly goals: readonly UnservedGoal[]
  /** Lanes of other goals that none of the workers there can claim from. */
  readonly stuck: readonly WaitingLane[]
}

/** Which waiting intents have nobody. */
export function unserved(db: Connection, lanes: readonly WaitingLane[], workforce: Workforce): Unserved {
  const byGoal = Map.groupBy(lanes, goalKey)
  const known = db.prepare(
    `SELECT (SELECT total(count) FROM tallies WHERE namespace = @namespace AND goal = @goal AND status = 0) AS open,
       (SELECT last_claimed_at FROM goals WHERE namespace = @namespace AND goal = @goal) AS lastClaimedAt`
  )
  const goals: UnservedGoal[] = []
  const stuck: WaitingLane[] = []
  for (const ofGoal of byGoal.values()) {
    const { namespace, goal } = ofGoal[0]!
    if (ofGoal.some((lane) => workforce.isAskedFor(lane))) {
      stuck.push(...ofGoal.filter((lane) => workforce.ableTo(lane).length === 0))
      continue
    }
    const { open, lastClaimedAt } = known.get({ namespace, goal }) as Pick<UnservedGoal, 'open' | 'lastClaimedAt'>
    goals.push({ namespace, goal, open, oldestAt: Math.min(...ofGoal.map(({ oldest }) => oldest.since)), lastClaimedAt })
  }
  return { goals: goals.sort((a, b) => a.oldestAt - b.oldestAt), stuck: stuck.sort((a, b) => a.oldest.since - b.oldest.since) }
}
