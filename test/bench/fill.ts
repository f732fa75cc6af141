import { closeSync, fsyncSync, openSync } from 'node:fs'
import { IdSource } from '../../src/main/bus/ids.ts'
import { STATUS } from '../../src/main/bus/intents/intent.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import { openDatabase, type Connection } from '../../src/main/bus/store/database.ts'
import { Lanes, type Routing } from '../../src/main/bus/store/lanes.ts'
import { historyLine } from '../../src/shared/history.ts'
import { INTENT_LIFETIME } from '../../src/shared/limits.ts'

/** Intents to put straight into a database. Times are Unix seconds; `i` counts the intents of this filling from 0. */
export interface Filling {
  readonly count: number
  readonly status: keyof typeof STATUS
  readonly routing?: Partial<Routing>
  readonly priority?: (i: number) => number
  /** Absent: at once. */
  readonly runAt?: (i: number) => number
}

export const PUBLISHER = 'key_of_the_publisher'
export const GOAL = 'bench'

const ROUTING: Routing = {
  namespace: 'default',
  goal: GOAL,
  publisher: PUBLISHER,
  visibility: 'private',
  targetWorker: null,
  requiredCapability: null
}

const ROWS_PER_TRANSACTION = 10_000
/** So old are the intents that are put in: long enough that everything that ran with them is over. */
const AGE_SECONDS = 600
/** Leases that are to run outlive every measurement. */
const LEASE_SECONDS = 36_000

const INSERT = `
  INSERT INTO intents (n, tail, status, priority, run_at, claim_attempts, created_at, expires_at,
    lane, wide_lane, public_lane, public_wide_lane, claimed_at, claim_expires_at, finished_at, max_attempts,
    backoff_base, claim_token_digest, claimed_by, claim_address, namespace, goal, publisher, visibility,
    target_worker, required_capability, last_error, result_type, result, history, payload)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 3, 5, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    '{"message":"hello","n":12345678901234567890}')`

/**
 * Makes a database with these intents, in their order of age, as the bus would have left it. No bus may run on it.
 * A million rows take some seconds: the indexes are built at the end.
 */
export function fillDatabase(path: string, fillings: readonly Filling[]): void {
  const db = openDatabase(path)
  db.pragma('synchronous = OFF')
  db.pragma('cache_size = -65536')
  const indexes = db
    .prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'intents' AND sql IS NOT NULL`)
    .all() as { name: string; sql: string }[]
  for (const { name } of indexes) db.exec(`DROP INDEX ${name}`)
  insertAll(db, fillings)
  for (const { sql } of indexes) db.exec(sql)
  db.exec(
    `INSERT INTO tally_base (namespace, goal, publisher, status, count)
     SELECT namespace, goal, publisher, status, count(*) FROM intents GROUP BY namespace, goal, publisher, status`
  )
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  settleOnDisk(path)
}

function insertAll(db: Connection, fillings: readonly Filling[]): void {
  const random = systemRandom()
  const lanes = new Lanes(db)
  const insert = db.prepare(INSERT)
  const now = Math.floor(Date.now() / 1000)
  const born = now - AGE_SECONDS
  const ids = new IdSource(0, random)
  for (const { count, status, routing, priority, runAt } of fillings) {
    const route = { ...ROUTING, ...routing }
    const extras = stateColumns(status, born, now)
    for (let from = 0; from < count; from += ROWS_PER_TRANSACTION) {
      db.transaction(() => {
        const { lane, wideLane, publicLane, publicWideLane } = lanes.of(route)
        for (let i = from; i < Math.min(count, from + ROWS_PER_TRANSACTION); i++) {
          const { n, tail } = ids.next(born)
          const due = runAt?.(i) ?? born
          insert.run(
            n,
            tail,
            STATUS[status],
            priority?.(i) ?? 100,
            due,
            extras.attempts,
            born,
            due + INTENT_LIFETIME,
            lane,
            wideLane,
            publicLane,
            publicWideLane,
            extras.claimedAt,
            extras.leaseEnd,
            extras.finishedAt,
            extras.tokenDigest,
            extras.claimedBy,
            extras.address,
            route.namespace,
            route.goal,
            route.publisher,
            route.visibility,
            route.targetWorker,
            route.requiredCapability,
            extras.error,
            extras.result === null ? null : 'json',
            extras.result,
            extras.history
          )
        }
      }).immediate()
    }
  }
}

/** What an intent carries from its way to this state. */
function stateColumns(status: keyof typeof STATUS, born: number, now: number) {
  const isClaimed = status === 'claimed'
  const isFulfilled = status === 'fulfilled'
  const isDead = status === 'dead'
  const claim = historyLine({ at: born, event: 'claimed', attempt: 1, key: PUBLISHER })
  const end = isFulfilled
    ? historyLine({ at: now, event: 'fulfilled' })
    : isDead
      ? historyLine({ at: now, event: 'failed', error: 'no use' })
      : ''
  return {
    attempts: isFulfilled || isClaimed ? 1 : isDead ? 3 : 0,
    claimedAt: isClaimed || isFulfilled ? born : null,
    leaseEnd: isClaimed ? now + LEASE_SECONDS : null,
    finishedAt: isFulfilled || isDead ? now : null,
    tokenDigest: isClaimed ? 'digest-of-a-token-that-nobody-has' : null,
    claimedBy: isClaimed || isFulfilled ? PUBLISHER : null,
    address: isClaimed || isFulfilled ? '127.0.0.1' : null,
    error: isDead ? 'no use' : null,
    result: isFulfilled ? '{"ok":true}' : null,
    history: status === 'open' ? '' : claim + end
  }
}

/** What the system still holds back would be written in the middle of a measurement. */
export function settleOnDisk(path: string): void {
  const file = openSync(path, 'r+')
  fsyncSync(file)
  closeSync(file)
}
