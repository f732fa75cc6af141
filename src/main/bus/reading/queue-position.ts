import type { IntentRow } from '../intents/intent.ts'
import type { Connection } from '../store/database.ts'
import { laneName, PUBLIC_SCOPE } from '../store/lanes.ts'
import type { Asking } from './workforce.ts'

/** Counting stops here. */
export const MAX_AHEAD = 10_000

type Index = 'intents_lane' | 'intents_wide_lane' | 'intents_public_lane' | 'intents_public_wide_lane'

const COLUMNS: Readonly<Record<Index, string>> = {
  intents_lane: 'lane',
  intents_wide_lane: 'wide_lane',
  intents_public_lane: 'public_lane',
  intents_public_wide_lane: 'public_wide_lane'
}

/** Due intents of a lane with a higher priority. */
export function higherQuery(index: Index): string {
  return countQuery(index, 'priority > @priority AND run_at <= @now')
}

/** Due intents of a lane with the same priority whose turn is sooner (SPEC 7.3). */
export function soonerQuery(index: Index): string {
  return countQuery(
    index,
    `priority = @priority AND run_at <= @sooner
     AND (run_at, claim_attempts, created_at, n) < (@run_at, @claim_attempts, @created_at, @n)`
  )
}

function countQuery(index: Index, condition: string): string {
  const column = COLUMNS[index]
  const isPublic = column.startsWith('public') ? ` AND ${column} IS NOT NULL` : ''
  return `SELECT count(*) FROM (SELECT 1 FROM intents INDEXED BY ${index}
    WHERE status = 0${isPublic} AND ${column} = @lane AND ${condition} LIMIT @most)`
}

interface Source {
  readonly index: Index
  readonly name: string
}

/** Due intents that a worker that asks so would claim before this one; MAX_AHEAD for so many or more. */
export function aheadFor(db: Connection, row: IntentRow, { worker, ask }: Asking, now: number): number {
  return countAhead(db, row, sourcesOf(worker, ask), now)
}

/** The same for a worker that could claim only intents with the same conditions. */
export function aheadAmongAlike(db: Connection, row: IntentRow, now: number): number {
  const scope = row.visibility === 'public' ? PUBLIC_SCOPE : row.publisher
  const name = laneName(row.namespace, row.goal, scope, row.target_worker, row.required_capability)
  return countAhead(db, row, [{ index: 'intents_lane', name }], now)
}

/** The lanes that a claim looks at (store/lanes.ts), by the same rules as intents/claim.ts. */
function sourcesOf({ key, worker, capabilities }: Asking['worker'], { namespace, goal, publisher }: Asking['ask']): Source[] {
  const own: Index = goal === null ? 'intents_wide_lane' : 'intents_lane'
  const ofPublisher: Index = goal === null ? 'intents_public_wide_lane' : 'intents_public_lane'
  const scopes: { scope: string; index: Index }[] = [
    { scope: publisher ?? key, index: own },
    publisher === null ? { scope: PUBLIC_SCOPE, index: own } : { scope: PUBLIC_SCOPE + publisher, index: ofPublisher }
  ]
  const targets = worker === null ? [null] : [null, worker]
  return scopes.flatMap(({ scope, index }) =>
    targets.flatMap((target) =>
      [null, ...capabilities].map((capability) => ({ index, name: laneName(namespace, goal, scope, target, capability) }))
    )
  )
}

function countAhead(db: Connection, row: IntentRow, sources: readonly Source[], now: number): number {
  const laneOf = db.prepare('SELECT lane FROM lanes WHERE name = ?').pluck()
  let ahead = 0
  for (const { index, name } of sources) {
    const lane = laneOf.get(name) as number | undefined
    if (lane === undefined) continue
    const { n, priority, run_at, claim_attempts, created_at } = row
    const values = { lane, n, priority, run_at, claim_attempts, created_at, now, sooner: Math.min(now, run_at) }
    for (const query of [higherQuery(index), soonerQuery(index)]) {
      if (ahead < MAX_AHEAD) ahead += db.prepare(query).pluck().get({ ...values, most: MAX_AHEAD - ahead }) as number
    }
  }
  return ahead
}
