import { expect, test } from 'vitest'
import { RestartBudget } from '../../../src/main/desktop/restart-budget.ts'
import { Throttle } from '../../../src/main/desktop/throttle.ts'
import { HandClock } from '../../support/hand-clock.ts'

test('a throttle acts at once, then once at the end of its interval', async () => {
  const clock = new HandClock(0)
  const acts: number[] = []
  const throttle = new Throttle(clock, 1, () => acts.push(clock.now()))
  for (let i = 0; i < 5; i++) throttle.ask()
  await clock.advance(0.5)
  throttle.ask()
  await clock.advance(0.5)
  expect(acts).toEqual([0, 1])
  await clock.advance(5)
  expect(acts).toEqual([0, 1])
  throttle.ask()
  expect(acts).toEqual([0, 1, 6])
})

test('a budget of starts is used up, and comes back with time', () => {
  const clock = new HandClock()
  const budget = new RestartBudget(clock, 3, 300)
  const takes = () => [1, 2, 3, 4].map(() => budget.take())
  expect(takes()).toEqual([true, true, true, false])
  clock.jump(299)
  expect(budget.take()).toBe(false)
  clock.jump(1)
  expect(takes()).toEqual([true, true, true, false])
})
