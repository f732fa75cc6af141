import { spawnSync } from 'node:child_process'
import { afterAll, expect as expectValue, test } from 'vitest'
import { expect } from 'playwright/test'
import { BusProcess, cleanEnvironment } from '../support/bus-process.ts'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

const app = await Interface.start()
afterAll(() => app[Symbol.asyncDispose]())

// In order: the first test is about a bus to which nothing has happened yet.
test('a new bus shows three steps; pasted into a shell they publish, claim and fulfil, and are ticked off', async () => {
  const page = await app.open('#/overview')
  await expect(page.getByRole('heading', { name: /Three steps to a first intent/ })).toBeVisible()
  const blocks = page.locator('ol li pre')
  await expect(blocks).toHaveCount(3)
  const script = (await blocks.allTextContents()).join('\n')
  const { status, stderr } = spawnSync('bash', ['-euc', script], { encoding: 'utf8', env: cleanEnvironment() })
  expectValue({ status, stderr }).toMatchObject({ status: 0 })
  await expect(page.getByRole('heading', { name: 'Your first intent is fulfilled' })).toBeVisible()
  await page.getByRole('button', { name: 'Show the overview' }).click()
  await expect(page.getByRole('link', { name: /^Fulfilled 1/ })).toBeVisible()
  expectValue(app.trouble()).toEqual([])
  await page.context().close()
})

test('tiles count live while a worker works, and lead to the list', async () => {
  const page = await app.open('#/overview')
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.push((await app.call('intents.publish', { goal: 'resize', payload: String(i) })).id)
  await expect(page.getByRole('link', { name: /^Open 3/ })).toBeVisible()
  const claimed = (await app.operating.claim('resize', 'pi4'))!
  await expect(page.getByRole('link', { name: /^Claimed 1/ })).toBeVisible()
  await app.operating.fulfill(claimed)
  await expect(page.getByRole('link', { name: /^Claimed 0/ })).toBeVisible()
  const feed = page.getByRole('region', { name: 'Latest changes' })
  await expect(feed.getByText('Fulfilled').first()).toBeVisible()
  await page.getByRole('link', { name: /^Open 2/ }).click()
  await expect(page).toHaveURL(/#\/intents\?filter=status(:|%3A)open$/)
  await expect(page.getByRole('heading', { name: 'Intents', level: 1 })).toBeVisible()
  expectValue(app.trouble()).toEqual([])
  await page.context().close()
})

test('what needs attention is said with a way there, and what clients sent is text', async () => {
  const page = await app.open('#/overview')
  const goal = '<img src=x onerror=alert(1)>'
  const { id } = await app.call('intents.publish', { goal, payload: '"<script>alert(2)</script>"', maxAttempts: 1 })
  await app.operating.fail((await app.operating.claim(goal, '<b>worker</b>'))!, '<svg onload=alert(3)>')
  await app.call('intents.publish', { goal: 'print', payload: '{}' })
  const attention = page.getByRole('region', { name: /Needs attention/ })
  await expect(attention.getByText(/open for print, no worker/)).toBeVisible({ timeout: 15_000 })
  await expect(attention.getByText('<svg onload=alert(3)>')).toBeVisible({ timeout: 15_000 })
  await expect(page.locator('img[src="x"], svg[onload], script:not([src])')).toHaveCount(0)
  const feed = page.getByRole('region', { name: 'Latest changes' })
  await feed.getByRole('link', { name: goal }).first().click()
  await expect(page).toHaveURL(new RegExp(`#/intents/${id}$`))
  expectValue(app.trouble()).toEqual([])
  await page.context().close()
})

test('the keyboard leads everywhere, and tells how', async () => {
  const page = await app.open('#/overview')
  for (const [key, name] of [['i', 'Intents'], ['p', 'Publish'], ['w', 'Workers'], ['k', 'Keys'], ['s', 'Settings'], ['o', 'Overview']] as const) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible()
    await expect(page).toHaveTitle(new RegExp(name))
    await expect(page.getByRole('link', { name, exact: true })).toHaveAttribute('aria-current', 'page')
  }
  await page.keyboard.press('?')
  const help = page.getByRole('dialog')
  await expect(help).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(help).toBeHidden()
  await page.goBack()
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible()
  await page.context().close()
})

test('pausing shows on every screen, and is undone from there', async () => {
  const page = await app.open('#/keys')
  await app.call('bus.pause', { paused: true })
  await expect(page.getByText('Paused.')).toBeVisible()
  await page.getByRole('button', { name: 'Resume' }).first().click()
  await expect(page.getByText('Paused.')).toBeHidden()
  expectValue((await app.call('status.get', {})).isPaused).toBe(false)
  await page.context().close()
})

test.each(VIEWS)('the overview is right, $name', async (view) => {
  const page = await app.open('#/overview', view)
  await expect(page.getByRole('heading', { name: 'Overview', level: 1 })).toBeVisible()
  await expect(page.getByText('Intents a minute')).toBeVisible()
  await page.waitForTimeout(300)
  expectValue(await overflow(page)).toBe(0)
  expectValue(await seriousFindings(page)).toEqual([])
  expectValue(app.trouble()).toEqual([])
  await page.context().close()
})

test('when the bus goes, the page says so, and goes on by itself when it is back', async () => {
  await using own = await Interface.start({ BUS_PORT: '0' })
  const page = await own.open('#/overview')
  await expect(page.getByRole('heading', { name: /Three steps/ })).toBeVisible()
  const { port } = new URL(own.bus.url)
  await own.bus.kill('SIGKILL')
  await expect(page.getByText('Reconnecting…')).toBeVisible({ timeout: 15_000 })
  await using again = await BusProcess.start(own.bus.dataDir, { BUS_PORT: port })
  await expect(page.getByText('Reconnecting…')).toBeHidden({ timeout: 25_000 })
  await expect(page.getByRole('heading', { name: 'Overview', level: 1 })).toBeVisible()
  expectValue(again.url).toBe(own.bus.url)
})
