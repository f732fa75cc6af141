import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { Histogram } from '../../src/main/bus/store/histogram.ts'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

const DAY = 86_400
/** What a quantile may be off: half a bucket of four to each doubling. */
const BUCKET = 2 ** (1 / 8)

interface Row {
  readonly minute: number
  readonly wait: string
  readonly work: string
  readonly [counted: string]: number | string
}

function rows(t: TestBus): Row[] {
  return t.rows<Row>('SELECT * FROM statistics ORDER BY minute')
}

/** All minutes on disk, as sums. */
async function sums(t: TestBus): Promise<Record<string, number>> {
  await t.restart()
  const names = ['published', 'claimed', 'fulfilled', 'failed', 'dead', 'lost', 'expired']
  return Object.fromEntries(names.map((name) => [name, rows(t).reduce((sum, row) => sum + (row[name] as number), 0)]))
}

function expectQuantile(text: string, share: number, seconds: number): void {
  const found = Histogram.parse(text).quantile(share)!
  expect(found).toBeGreaterThanOrEqual(seconds / BUCKET - 1e-9)
  expect(found).toBeLessThanOrEqual(seconds * BUCKET + 1e-9)
}

test('what happens is counted by the minute, and how long it waited and took is kept', async () => {
  await using t = new TestBus()
  // To the start of a minute.
  await t.clock.advance(60 - (t.clock.now() % 60))
  const minute = t.clock.now() / 60
  for (let i = 1; i <= 20; i++) {
    const id = await t.publish()
    await t.clock.advance(i / 10)
    const lease = (await t.claim())!
    await t.clock.advance(0.5)
    const { claim_token: claimToken } = lease
    if (i <= 18) await t.bus.fulfill(callerOf(MAIN), id, { claimToken, result: null, resultType: 'json' })
    else await t.bus.fail(callerOf(MAIN), id, { claimToken, error: 'no' })
  }
  await t.clock.advance(31)
  const [row, ...others] = rows(t)
  expect(others).toEqual([])
  expect(row).toMatchObject({ minute, published: 20, claimed: 20, fulfilled: 18, failed: 2, dead: 0, lost: 0, expired: 0 })
  expectQuantile(row!.wait, 0.5, 1)
  expectQuantile(row!.wait, 0.95, 1.9)
  expect(Histogram.parse(row!.work).count).toBe(20)
  expectQuantile(row!.work, 0.5, 0.5)
})

test('an intent waits from when it may be claimed, not from when it was published', async () => {
  await using t = new TestBus()
  await t.publish({ delay: 100 })
  await t.clock.advance(104)
  await t.claim()
  await t.restart()
  const [row] = t.rows<{ wait: string }>(`SELECT wait FROM statistics WHERE wait <> ''`)
  expectQuantile(row!.wait, 0.5, 4)
})

test('burials, lost leases and ended lifetimes are counted, whatever brought them about', async () => {
  await using t = new TestBus()
  const cancelled = await t.publish()
  await t.bus.cancel(cancelled)
  // Dead already: nothing dies a second time.
  await t.bus.cancel(cancelled)
  await t.publish({ goal: 'a', maxAttempts: 1 })
  const lease = (await t.claim({ goal: 'a' }))!
  await t.bus.fail(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, error: 'no' })
  await t.publish({ goal: 'b', maxAttempts: 1 })
  await t.publish({ goal: 'c', maxAttempts: 2 })
  await t.claim({ goal: 'b' })
  await t.claim({ goal: 'c' })
  await t.clock.advance(60)
  await t.clock.advance(DAY)
  expect(await sums(t)).toEqual({ published: 4, claimed: 3, fulfilled: 0, failed: 1, dead: 3, lost: 2, expired: 1 })
})

test('a minute goes on after a restart, also when the clock is set back to it', async () => {
  await using t = new TestBus()
  await t.clock.advance(60 - (t.clock.now() % 60))
  const minute = t.clock.now() / 60
  await t.publish()
  await t.restart()
  await t.publish()
  t.clock.jump(60)
  await t.publish()
  t.clock.jump(-60)
  await t.publish()
  await t.restart()
  expect(rows(t).map((row) => [row.minute, row['published']])).toEqual([
    [minute, 3],
    [minute + 1, 1]
  ])
})

test('what was rolled back is not counted', async () => {
  await using t = new TestBus()
  await t.publish()
  const other = new Database(t.path)
  other.exec(`CREATE TRIGGER no_goal BEFORE INSERT ON intents WHEN new.goal = 'faulty' BEGIN SELECT RAISE(ABORT, 'no'); END`)
  const outcomes = await Promise.allSettled([t.publish(), t.claim(), t.publish({ goal: 'faulty' })])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  other.close()
  expect(await sums(t)).toMatchObject({ published: 2, claimed: 1 })
})

test('a minute is written with other changes once a second, not with every one', async () => {
  await using t = new TestBus()
  const published = (): unknown[] => t.rows('SELECT sum(published) AS n FROM statistics')
  await t.publish()
  await t.publish()
  await t.publish()
  expect(published()).toEqual([{ n: null }])
  t.clock.jump(1)
  await t.publish()
  expect(published()).toEqual([{ n: 3 }])
  await t.clock.advance(31)
  expect(published()).toEqual([{ n: 4 }])
})

test('cleanup deletes minutes after 31 days', async () => {
  await using t = new TestBus()
  await t.publish()
  await t.clock.advance(30 * DAY)
  await t.publish()
  await t.clock.advance(DAY + 120)
  const cleanup = t.bus.cleanup()
  await t.clock.advance(1)
  await cleanup
  expect(rows(t).filter((row) => row['published'] === 1)).toHaveLength(1)
})
