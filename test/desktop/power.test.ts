import { afterAll, beforeAll, expect, test } from 'vitest'
import { BusUser } from './bus-user.ts'
import { DesktopApp, SOON } from './driver.ts'

/** What the app does with the machine's sleep. */

let app: DesktopApp
let user: BusUser

beforeAll(async () => {
  app = await DesktopApp.start()
  user = await BusUser.of(app)
})

afterAll(() => app[Symbol.asyncDispose]())

/** Whether somebody keeps the machine awake; blockers are numbered from 1. */
function isKeptAwake(): Promise<boolean> {
  return app.evaluate(({ powerSaveBlocker }) => [1, 2, 3, 4].some((id) => powerSaveBlocker.isStarted(id)))
}

test('a sleep that the system tells of costs no lease, and shows in the life of the intent', async () => {
  await user.publish('slow')
  const { id } = await user.claim('slow')
  const before = (await app.call('intents.detail', { id })).leaseEndsAt!
  const pid = await app.evaluate(() => process.pid)
  await app.evaluate(({ powerMonitor }) => void powerMonitor.emit('suspend'))
  // Nobody else tells the bus of a sleep as short as that.
  process.kill(pid, 'SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 4_000))
  process.kill(pid, 'SIGCONT')
  await app.evaluate(({ powerMonitor }) => void powerMonitor.emit('resume'))
  await expect.poll(async () => (await app.call('intents.detail', { id })).gaps.map(({ cause }) => cause), SOON).toEqual(['sleep'])
  const { leaseEndsAt, gaps } = await app.call('intents.detail', { id })
  expect(gaps[0]!.seconds).toBeGreaterThan(2.5)
  expect(gaps[0]!.seconds).toBeLessThan(30)
  expect(leaseEndsAt! - before).toBeCloseTo(gaps[0]!.seconds, 1)
})

test('the machine stays awake while intents are claimed, if that is wanted', async () => {
  await user.publish('long')
  const held = await user.claim('long')
  expect(await isKeptAwake()).toBe(false)
  await app.call('settings.change', { keepAwake: true })
  await expect.poll(isKeptAwake, SOON).toBe(true)
  await app.call('settings.change', { keepAwake: false })
  await expect.poll(isKeptAwake, SOON).toBe(false)
  await app.call('settings.change', { keepAwake: true })
  await expect.poll(isKeptAwake, SOON).toBe(true)
  await user.fulfill(held)
  for (const { id } of (await app.call('intents.list', { filter: 'status:claimed', limit: 10 })).rows) await app.call('intents.cancel', { id })
  await expect.poll(isKeptAwake, SOON).toBe(false)
})
