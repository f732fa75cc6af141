import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { TestBus } from '../support/test-bus.ts'

const DAY = 86_400

/** The goals on disk; all of them are there once nothing else has happened for half a minute. */
async function used(t: TestBus): Promise<unknown[]> {
  await t.clock.advance(31)
  return t.rows('SELECT goal, last_published_at, last_claimed_at FROM goals ORDER BY goal')
}

test('when a goal was published and claimed last is kept, over restarts', async () => {
  await using t = new TestBus()
  const start = t.clock.now()
  await t.publish({ goal: 'a' })
  await t.publish({ goal: 'b', visibility: 'public' })
  await t.clock.advance(10)
  await t.claim({ goal: 'a' })
  await t.restart()
  await t.clock.advance(10)
  const { key } = await t.bus.createKey('pi')
  await t.publish({ goal: 'b' }, key)
  expect(await used(t)).toEqual([
    { goal: 'a', last_published_at: start, last_claimed_at: start + 10 },
    { goal: 'b', last_published_at: start + 20, last_claimed_at: null }
  ])
})

test('of several publishers of a goal the last one counts', async () => {
  await using t = new TestBus()
  const { key } = await t.bus.createKey('pi')
  await t.publish({ goal: 'a' })
  await t.clock.advance(0.25)
  await t.publish({ goal: 'a' }, key)
  await t.clock.advance(0.25)
  await t.publish({ goal: 'a' })
  const last = t.clock.now()
  expect(await used(t)).toEqual([{ goal: 'a', last_published_at: last, last_claimed_at: null }])
})

test('what was rolled back was not published', async () => {
  await using t = new TestBus()
  const other = new Database(t.path)
  other.exec(`CREATE TRIGGER no_goal BEFORE INSERT ON intents WHEN new.goal = 'faulty' BEGIN SELECT RAISE(ABORT, 'no'); END`)
  await expect(t.publish({ goal: 'faulty' })).rejects.toThrow()
  other.close()
  await t.publish({ goal: 'good' })
  expect(await used(t)).toMatchObject([{ goal: 'good' }])
})

test('cleanup forgets goals that have no intents and were not used for seven days', async () => {
  await using t = new TestBus()
  t.bus.setRetention({ fulfilledDays: 30, deadDays: 30, maxDatabaseMegabytes: 0 })
  const goals = Array.from({ length: 150 }, (_, i) => `old ${i}`)
  for (const [i, goal] of goals.entries()) await t.publish({ goal, namespace: i % 2 === 0 ? 'lab' : 'home' })
  await t.clock.advance(7.5 * DAY)
  await t.publish({ goal: 'young', namespace: 'lab' })
  const cleanUp = async (): Promise<unknown[]> => {
    await Promise.all([t.bus.cleanup(), t.clock.advance(1)])
    return (await used(t)).map((row) => (row as { goal: string }).goal)
  }
  expect(await cleanUp()).toHaveLength(151)
  await Promise.all([t.bus.purge('lab'), t.clock.advance(1)])
  expect(await cleanUp()).toEqual([...goals.filter((_, i) => i % 2 === 1).sort(), 'young'])
  await Promise.all([t.bus.purge('home'), t.clock.advance(1)])
  expect(await cleanUp()).toEqual(['young'])
})
