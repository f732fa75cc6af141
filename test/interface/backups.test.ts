import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, expect as expectNow, test } from 'vitest'
import { freePort } from '../backups/rig.ts'
import { Interface, login, overflow, seriousFindings, VIEWS } from './interface.ts'

let app: Interface
let page: Page

beforeAll(async () => {
  app = await Interface.start({ BUS_PORT: String(await freePort()) })
  page = await app.open('#/storage')
})
afterAll(() => app[Symbol.asyncDispose]())

const backups = () => page.getByRole('region', { name: 'Backups', exact: true })
const dialog = () => page.getByRole('dialog')

test('that the first one could not be made is said in one sentence', async () => {
  await expect(backups()).toContainText('There is none yet. The first one comes at a quiet moment soon.')
  const view = await app.call('backups.list', {})
  const other = await app.open()
  const problem = { at: Date.now() / 1000, text: 'The backup could not be made: there is no room.' }
  await other.route('**/control/backups.list', (route) => route.fulfill({ json: { value: { ...view, problem } } }))
  await other.goto(`${app.bus.url}/admin/#/storage`)
  const section = other.getByRole('region', { name: 'Backups', exact: true })
  await expect(section.getByRole('status')).toHaveText(`${problem.text} There is no backup yet; it is tried again.`)
  await expect(section).not.toContainText('The first one comes')
  await other.context().close()
})

test('a backup is made by hand and restored, and the page goes on and says what is missing', async () => {
  const { id } = await app.call('intents.publish', { goal: 'kept', payload: '{}' })
  await backups().getByRole('button', { name: 'Back up now' }).click()
  await expect(backups().getByRole('listitem')).toHaveCount(1)
  await expect(backups()).toContainText('By hand')
  // Beside how long ago it is, without pointing at it.
  await expect(backups().getByRole('listitem')).toContainText(/\d{4}-\d\d-\d\d \d\d:\d\d/)
  await expect(backups()).toContainText(/Together they take \d+ KB\./)
  await expect(backups()).toContainText(/\d+ made by hand, \d+ from before an update, and \d+ from before a restore/)
  await app.call('intents.publish', { goal: 'lost', payload: '{}' })
  await backups().getByRole('button', { name: /^Restore the backup of/ }).click()
  await expect(dialog()).toContainText('What there is now is kept as a backup first.')
  await expect(dialog()).toContainText(/goes back to \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\./)
  await dialog().getByRole('button', { name: 'Restore the backup' }).click()
  await expect(page.getByText('1 intent published since then is gone.')).toBeVisible({ timeout: 15_000 })
  await expect(backups()).toContainText('Before a restore')
  expectNow(await app.call('intents.detail', { id })).toMatchObject({ status: 'open' })
})

test('on a phone what is to be read goes away with the screen, and what is urgent leaves room', async () => {
  const phone = await app.open('#/storage', { width: 390, height: 844 })
  const notice = phone.getByRole('status').filter({ hasText: 'published since then is gone' })
  const button = notice.getByRole('button', { name: 'Understood' })
  await expect(button).toBeVisible()
  const box = async (part: Locator) => (await part.boundingBox())!
  expectNow((await box(button)).y).toBeGreaterThanOrEqual(await notice.locator('p').evaluate((text) => text.getBoundingClientRect().bottom))
  const lines = (): Promise<number> => notice.locator('p').evaluate((text) => text.clientHeight / 20)
  expectNow(await lines()).toBeLessThanOrEqual(3)
  await notice.getByRole('button', { name: 'More' }).click()
  expectNow(await lines()).toBeGreaterThan(3)
  await expect(notice.getByRole('button', { name: 'Less' })).toBeVisible()
  await phone.locator('main').evaluate((main) => main.scrollTo(0, main.scrollHeight))
  await expect(notice).not.toBeInViewport()
  await phone.context().close()
  await page.getByRole('button', { name: 'Understood' }).click()
  await expect(page.getByRole('button', { name: 'Understood' })).toHaveCount(0)
})

test.each(VIEWS)('fits and is usable by everybody: $name', async (view) => {
  const other = await app.open('#/storage', view)
  await expect(other.getByRole('region', { name: 'Backups', exact: true }).getByRole('listitem').first()).toBeVisible()
  expectNow(await overflow(other)).toBe(0)
  expectNow(await seriousFindings(other)).toEqual([])
  await other.context().close()
})

test('a damaged database is said on every screen, with what can be done about it', async () => {
  const path = join(app.bus.dataDir, 'infrastructure.db')
  const file = openSync(path, 'r+')
  const size = readFileSync(path).length
  writeSync(file, Buffer.alloc(size - 4_096, 0x5a), 0, size - 4_096, 4_096)
  closeSync(file)
  const banner = page.getByRole('alert').filter({ hasText: 'The database cannot be used.' })
  await expect
    .poll(async () => {
      // Whatever is read next finds it.
      await app.call('intents.list', { filter: `goal:${Math.random()}` }).catch(() => {})
      return banner.count()
    })
    .toBe(1)
  await expect(banner).toContainText(/Its newest good backup is of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; what is newer would be lost\./)
  expectNow((await banner.textContent())!.match(/damaged/g)).toHaveLength(1)
  await page.goto(`${app.bus.url}/admin/#/overview`)
  await expect(page.getByText('The database cannot be read; see above.').first()).toBeVisible()
  await page.goto(`${app.bus.url}/admin/#/storage`)
  for (const name of ['Back up now', 'Clean up now', 'Save']) await expect(page.getByRole('button', { name, exact: true })).toBeDisabled()
  await page.setViewportSize({ width: 390, height: 844 })
  await expect.poll(async () => (await banner.boundingBox())!.height).toBeLessThan(844 / 4)
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(`${app.bus.url}/admin/#/workers`)
  await expect(banner.getByRole('button', { name: 'Start empty' })).toBeVisible()
  await banner.getByRole('button', { name: 'Restore the newest backup' }).click()
  await expect(dialog()).toContainText('The damaged database is kept beside it.')
  await dialog().getByRole('button', { name: 'Restore the newest backup' }).click()
  await expect(banner).toHaveCount(0, { timeout: 15_000 })
  // Who was logged in could not be read any more.
  await expect(page.getByText(/^The bus started again from its backup of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\. Log in again/)).toBeVisible()
  await login(page, app.bus.password)
  await expect(page.getByText(/^The backup of .* was restored/)).toBeVisible()
})
