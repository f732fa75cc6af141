import type { Events } from '../events.ts'
import type { Gaps } from '../gaps.ts'
import type { Goals } from '../goals.ts'
import type { Parking } from '../parking/parking.ts'
import type { Idempotency } from '../idempotency.ts'
import type { IdSource } from '../ids.ts'
import type { Random } from '../random.ts'
import type { Statistics } from '../statistics.ts'
import type { Workers } from '../workers.ts'
import type { Connection } from './database.ts'
import type { Deadlines } from './deadlines.ts'
import type { Lanes } from './lanes.ts'
import type { Tallies } from './tallies.ts'

/** What the operations on intents share: the database and the state that lives in memory beside it. */
export interface Store {
  readonly db: Connection
  readonly random: Random
  readonly ids: IdSource
  readonly lanes: Lanes
  readonly parking: Parking
  readonly tallies: Tallies
  readonly deadlines: Deadlines
  readonly idempotency: Idempotency
  readonly gaps: Gaps
  readonly goals: Goals
  readonly workers: Workers
  readonly statistics: Statistics
  readonly events: Events
  readonly terms: Terms
}

/** What operators set that counts for intents from then on. */
export interface Terms {
  /** Seconds that an open intent may wait from its first `run_at` on (SPEC 4.2). */
  intentLifetime: number
}
