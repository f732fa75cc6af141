import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
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

test('a backup is made by hand and restored, and the page goes on and says what is missing', async () => {
  const { id } = await app.call('intents.publish', { goal: 'kept', payload: '{}' })
  await expect(backups()).toContainText('There is none yet')
  await backups().getByRole('button', { name: 'Back up now' }).click()
  await expect(backups().getByRole('listitem')).toHaveCount(1)
  await expect(backups()).toContainText('By hand')
  await app.call('intents.publish', { goal: 'lost', payload: '{}' })
  await backups().getByRole('button', { name: /^Restore the backup of/ }).click()
  await expect(dialog()).toContainText('What there is now is kept as a backup first.')
  await dialog().getByRole('button', { name: 'Restore the backup' }).click()
  await expect(page.getByText('1 intent published since then is gone.')).toBeVisible({ timeout: 15_000 })
  await expect(backups()).toContainText('Before a restore')
  expectNow(await app.call('intents.detail', { id })).toMatchObject({ status: 'open' })
  await page.getByRole('button', { name: 'Understood' }).click()
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
  const banner = page.getByRole('alert').filter({ hasText: 'The database is damaged.' })
  await expect
    .poll(async () => {
      // Whatever is read next finds it.
      await app.call('intents.list', { filter: `goal:${Math.random()}` }).catch(() => {})
      return banner.count()
    })
    .toBe(1)
  await page.goto(`${app.bus.url}/admin/#/workers`)
  await expect(banner.getByRole('button', { name: 'Start empty' })).toBeVisible()
  await banner.getByRole('button', { name: 'Restore the newest backup' }).click()
  await expect(dialog()).toContainText('The damaged database is kept beside it.')
  await dialog().getByRole('button', { name: 'Restore the newest backup' }).click()
  await expect(banner).toHaveCount(0, { timeout: 15_000 })
  // Who was logged in could not be read any more.
  await login(page, app.bus.password)
  await expect(page.getByText(/^On .* the backup of .* was restored[.]/)).toBeVisible()
})
