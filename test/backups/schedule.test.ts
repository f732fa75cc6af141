import { expect, test } from 'vitest'
import { Schedule } from '../../src/main/backups/schedule.ts'
import { HandClock } from '../support/hand-clock.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
/** Noon of a day by the clock on the wall. */
const NOON = new Date(2026, 8, 21, 12).getTime() / 1000

function setUp({ lastAt, isBroken = false }: { lastAt?: number; isBroken?: boolean } = {}) {
  const clock = new HandClock(NOON)
  const t = { clock, made: [] as number[], attempts: 0, operations: 0, setBy: 0, madeAt: lastAt === undefined ? [] : [lastAt], isBroken, isUnreadable: false }
  const schedule = new Schedule({
    clock,
    uptime: () => clock.now() - t.setBy,
    madeAt: () => {
      if (t.isUnreadable) throw new Error('the folder cannot be read')
      return t.madeAt
    },
    operations: () => t.operations,
    run: async () => {
      t.attempts++
      if (t.isBroken) return false
      t.madeAt.push(clock.now())
      t.made.push((clock.now() - NOON) / HOUR)
      return true
    }
  })
  return { t, schedule, clock }
}

test('a start makes one soon, where the day has none yet', async () => {
  const { t, clock } = setUp()
  await clock.advance(30)
  expect(t.made).toHaveLength(1)
})

test('a start on a day that has one waits for the next day', async () => {
  const { t, clock } = setUp({ lastAt: NOON - HOUR })
  await clock.advance(11 * HOUR)
  expect(t.made).toEqual([])
  await clock.advance(2 * HOUR)
  expect(t.made.map(Math.floor)).toEqual([12])
})

test('every day has one', async () => {
  const { t, clock } = setUp({ lastAt: NOON - HOUR })
  await clock.advance(5 * DAY)
  expect(t.made.map(Math.floor)).toEqual([12, 36, 60, 84, 108])
})

test('while the bus is busy it waits for a quiet moment, but not for ever', async () => {
  const { t, clock } = setUp()
  for (let i = 0; i < 100; i++) {
    t.operations += 1_000
    await clock.advance(10)
  }
  expect(t.made).toEqual([])
  await clock.advance(10)
  expect(t.made).toHaveLength(1)

  const busy = setUp()
  for (let i = 0; i < 500; i++) {
    busy.t.operations += 1_000
    await busy.clock.advance(10)
  }
  expect(busy.t.made).toHaveLength(1)
})

test('what failed is tried again, and not all the time', async () => {
  const { t, clock } = setUp({ isBroken: true })
  await clock.advance(2 * HOUR)
  expect(t.attempts).toBeGreaterThan(4)
  expect(t.attempts).toBeLessThan(12)
  t.isBroken = false
  await clock.advance(HOUR)
  expect(t.made).toHaveLength(1)
})

test('while it cannot be told when the last one was made there is none, and it looks again', async () => {
  const { t, clock } = setUp()
  t.isUnreadable = true
  await clock.advance(2 * HOUR)
  expect(t.attempts).toBe(0)
  t.isUnreadable = false
  await clock.advance(HOUR)
  expect(t.made).toHaveLength(1)
})

test('a day that was slept through is made up for after waking', async () => {
  const { t, clock } = setUp({ lastAt: NOON - HOUR })
  clock.jump(40 * HOUR)
  await clock.advance(60)
  expect(t.made.map(Math.floor)).toEqual([40])
})

test('once it is closed it makes none', async () => {
  const { t, schedule, clock } = setUp()
  schedule.close()
  await clock.advance(3 * DAY)
  expect(t.attempts).toBe(0)
})

test('one that is ahead of the clock is not one of today, and not a reason to make more', async () => {
  const { t, clock } = setUp({ lastAt: NOON + 7 * DAY })
  await clock.advance(11 * HOUR)
  expect(t.made).toHaveLength(1)
  await clock.advance(2 * DAY)
  expect(t.made).toHaveLength(3)
})

test('however the clock is set, there are hours from one to the next', async () => {
  const { t, clock } = setUp()
  await clock.advance(60)
  for (let i = 0; i < 19; i++) {
    const seconds = (i % 2 === 0 ? 3 : -2) * DAY
    t.setBy += seconds
    await clock.set(seconds)
    await clock.advance(HOUR)
  }
  expect(t.made).toHaveLength(1)
  await clock.advance(2 * HOUR)
  expect(t.made).toHaveLength(2)
})
