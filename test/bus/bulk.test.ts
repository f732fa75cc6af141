import { expect, test } from 'vitest'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

/** One intent in each state, by the name of the state. */
async function inEveryState(t: TestBus): Promise<Record<'open' | 'claimed' | 'fulfilled' | 'dead' | 'expired', string>> {
  const expired = await t.publish({ goal: 'expired' })
  await t.clock.advance(86_400)
  const fulfilled = await t.publish({ goal: 'fulfilled' })
  const done = (await t.claim({ goal: 'fulfilled' }))!
  await t.bus.fulfill(callerOf(MAIN), fulfilled, { claimToken: done.claim_token, result: null, resultType: 'json' })
  const dead = await t.publish({ goal: 'dead' })
  await t.bus.cancel(dead)
  const claimed = await t.publish({ goal: 'claimed' })
  await t.claim({ goal: 'claimed' })
  return { expired, fulfilled, dead, claimed, open: await t.publish({ goal: 'open' }) }
}

async function done<T>(t: TestBus, bulk: Promise<T>): Promise<T> {
  const [value] = await Promise.all([bulk, t.clock.advance(1)])
  return value
}

function statuses(t: TestBus): unknown {
  return Object.fromEntries(t.rows<{ goal: string; status: number }>('SELECT goal, status FROM intents').map(({ goal, status }) => [goal, status]))
}

const NO_INTENT = '0'.repeat(32)

test('cancelling many takes what is alive or fulfilled and says how many it were', async () => {
  await using t = new TestBus()
  const ids = await inEveryState(t)
  expect(await done(t, t.bus.cancelMany([...Object.values(ids), NO_INTENT, 'no id', ids.open]))).toBe(3)
  expect(statuses(t)).toEqual({ open: 3, claimed: 3, fulfilled: 3, dead: 3, expired: 4 })
  expect((await t.bus.detail(ids.dead)).history.filter(({ event }) => event === 'cancelled')).toHaveLength(1)
})

test('retrying many takes what is finished and says how many it were', async () => {
  await using t = new TestBus()
  const ids = await inEveryState(t)
  expect(await done(t, t.bus.retryMany([...Object.values(ids), NO_INTENT, 'no id', ids.dead]))).toBe(3)
  expect(statuses(t)).toEqual({ open: 0, claimed: 1, fulfilled: 0, dead: 0, expired: 0 })
  expect(await done(t, t.bus.retryMany([]))).toBe(0)
})

test('a bulk of thousands leaves room for workers, tells all its changes and keeps the counts', async () => {
  await using t = new TestBus()
  const ids = await Promise.all(Array.from({ length: 2_000 }, (_, i) => t.publish({ goal: `goal ${i % 50}` })))
  const commits: number[] = []
  t.bus.onChanges((changes) => void commits.push(changes.length))
  let isOver = false
  const bulk = t.bus.cancelMany(ids).then((count) => {
    isOver = true
    return count
  })
  await t.publish({ goal: 'urgent' })
  expect(await t.claim({ goal: 'urgent' })).not.toBeNull()
  expect(isOver).toBe(false)
  expect(await done(t, bulk)).toBe(2_000)
  expect(Math.max(...commits)).toBeLessThanOrEqual(100)
  expect(commits.reduce((a, b) => a + b)).toBe(2_002)
  expect(t.bus.counts).toMatchObject({ open: 0, claimed: 1, dead: 2_000 })
  expect(t.tallies().kept).toEqual(t.tallies().counted)
})
