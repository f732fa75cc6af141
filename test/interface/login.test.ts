import { afterAll, expect as expectValue, test } from 'vitest'
import { expect } from 'playwright/test'
import { Interface, login, overflow, seriousFindings, VIEWS } from './interface.ts'

const app = await Interface.start()
afterAll(() => app[Symbol.asyncDispose]())

test('nothing is shown before the login, and nothing is asked that would be refused', async () => {
  const page = await app.visit('#/intents')
  await expect(page.getByLabel('Password')).toBeFocused()
  await expect(page.getByRole('navigation')).toHaveCount(0)
  expectValue(app.trouble()).toEqual([])
  await page.context().close()
})

test('a wrong password is said to be one; the right one leads to where the address points, and stays logged in', async () => {
  const page = await app.visit('#/keys')
  await page.keyboard.type('not the password')
  await page.keyboard.press('Enter')
  await expect(page.getByText('Wrong password.')).toBeVisible()
  await login(page, app.bus.password)
  await expect(page.getByRole('heading', { name: 'Keys', level: 1 })).toBeVisible()
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Keys', level: 1 })).toBeVisible()
  // The browser itself reports the answer 401 to the wrong password.
  expectValue(app.trouble(/login/)).toEqual([])
  await page.context().close()
})

test('a logout leads back to the login, here and in the other windows of the browser', async () => {
  const page = await app.open()
  const other = await page.context().newPage()
  await other.goto(`${app.bus.url}/admin/`)
  await expect(other.getByRole('navigation').first()).toBeVisible()
  await page.getByRole('button', { name: 'Log out' }).click()
  await expect(page.getByLabel('Password')).toBeVisible()
  await expect(other.getByLabel('Password')).toBeVisible()
  await page.context().close()
})

test('a session that is ended elsewhere ends here', async () => {
  const page = await app.open('#/settings')
  await app.call('access.endSessions', {})
  await expect(page.getByLabel('Password')).toBeVisible()
  await login(page, app.bus.password)
  await expect(page.getByRole('heading', { name: 'Settings', level: 1 })).toBeVisible()
  await page.context().close()
})

test.each(VIEWS)('the login is right, $name', async (view) => {
  const page = await app.visit('', view)
  await expect(page.getByLabel('Password')).toBeVisible()
  expectValue(await overflow(page)).toBe(0)
  expectValue(await seriousFindings(page)).toEqual([])
  await page.context().close()
})
