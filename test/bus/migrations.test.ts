import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { formatId } from '../../src/main/bus/ids.ts'
import { openDatabase } from '../../src/main/bus/store/database.ts'
import { initial } from '../../src/main/bus/store/migrations/001-initial.ts'
import { observing } from '../../src/main/bus/store/migrations/002-observing.ts'
import { tracing } from '../../src/main/bus/store/migrations/003-tracing.ts'
import { RIGHTS } from '../../src/shared/control/rights.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { temporaryFolder } from '../support/folders.ts'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

const NOW = 1_790_000_000
const APPLICATION_ID = 0x49427573

/** A database as the first release left it: two intents in each state, with what that release kept beside them. */
function makeVersion1(path: string): void {
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
  for (let i = 0; i < 10; i++) {
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
  db.exec(`INSERT INTO tallies SELECT namespace, publisher, status, count(*) FROM intents GROUP BY 1, 2, 3`)
  db.exec(`INSERT INTO keys (id, owner, digest, created_at) VALUES ('key_0123456789abcdef', 'pi', 'digest', ${NOW})`)
  db.close()
}

test('a database of the first release keeps its intents in every state and is counted right', async () => {
  await using t = new TestBus({}, { prepare: makeVersion1 })
  expect(t.bus.counts).toEqual({ open: 2, claimed: 2, fulfilled: 2, dead: 2, expired: 2 })
  expect(t.tallies().kept).toEqual(t.tallies().counted)
  expect(t.rows('SELECT * FROM goals')).toEqual([
    { namespace: 'default', goal: 'resize', last_published_at: NOW - 991, last_claimed_at: NOW - 491 }
  ])
  expect(t.bus.keys.byId('key_0123456789abcdef')).toMatchObject({ owner: 'pi' })
  const fulfilled = formatId(3, 'aaaaaaaaaaaaaaaaaa')
  expect(await t.bus.detail(fulfilled)).toMatchObject({ status: 'fulfilled', result: '{"price":1.10}', payload: '{"n":1.10}' })

  const claimed = (await t.claim({ goal: 'resize' }))!
  expect(claimed.id).toBe(formatId(1, 'aaaaaaaaaaaaaaaaaa'))
  await t.bus.fulfill(callerOf(MAIN), claimed.id, { claimToken: claimed.claim_token, result: null, resultType: 'json' })
  await t.bus.retry(formatId(4, 'aaaaaaaaaaaaaaaaaa'))
  await t.clock.advance(120)
  expect(t.bus.counts).toEqual({ open: 4, claimed: 0, fulfilled: 3, dead: 1, expired: 2 })
  expect(t.tallies().kept).toEqual(t.tallies().counted)
})

test('a database of the first release ends up with the tables of a new one', () => {
  using folder = temporaryFolder()
  const schemaOf = (path: string): unknown => {
    const db = openDatabase(path)
    const schema = db.prepare(`SELECT type, name, sql FROM sqlite_schema ORDER BY type, name`).all()
    const version = db.pragma('user_version', { simple: true })
    db.close()
    return { schema, version }
  }
  makeVersion1(`${folder.path}/old.db`)
  expect(schemaOf(`${folder.path}/old.db`)).toEqual(schemaOf(`${folder.path}/new.db`))
})

function makeVersion2(path: string): void {
  makeVersion1(path)
  const db = new Database(path)
  db.exec(observing)
  db.pragma('user_version = 2')
  db.close()
}

test('a database of the second version takes traces from then on', async () => {
  await using t = new TestBus({}, { prepare: makeVersion2 })
  expect(t.bus.counts).toEqual({ open: 2, claimed: 2, fulfilled: 2, dead: 2, expired: 2 })
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
  await t.publish({ goal: 'traced', traceparent })
  expect(await t.claim({ goal: 'traced' })).toMatchObject({ traceparent })
  expect(await t.claim({ goal: 'resize' })).not.toHaveProperty('traceparent')
})

test('keys and browsers of the third version may do all that they could before', async () => {
  const makeVersion3 = (path: string): void => {
    makeVersion2(path)
    const db = new Database(path)
    db.exec(tracing)
    db.exec(`INSERT INTO sessions VALUES ('session', ${NOW - 10}, ${NOW + 1_000}, ${NOW - 5}, '10.0.0.2', 'a browser')`)
    db.pragma('user_version = 3')
    db.close()
  }
  await using t = new TestBus({}, { prepare: makeVersion3 })
  expect(t.bus.keys.byId('key_0123456789abcdef')).toEqual({ id: 'key_0123456789abcdef', owner: 'pi', isMain: false, limits: NO_LIMITS })
  expect(t.bus.sessions.list()).toEqual([
    {
      id: 'session',
      name: null,
      rights: RIGHTS,
      isPaired: false,
      address: '10.0.0.2',
      agent: 'a browser',
      createdAt: NOW - 10,
      expiresAt: NOW + 1_000,
      lastUsedAt: NOW - 5
    }
  ])
  t.bus.audit.note({ event: 'bus.started', actor: 'headless', address: '' })
  await t.clock.advance(1)
  expect(t.rows('SELECT event, actor FROM audit')).toEqual([{ event: 'bus.started', actor: 'headless' }])
})
