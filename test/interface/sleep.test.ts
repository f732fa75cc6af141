import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, expect as expectNow, test } from 'vitest'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

/** Seconds: more than a busy machine is taken for. */
const SLEEP = 12

/** How much of its height the chart's most shaded column of pixels is shaded: a line of the grid is one pixel of it. */
const SHADED = `(() => {
  const probe = document.createElement('i')
  probe.style.color = 'var(--line)'
  document.body.append(probe)
  const colour = getComputedStyle(probe).color.match(/\\d+/g).slice(0, 3).join()
  const canvas = document.querySelector('canvas')
  const { width, height } = canvas
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
  const shaded = Array(width).fill(0)
  for (let i = 0; i < width * height; i++) if (data.slice(i * 4, i * 4 + 3).join() === colour) shaded[i % width]++
  return Math.max(...shaded) / height
})()`

let app: Interface
let page: Page
let id: string

beforeAll(async () => {
  app = await Interface.start({ BUS_CLAIM_TIMEOUT_SECONDS: '600' })
  id = (await app.call('intents.publish', { goal: 'slow', payload: '1' })).id
  await app.operating.request({ path: '/claim?goal=slow' })
  page = await app.open('#/activity')
  await expect(page.getByText('The bus started')).toBeVisible()
  app.bus.process.kill('SIGSTOP')
  await sleep(SLEEP * 1_000)
  app.bus.process.kill('SIGCONT')
}, 60_000)
afterAll(() => app[Symbol.asyncDispose]())

test('Activity tells that the machine slept, as it happens', async () => {
  const trail = page.getByRole('region', { name: 'Who did what' })
  await expect(trail).toContainText(/The bus’s machine slept for 1\d s; leases and lifetimes stood still\./, { timeout: 20_000 })
  await trail.getByText('Access', { exact: true }).click()
  await expect(trail).not.toContainText('slept')
})

test('the charts of the overview show it, and say what the shade is', async () => {
  await page.goto(`${app.bus.url}/admin/#/overview`)
  const pace = page.getByRole('region', { name: 'Last hour' })
  await expect(pace).toContainText(/The bus’s machine slept for 1\d s\./)
  await expect(pace.locator('canvas').first()).toBeVisible()
  await expect.poll(() => page.evaluate<number>(SHADED)).toBeGreaterThan(0.4)
})

test('nobody is said to have worked meanwhile', async () => {
  const { gaps, claimedAt } = await app.call('intents.detail', { id })
  await page.goto(`${app.bus.url}/admin/#/intents/${id}`)
  const present = page.getByRole('listitem').filter({ hasText: 'An unnamed worker works on it' })
  const said = Number(/for (\d+) s/.exec((await present.textContent())!)![1])
  const since = Date.now() / 1000 - claimedAt!
  expectNow(gaps).toHaveLength(1)
  // What it said a moment ago, by a clock that may be a second off.
  expectNow(said).toBeLessThan(since - gaps[0]!.seconds + 2)
  await expect(page.getByText('An unnamed worker has to fulfil')).toBeVisible()
})

test.each(VIEWS)('$name: nothing sticks out, and axe finds nothing serious', async (view) => {
  for (const place of ['#/overview', '#/activity']) {
    const other = await app.open(place, view)
    await expect(other.getByText(/The bus’s machine slept/).first()).toBeVisible()
    expectNow(await overflow(other)).toBe(0)
    expectNow(await seriousFindings(other)).toEqual([])
    await other.context().close()
  }
})
