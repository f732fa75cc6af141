import Database from 'better-sqlite3'
import { initial } from '../../src/main/bus/store/migrations/001-initial.ts'

/** When its intents were published, in Unix seconds. */
export const NOW = 1_790_000_000
const APPLICATION_ID = 0x49427573

/** A database as the first release left it: as many intents in each state, with what that release kept beside them. */
export function makeVersion1(path: string, ofEach = 2): void {
  const db = new Database(path)
  db.exec(initial)
  db.pragma(`application_id = ${APPLICATION_ID}`)
  db.pragma('user_version = 1')
  const lane = db.prepare('INSERT INTO lanes (lane, name) VALUES (?, ?)')
  lane.run(1, 'default\nmain\n\n\nresize')
  lane.run(2, 'default\nmain\n\n')
  const insert = db.prepare(
    `INSERT INTO intents (n, tail, status, priority, run_at, claim_attempts, created_at, expires_at, lane, wide_lane,
       claimed_at, claim_expires_at, finished_at, max_attempts, backoff_base, claim_token_digest, claimed_by, claim_address,
       worker, namespace, goal, publisher, visibility, last_error, result_type, result, history, payload)
     VALUES (@n, 'aaaaaaaaaaaaaaaaaa', @status, 100, @at, 1, @at, @at + 86400, 1, 2, @claimedAt, @leaseEnd, @finishedAt,
       3, 5, NULL, @claimedBy, '10.0.0.2', 'pi4', 'default', 'resize', 'main', 'private', @error, @type, @result, '', '{"n":1.10}')`
  )
  db.exec('BEGIN')
  for (let i = 0; i < 5 * ofEach; i++) {
    const status = i % 5
    insert.run({
      n: i + 1,
      status,
      at: NOW - 1_000 + i,
      claimedAt: status === 0 ? null : NOW - 500 + i,
      leaseEnd: status === 1 ? NOW + 60 : null,
      finishedAt: status >= 2 ? NOW - 400 : null,
      claimedBy: status === 1 || status === 2 ? 'main' : null,
      error: status === 3 ? 'broken' : null,
      type: status === 2 ? 'json' : null,
      result: status === 2 ? '{"price":1.10}' : null
    })
  }
  db.exec('COMMIT')
  db.exec(`INSERT INTO tallies SELECT namespace, publisher, status, count(*) FROM intents GROUP BY 1, 2, 3`)
  db.exec(`INSERT INTO keys (id, owner, digest, created_at) VALUES ('key_0123456789abcdef', 'pi', 'digest', ${NOW})`)
  db.close()
}
