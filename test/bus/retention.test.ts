import { statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

const DAY = 86_400
const HOUR = 3_600

async function cleanUp(t: TestBus): Promise<string[]> {
  await Promise.all([t.bus.cleanup(), t.clock.advance(1)])
  return t.rows<{ goal: string }>('SELECT goal FROM intents ORDER BY goal').map(({ goal }) => goal)
}

test('finished intents are kept as many days as operators set, each kind its own', async () => {
  await using t = new TestBus()
  await t.publish({ goal: 'expired' })
  await t.clock.advance(DAY)
  const fulfilled = await t.publish({ goal: 'fulfilled' })
  const lease = (await t.claim({ goal: 'fulfilled' }))!
  await t.bus.fulfill(callerOf(MAIN), fulfilled, { claimToken: lease.claim_token, result: null, resultType: 'json' })
  await t.bus.cancel(await t.publish({ goal: 'dead' }))
  t.bus.setRetention({ fulfilledDays: 2, deadDays: 30, maxDatabaseMegabytes: 0 })
  await t.clock.advance(2 * DAY - 10)
  expect(await cleanUp(t)).toEqual(['dead', 'expired', 'fulfilled'])
  await t.clock.advance(20)
  expect(await cleanUp(t)).toEqual(['dead', 'expired'])
  await t.clock.advance(27 * DAY)
  expect(await cleanUp(t)).toEqual(['dead', 'expired'])
  t.bus.setRetention({ fulfilledDays: 2, deadDays: 7, maxDatabaseMegabytes: 0 })
  expect(await cleanUp(t)).toEqual([])
})

test('without a setting finished intents are kept for the seven days of SPEC 15', async () => {
  await using t = new TestBus()
  await t.bus.cancel(await t.publish({ goal: 'dead' }))
  await t.clock.advance(7 * DAY - 10)
  expect(await cleanUp(t)).toEqual(['dead'])
  await t.clock.advance(20)
  expect(await cleanUp(t)).toEqual([])
})

test('a clock that is set forward makes nothing older, and a sleep does', async () => {
  await using t = new TestBus()
  await t.bus.cancel(await t.publish({ goal: 'dead' }))
  await t.clock.advance(DAY)
  await t.clock.set(30 * DAY)
  expect(await cleanUp(t)).toEqual(['dead'])
  await t.clock.advance(6 * DAY - 10)
  expect(await cleanUp(t)).toEqual(['dead'])
  await t.clock.sleep(10)
  expect(await cleanUp(t)).toEqual([])
})

test('a clock that is set forward by mistake and back costs nothing, whenever an intent was finished', async () => {
  await using t = new TestBus()
  await t.bus.cancel(await t.publish({ goal: 'before' }))
  await t.clock.set(30 * DAY)
  await t.bus.cancel(await t.publish({ goal: 'meanwhile' }))
  await t.clock.set(-30 * DAY)
  await t.clock.advance(7 * DAY - 20)
  expect(await cleanUp(t)).toEqual(['before', 'meanwhile'])
  await t.clock.advance(40)
  expect(await cleanUp(t)).toEqual(['meanwhile'])
})

const MEGABYTE = 1024 ** 2

/** Publishes so many of some 7 KB each; resolves with their ids. */
async function publishLarge(t: TestBus, goal: string, count: number): Promise<string[]> {
  const payload = JSON.stringify('x'.repeat(7_000))
  return Promise.all(Array.from({ length: count }, () => t.publish({ goal, payload })))
}

async function fulfillAll(t: TestBus, goal: string): Promise<void> {
  for (;;) {
    const lease = await t.claim({ goal })
    if (lease === null) return
    await t.bus.fulfill(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, result: null, resultType: 'json' })
  }
}

function countsByGoal(t: TestBus): Record<string, number> {
  const rows = t.rows<{ goal: string; count: number }>('SELECT goal, count(*) AS count FROM intents GROUP BY goal ORDER BY goal')
  return Object.fromEntries(rows.map(({ goal, count }) => [goal, count]))
}

/** Lets background steps run until they are over: each waits for a quiet moment. */
async function letRun(t: TestBus): Promise<void> {
  for (let i = 0; i < 400; i++) await t.clock.advance(0.005)
}

