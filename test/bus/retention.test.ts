import { expect, test } from 'vitest'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

const DAY = 86_400

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
  t.bus.setRetention({ fulfilledDays: 2, deadDays: 30 })
  await t.clock.advance(2 * DAY - 10)
  expect(await cleanUp(t)).toEqual(['dead', 'expired', 'fulfilled'])
  await t.clock.advance(20)
  expect(await cleanUp(t)).toEqual(['dead', 'expired'])
  await t.clock.advance(27 * DAY)
  expect(await cleanUp(t)).toEqual(['dead', 'expired'])
  t.bus.setRetention({ fulfilledDays: 2, deadDays: 7 })
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
