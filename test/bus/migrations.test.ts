import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { formatId } from '../../src/main/bus/ids.ts'
import { openDatabase } from '../../src/main/bus/store/database.ts'
import { observing } from '../../src/main/bus/store/migrations/002-observing.ts'
import { tracing } from '../../src/main/bus/store/migrations/003-tracing.ts'
import { RIGHTS } from '../../src/shared/control/rights.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { temporaryFolder } from '../support/folders.ts'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'
import { makeVersion1, NOW } from '../support/version-1.ts'

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