describe('a database that is larger than its bound', () => {
  const bounded = { fulfilledDays: 365, deadDays: 365, maxDatabaseMegabytes: 2 }

  test('loses what was fulfilled first, the oldest before the rest, and no more than it must', async () => {
    await using t = new TestBus()
    const first = await publishLarge(t, 'fulfilled', 150)
    await fulfillAll(t, 'fulfilled')
    await t.clock.advance(10)
    const second = await publishLarge(t, 'fulfilled', 150)
    await fulfillAll(t, 'fulfilled')
    await publishLarge(t, 'open', 50)
    await t.clock.advance(HOUR)
    t.bus.setRetention(bounded)
    await letRun(t)
    const { totalBytes, freeBytes } = t.bus.storage
    expect(totalBytes - freeBytes).toBeLessThan(0.9 * 2 * MEGABYTE)
    expect(totalBytes - freeBytes).toBeGreaterThan(0.6 * 2 * MEGABYTE)
    const left = new Set(t.rows<{ id: string }>(`SELECT printf('%014x', n) || tail AS id FROM intents WHERE goal = 'fulfilled'`).map(({ id }) => id))
    expect(first.filter((id) => left.has(id))).toEqual([])
    expect(second.filter((id) => left.has(id)).length).toBe(left.size)
    expect(left.size).toBeGreaterThan(50)
    expect(countsByGoal(t).open).toBe(50)
    expect(t.bus.storage).toMatchObject({ isOverfull: false, lastCleanup: { deleted: 0, trimmed: 300 - left.size } })
    const { kept, counted } = t.tallies()
    expect(kept).toEqual(counted)
  })

  test('then tombstones, then dead letters of more than 7 days, and says when that is not enough', async () => {
    await using t = new TestBus({ withoutCleanup: true })
    let told = 0
    t.bus.onStorage(() => told++)
    for (const id of await publishLarge(t, 'dead long ago', 100)) await t.bus.cancel(id)
    await t.clock.advance(8 * DAY)
    await publishLarge(t, 'expired', 100)
    await t.clock.advance(DAY + 1)
    await t.clock.advance(DAY)
    for (const id of await publishLarge(t, 'dead lately', 300)) await t.bus.cancel(id)
    await publishLarge(t, 'open', 100)
    t.bus.setRetention(bounded)
    await letRun(t)
    expect(countsByGoal(t)).toEqual({ 'dead lately': 300, open: 100 })
    expect(t.bus.storage.isOverfull).toBe(true)
    expect(told).toBe(1)
    expect(t.bus.storage.lastCleanup).toMatchObject({ trimmed: 200 })
    t.bus.setRetention({ ...bounded, maxDatabaseMegabytes: 100 })
    await letRun(t)
    expect(t.bus.storage.isOverfull).toBe(false)
    expect(told).toBe(2)
  })

  test('is found with traffic, within a minute, and what was fulfilled within the hour stays: its result may not have been fetched', async () => {
    await using t = new TestBus()
    t.bus.setRetention(bounded)
    await t.publish({ goal: 'first' })
    await letRun(t)
    await publishLarge(t, 'fulfilled', 400)
    await fulfillAll(t, 'fulfilled')
    await letRun(t)
    await t.clock.advance(HOUR - 120)
    await t.publish({ goal: 'traffic' })
    await letRun(t)
    expect(countsByGoal(t).fulfilled).toBe(400)
    await t.clock.advance(120)
    await t.publish({ goal: 'traffic' })
    await letRun(t)
    expect(countsByGoal(t).fulfilled).toBeLessThan(280)
  })
})

describe('free space', () => {
  test('goes back to the disk when much of the file is empty, and the log stays small', async () => {
    await using t = new TestBus()
    await publishLarge(t, 'goes', 4_000)
    await publishLarge(t, 'stays', 100)
    const before = t.bus.storage
    expect(before.totalBytes).toBeGreaterThan(25 * MEGABYTE)
    await Promise.all([t.bus.purge(null), letRun(t)])
    for (let i = 0; i < 10; i++) await letRun(t)
    const after = t.bus.storage
    expect(after.lastCleanup?.bytesGivenBack).toBeGreaterThan(15 * MEGABYTE)
    expect(after.freeBytes).toBeLessThanOrEqual(8 * MEGABYTE)
    expect(after.totalBytes).toBeLessThan(before.totalBytes - 15 * MEGABYTE)
    expect(statSync(`${t.path}-wal`).size).toBeLessThan(64 * MEGABYTE)
    await t.restart()
    expect(statSync(t.path).size).toBe(after.totalBytes)
    expect(t.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })

  test('stays where the file was made by a program that cannot give it back, which is told', async () => {
    await using t = new TestBus({}, {
      prepare(path) {
        const db = new Database(path)
        db.pragma('auto_vacuum = NONE')
        db.exec('VACUUM')
        db.pragma('user_version = 0')
        db.exec('CREATE TABLE filler (text); DROP TABLE filler')
        db.close()
      }
    })
    expect(t.bus.storage.canShrink).toBe(false)
    await publishLarge(t, 'goes', 3_000)
    await Promise.all([t.bus.purge(null), letRun(t)])
    for (let i = 0; i < 10; i++) await letRun(t)
    expect(t.bus.storage.freeBytes).toBeGreaterThan(15 * MEGABYTE)
    expect(t.bus.storage.lastCleanup?.bytesGivenBack ?? 0).toBe(0)
  })
})

describe('the lifetime of open intents', () => {
  const statusOf = (t: TestBus, id: string): string => t.rows<{ name: string }>(`SELECT CASE status WHEN 0 THEN 'open' ELSE 'expired' END AS name FROM intents WHERE printf('%014x', n) || tail = ?`, id)[0]!.name

  test('is as set when they are published, and when they are retried', async () => {
    await using t = new TestBus()
    const usual = await t.publish({ goal: 'usual' })
    t.bus.setIntentLifetime(2)
    const short = await t.publish({ goal: 'short', delay: 100 })
    t.bus.setIntentLifetime(100)
    const long = await t.publish({ goal: 'long' })
    await t.clock.advance(2 * 3_600 + 99)
    expect([short, usual, long].map((id) => statusOf(t, id))).toEqual(['open', 'open', 'open'])
    await t.clock.advance(2)
    expect([short, usual, long].map((id) => statusOf(t, id))).toEqual(['expired', 'open', 'open'])
    await t.clock.advance(DAY)
    expect([short, usual, long].map((id) => statusOf(t, id))).toEqual(['expired', 'expired', 'open'])
    await t.bus.retry(short)
    await t.clock.advance(99 * 3_600)
    expect([short, usual, long].map((id) => statusOf(t, id))).toEqual(['open', 'expired', 'expired'])
    await t.clock.advance(3_601)
    expect(statusOf(t, short)).toBe('expired')
  })
})
