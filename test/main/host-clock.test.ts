import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { HostClock } from '../../src/main/host-clock.ts'
import type { Hands } from '../../src/main/gap-detector.ts'

/** A machine whose clocks go as the real ones do, but for what a test adds. */
class Machine implements Hands {
  slept = 0
  set = 0
  readonly #real = () => performance.now() / 1000

  wall = () => 1_790_000_000 + this.#real() + this.slept + this.set
  steady = () => this.#real()
  uptime = () => 1_000 + this.#real() + this.slept
}

const HOUR = 3_600
const SOON = { timeout: 10_000, interval: 10 }

let machine: Machine
let clock: HostClock
beforeEach(() => {
  machine = new Machine()
  clock = new HostClock(machine)
})
afterEach(() => clock.close())

test('a timer that came due during a sleep wakes right after it, a later one by the clock on the wall', async () => {
  const woken: string[] = []
  clock.after(HOUR, () => woken.push('first'))
  clock.after(8 * HOUR + 0.2, () => woken.push('second'))
  clock.after(9 * HOUR, () => woken.push('third'))
  machine.slept = 8 * HOUR
  clock.look()
  await expect.poll(() => woken, SOON).toEqual(['first', 'second'])
  expect(clock.take()).toMatchObject([{ cause: 'sleep', seconds: expect.closeTo(8 * HOUR, 3) as number }])
  expect(clock.take()).toEqual([])
})

test('no timer is late because the clock was set back', async () => {
  let isOver = false
  clock.after(0.2, () => (isOver = true))
  machine.set = -HOUR
  clock.look()
  await expect.poll(() => isOver, SOON).toBe(true)
})

test('who listens hears of a gap, and what was cancelled does not wake', async () => {
  let told = 0
  let woken = 0
  const stop = clock.listen(() => told++)
  const cancel = clock.after(HOUR, () => woken++)
  cancel()
  machine.slept = 2 * HOUR
  clock.look()
  expect(told).toBe(1)
  clock.take()
  stop()
  machine.slept = 4 * HOUR
  clock.look()
  await wait(50)
  expect({ told, woken }).toEqual({ told: 1, woken: 0 })
})

test('once it is closed nothing of it keeps the process', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  clock.after(HOUR, () => {})
  clock.after(HOUR, () => {})
  expect(timers()).toBe(before + 2)
  clock.close()
  clock.after(HOUR, () => {})
  expect(timers()).toBe(before)
})
