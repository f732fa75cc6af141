import type { Gap } from '../clock.ts'
import { readGaps } from '../gaps.ts'
import type { Connection } from '../store/database.ts'

/** What a database tells of the clock. Unix seconds. */
export interface TimeFacts {
  /** When the newest intent was published; null where there is none. */
  readonly newest: number | null
  /** The last gaps, oldest first. */
  readonly gaps: readonly Gap[]
}

const GAPS = 100

export function readTimeFacts(db: Connection): TimeFacts {
  // Ids grow with time: the last row is the newest.
  const newest = db.prepare('SELECT created_at FROM intents ORDER BY n DESC LIMIT 1').pluck().get() as number | undefined
  return { newest: newest ?? null, gaps: readGaps(db, -Infinity, GAPS) }
}
