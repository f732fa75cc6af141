import { createServer, type AddressInfo, type Server } from 'node:net'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { Interface, login, overflow, seriousFindings, VIEWS } from './interface.ts'

let app: Interface
let page: Page
let taken: Server

beforeAll(async () => {
  app = await Interface.start({ BUS_PORT: '', BUS_REQUIRE_SIGNATURES: 'false' }, { port: 0 })
  page = await app.open('#/settings')
  taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
})
afterAll(async () => {
  taken.close()
  await app[Symbol.asyncDispose]()
})

const dialog = () => page.getByRole('dialog')
const section = (name: string) => page.getByRole('region', { name, exact: true })
const setting = (name: string) => page.getByRole('switch', { name })

async function claimStatus(): Promise<number> {
  return (await app.operating.request({ path: '/claim?goal=probe' })).status
}

describe('switches', () => {
  test('count at once, with the pointer and the keyboard', async () => {
    await setting('Maintenance').click()
    await expect(setting('Maintenance')).toBeChecked()
    expect(await claimStatus()).toBe(503)
    await setting('Maintenance').focus()
    await page.keyboard.press('Space')
    await expect(setting('Maintenance')).not.toBeChecked()
    expect(await claimStatus()).toBe(204)
  })

  test('follow what somebody else sets', async () => {
    await app.call('bus.pause', { paused: true })
    await expect(setting('Paused')).toBeChecked()
    await setting('Paused').click()
    await expect(setting('Paused')).not.toBeChecked()
    expect((await app.call('status.get', {})).isPaused).toBe(false)
    await app.call('settings.change', { maintenance: true })
    await expect(setting('Maintenance')).toBeChecked()
    await app.call('settings.change', { maintenance: false })
    await expect(setting('Maintenance')).not.toBeChecked()
  })

  test('that the environment fixes, or that mean nothing here, say so', async () => {
    await expect(setting('Require signatures')).toBeDisabled()
    await expect(section('Serving')).toContainText('Fixed by the variable BUS_REQUIRE_SIGNATURES of the environment.')
    await expect(section('Desktop app')).toContainText('Only the desktop app has this')
  })
})

test('the theme counts on this device, and is kept', async () => {
  await page.getByRole('radio', { name: 'Dark' }).focus()
  await page.keyboard.press('Space')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.getByText('As the system').click()
  await expect(page.locator('html')).not.toHaveAttribute('data-theme')
})

describe('browsers', () => {
  test('others are logged out', async () => {
    const other = await app.open('#/overview')
    await section('Browsers').getByRole('button', { name: 'Log out other browsers' }).click()
    await expect(page.getByText('1 other browser logged out.')).toBeVisible()
    await expect(other.getByRole('button', { name: 'Log in' })).toBeVisible({ timeout: 20_000 })
    await other.context().close()
  })

  test('one of them is logged out alone', async () => {
    const other = await app.open('#/overview')
    const entries = section('Browsers').getByRole('listitem')
    await expect(entries.filter({ hasText: 'This one' })).toContainText('Chrome on Linux')
    await expect(entries.filter({ hasText: 'This one' }).getByRole('button')).toHaveCount(0)
    await expect(entries).toHaveCount(2)
    await entries.filter({ hasNotText: 'This one' }).getByRole('button', { name: 'Log out' }).click()
    await expect(dialog()).toContainText('needs the password to come back')
    await dialog().getByRole('button', { name: 'Log it out' }).click()
    await expect(entries).toHaveCount(1)
    await expect(other.getByRole('button', { name: 'Log in', exact: true })).toBeVisible({ timeout: 20_000 })
    await other.context().close()
  })

  test('the password is changed by whoever knows it', async () => {
    await section('Browsers').getByRole('button', { name: 'Change password…' }).click()
    await expect(dialog().getByLabel('Current password')).toBeFocused()
    await page.keyboard.type('not the password')
    await dialog().getByLabel('New password', { exact: true }).fill('short')
    await page.keyboard.press('Enter')
    await expect(dialog()).toContainText('At least 8 characters.')
    await dialog().getByLabel('New password', { exact: true }).fill('another password')
    await page.keyboard.press('Enter')
    await expect(dialog()).toContainText('Wrong password.')
    await dialog().getByLabel('Current password').fill(app.bus.password)
    await page.keyboard.press('Enter')
    await expect(dialog()).toHaveCount(0)
    expect(app.bus.password).toBe('another password')
    await page.reload()
    await expect(section('Browsers')).toBeVisible()
  })
})

test('files and versions are told', async () => {
  await expect(section('About')).toContainText('Intent Protocol 2.1, server API 7.61')
  await expect(section('About')).toContainText(app.bus.dataDir)
  await expect(section('About')).toContainText(/\d(\.\d)? [KM]B/)
  await expect(section('About')).toContainText('Goes to standard error')
})

test.each(VIEWS)('$name: nothing sticks out, and axe finds nothing serious', async (view) => {
  const other = await app.open('#/settings', view)
  await expect(other.getByRole('region', { name: 'About' })).toBeVisible()
  expect(await overflow(other)).toBe(0)
  expect(await seriousFindings(other)).toEqual([])
  await other.getByRole('button', { name: 'Change password…' }).click()
  await expect(other.getByRole('dialog')).toBeVisible()
  expect(await seriousFindings(other)).toEqual([])
  await other.context().close()
})

// Last: what the others know of the bus's address ends here.
describe('the port', () => {
  test('that is taken is refused at its field, and nothing changes', async () => {
    const { port } = taken.address() as AddressInfo
    await page.getByLabel('Port', { exact: true }).fill('70000')
    await page.keyboard.press('Enter')
    await expect(section('Serving')).toContainText('A whole number from 0 to 65535.')
    await page.getByLabel('Port', { exact: true }).fill(String(port))
    await section('Serving').getByRole('button', { name: 'Apply' }).click()
    await expect(section('Serving')).toContainText(`Port ${port} on 127.0.0.1 is taken by another program`)
    await expect(page.getByLabel('Port', { exact: true })).toHaveAttribute('aria-invalid', 'true')
    expect(await claimStatus()).toBe(204)
  })

  test('that is free is taken, and the page goes on there', async () => {
    const { port } = taken.address() as AddressInfo
    await new Promise((resolve) => taken.close(resolve))
    await section('Serving').getByRole('button', { name: 'Apply' }).click()
    await expect(page).toHaveURL(`http://127.0.0.1:${port}/admin/#/settings`)
    await login(page, app.bus.password)
    await expect(page.getByLabel('Port', { exact: true })).toHaveValue(String(port))
    await expect(section('Serving')).toContainText(`http://127.0.0.1:${port}`)
  })
})

// Provoked: refusals, the end of a session, and what the page asked of the address that it left.
test('no error, and nothing that the policy forbids', () => {
  const provoked = /control\/(settings\.change|access\.changePassword)|status of 401|ERR_CONNECTION_REFUSED|asked for http:\/\/127\.0\.0\.1:/
  expect(app.trouble(provoked)).toEqual([])
})
