import { parseHistory } from '../../../shared/history.ts'
import type { Connection } from '../store/database.ts'
import { goalKey } from './names.ts'
import { ChunkSize, type Share } from './turns.ts'

/** What became of a goal's intents lately. */
export interface GoalFailures {
  readonly namespace: string
  readonly goal: string
  /** Dead letters, those that operators cancelled left out. */
  readonly dead: number
  readonly lastReason: string
  /** Among the newest settled intents of all goals. */
  readonly latest: { readonly fulfilled: number; readonly dead: number }
}

/** Dead letters that are looked at, the newest. */
export const MAX_DEAD = 5_000
/** Fulfilled intents that dead ones are held against, the newest. */
const MAX_FULFILLED = 1_000
const FIRST_CHUNK = 500

export const LATEST_DEAD = `
  SELECT n, namespace, goal, finished_at, last_error, history FROM intents INDEXED BY intents_finished
  WHERE status >= 2 AND status = 3 AND finished_at >= @since AND finished_at <= @at AND (finished_at < @at OR n < @n)
  ORDER BY finished_at DESC, n DESC LIMIT @rows`
export const LATEST_FULFILLED = `
  SELECT namespace, goal, finished_at FROM intents INDEXED BY intents_finished
  WHERE status >= 2 AND status = 2 AND finished_at >= ? ORDER BY finished_at DESC LIMIT ${MAX_FULFILLED}`

interface SettledRow {
  readonly namespace: string
  readonly goal: string
  readonly finished_at: number
}

interface DeadRow extends SettledRow {
  readonly n: number
  readonly last_error: string
  readonly history: string
}

/** The goals that had dead letters since a time (Unix seconds), those of the newest first. */
export async function failuresSince(db: Connection, since: number, share: Share): Promise<GoalFailures[]> {
  const dead = (await latestDead(db, since, share)).filter(({ history }) => parseHistory(history).at(-1)?.event !== 'cancelled')
  if (dead.length === 0) return []
  const fulfilled = await share.turn(() => db.prepare(LATEST_FULFILLED).all(since) as SettledRow[])
  // Where not all of an hour's fulfilled ones were read, both are counted since the first that was.
  const from = fulfilled.length < MAX_FULFILLED ? since : fulfilled.at(-1)!.finished_at
  const fulfilledByGoal = Map.groupBy(fulfilled, goalKey)
  return [...Map.groupBy(dead, goalKey)].map(([key, rows]) => ({
    namespace: rows[0]!.namespace,
    goal: rows[0]!.goal,
    dead: rows.length,
    lastReason: rows[0]!.last_error,
    latest: {
      fulfilled: fulfilledByGoal.get(key)?.length ?? 0,
      dead: rows.filter(({ finished_at }) => finished_at >= from).length
    }
  }))
}

async function latestDead(db: Connection, since: number, share: Share): Promise<DeadRow[]> {
  const statement = db.prepare(LATEST_DEAD)
  const chunk = new ChunkSize(FIRST_CHUNK)
  const found: DeadRow[] = []
  for (let isDone = false; !isDone; ) {
    isDone = await share.turn(() =>
      chunk.measure((size) => {
        const rows = Math.min(size, MAX_DEAD - found.length)
        const last = found.at(-1)
        const part = statement.all({ since, at: last?.finished_at ?? Infinity, n: last?.n ?? Infinity, rows }) as DeadRow[]
        found.push(...part)
        return part.length < rows || found.length === MAX_DEAD
      })
    )
  }
  return found
}
