import type { Counts, StatusName } from '../../../shared/control/intent-views.ts'
import type { NamesView } from '../../../shared/control/worker-views.ts'
import { statusName } from '../intents/intent.ts'
import type { Connection } from '../store/database.ts'

/** Namespaces that are listed: more fit neither a menu nor an answer. */
const MAX_NAMESPACES = 2_000
/** Goals that are listed, those published last first. */
const MAX_GOALS = 2_000

/** How many intents have each status, of all rows or those of one group; `status` as stored. */
export function countsOf(rows: readonly { readonly status: number; readonly count: number }[]): Counts {
  const counts: Record<StatusName, number> = { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }
  for (const { status, count } of rows) counts[statusName(status)] += count
  return counts
}

/** A goal of a namespace as one text. Namespaces have no newlines, so that texts never collide. */
export function goalKey({ namespace, goal }: { readonly namespace: string; readonly goal: string }): string {
  return `${namespace}\n${goal}`
}

/** How many intents there are of each status. */
export function readCounts(db: Connection): Counts {
  const rows = db.prepare('SELECT status, sum(count) AS count FROM tallies GROUP BY status').all()
  return countsOf(rows as { status: number; count: number }[])
}

interface Tally {
  readonly namespace: string
  readonly goal: string
  readonly status: number
  readonly count: number
}

interface StoredGoal {
  readonly namespace: string
  readonly goal: string
  readonly lastPublishedAt: number | null
  readonly lastClaimedAt: number | null
}

/** The names in use: of namespaces, goals, capabilities and workers. */
export function readNames(db: Connection): NamesView {
  const goals = db
    .prepare(
      `SELECT namespace, goal, last_published_at AS lastPublishedAt, last_claimed_at AS lastClaimedAt FROM goals
       ORDER BY last_published_at DESC, namespace, goal LIMIT ${MAX_GOALS}`
    )
    .all() as StoredGoal[]
  const tallies = db
    .prepare(
      `SELECT namespace, goal, status, sum(count) AS count FROM tallies GROUP BY namespace, goal, status
       HAVING sum(count) > 0 ORDER BY namespace`
    )
    .all() as Tally[]
  const byNamespace = Map.groupBy(tallies, ({ namespace }) => namespace)
  const byGoal = Map.groupBy(tallies, goalKey)
  return {
    namespaces: [...byNamespace].slice(0, MAX_NAMESPACES).map(([namespace, rows]) => ({ namespace, counts: countsOf(rows) })),
    goals: goals.map((goal) => ({ ...goal, counts: countsOf(byGoal.get(goalKey(goal)) ?? []) })),
    ...readWorkerNames(db)
  }
}

function readWorkerNames(db: Connection): Pick<NamesView, 'capabilities' | 'workers'> {
  const rows = db.prepare('SELECT worker, capabilities FROM workers ORDER BY last_seen_at DESC').all()
  const workers = new Set<string>()
  const capabilities = new Set<string>()
  for (const row of rows as { worker: string | null; capabilities: string }[]) {
    if (row.worker !== null) workers.add(row.worker)
    for (const capability of row.capabilities.split(',')) if (capability !== '') capabilities.add(capability)
  }
  return { capabilities: [...capabilities].sort(), workers: [...workers].sort() }
}
