import { join } from 'node:path'
import { expect } from 'playwright/test'
import { expect as expectNow, test } from 'vitest'
import { fillDatabase } from '../bench/fill.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { launchChromium } from './chromium.ts'
import { login, overflow, VIEWS } from './interface.ts'

const SCREENS = [
  ['overview', 'Overview'],
  ['storage', 'Storage'],
  ['intents', 'Intents']
] as const

test('with many intents nothing sticks out, and everything can be pressed', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  fillDatabase(join(folder.path, 'infrastructure.db'), [
    { status: 'fulfilled', count: 12_345 },
    { status: 'dead', count: 123_456 },
    { status: 'open', count: 23_456 },
    { status: 'claimed', count: 1_234 }
  ])
  await using bus = await BusProcess.start(folder.path)
  const browser = await launchChromium()
  try {
    for (const { width, height, colorScheme } of VIEWS.filter(({ colorScheme }) => colorScheme === 'light')) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme })
      await page.goto(`${bus.url}/admin/`)
      await login(page, bus.password)
      for (const [screen, title] of SCREENS) {
        await page.goto(`${bus.url}/admin/#/${screen}`)
        await expect(page.getByRole('heading', { name: title, level: 1 })).toBeVisible()
        await expect(page.getByRole('list', { name: 'Intents by status' })).toContainText(width < 720 ? '23K' : '23,456')
        await expect(page.getByTitle('123,456 dead')).toBeVisible()
        // Also what sticks out of a part that hides it.
        const ends = await page.getByRole('banner').locator('a, button').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right))
        expectNow(Math.max(...ends)).toBeLessThanOrEqual(width)
        const hidden = await page.locator('main').evaluate((main) => main.scrollWidth - main.clientWidth)
        expectNow([screen, width, await overflow(page), hidden]).toEqual([screen, width, 0, 0])
      }
      await page.close()
    }
  } finally {
    await browser.close()
  }
})
