import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { launchChromium } from './chromium.ts'
import { Interface, login, overflow, seriousFindings, VIEWS } from './interface.ts'

let app: Interface
let page: Page

beforeAll(async () => {
  app = await Interface.start()
  page = await app.open('#/storage')
})
afterAll(() => app[Symbol.asyncDispose]())

const dialog = () => page.getByRole('dialog')
const section = (name: string) => page.getByRole('region', { name, exact: true })

test('tells where the database is, how large, and what the disk has left', async () => {
  await expect(page.getByRole('heading', { name: 'Storage', level: 1 })).toBeVisible()
  await expect(section('Room')).toContainText('infrastructure.db')
  await expect(section('Room')).toContainText(/of 1\.0 GB/)
  await expect(section('Room').getByRole('meter', { name: 'Disk' })).toBeVisible()
  await expect(section('Room')).toContainText('None since the bus started')
})

describe('retention', () => {
  test('is checked and saved', async () => {
    const dead = page.getByLabel('Dead letters are kept')
    await expect(section('Retention').getByRole('button', { name: 'Save' })).toBeDisabled()
    await dead.fill('3')
    await page.keyboard.press('Enter')
    await expect(section('Retention')).toContainText('A whole number from 7 to 365.')
    await dead.fill('30')
    await page.getByLabel('The database holds at most').fill('500')
    await page.getByLabel('An open intent waits at most').fill('48')
    await section('Retention').getByRole('button', { name: 'Save' }).click()
    await expect(section('Retention').getByRole('button', { name: 'Save' })).toBeDisabled()
    expect((await app.call('settings.get', {})).values).toMatchObject({ deadDays: 30, fulfilledDays: 7, maxDatabaseMegabytes: 500, intentLifetimeHours: 48 })
    await expect(section('Room')).toContainText('of 500 MB')
  })

  test('cleanup tells what it did', async () => {
    await section('Retention').getByRole('button', { name: 'Clean up now' }).click()
    await expect(section('Retention').getByRole('status')).toHaveText('Nothing was old enough to be deleted.')
    await expect(section('Room')).toContainText('nothing was old enough')
  })

  test('a namespace is purged after its name was typed', async () => {
    await app.call('intents.publish', { goal: 'stays', payload: '1' })
    for (let i = 0; i < 4; i++) await app.call('intents.publish', { goal: 'goes', payload: '1', namespace: 'lab' })
    await app.operating.request({ path: '/claim?goal=goes&namespace=lab' })
    await page.getByLabel('Purge a namespace').selectOption({ label: 'lab (4)' })
    await page.getByRole('button', { name: 'Purge…' }).click()
    await expect(dialog()).toContainText('This deletes 4 intents of the namespace lab')
    await expect(dialog()).toContainText('3 open')
    await expect(dialog()).toContainText('1 claimed')
    const purge = dialog().getByRole('button', { name: 'Purge 4 intents' })
    await expect(purge).toBeDisabled()
    await expect(dialog().getByRole('textbox')).toBeFocused()
    await page.keyboard.type('default')
    await expect(purge).toBeDisabled()
    await dialog().getByRole('textbox').fill('lab')
    await page.keyboard.press('Enter')
    await expect(dialog()).toHaveCount(0)
    expect((await app.call('intents.count', {})).count).toBe(1)
    await expect(page.getByLabel('Purge a namespace')).toHaveText('default (1)')
  })
})

test('an intent that nobody claimed in its lifetime can be published again, from its page, from the list and from the overview', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const ids: string[] = []
  {
    await using before = await BusProcess.start(folder.path)
    for (const n of [1, 2, 3, 4]) {
      const body = JSON.stringify({ goal: 'late', payload: n })
      const answer = await fetch(`${before.url}/intent`, { method: 'POST', headers: { 'X-API-KEY': before.mainKey, 'Content-Type': 'application/json' }, body })
      ids.push(((await answer.json()) as { id: string }).id)
    }
    await before.kill('SIGTERM')
  }
  const db = new Database(join(folder.path, 'infrastructure.db'))
  db.exec('UPDATE intents SET expires_at = expires_at - 90000')
  db.close()
  await using bus = await BusProcess.start(folder.path)
  const browser = await launchChromium()
  try {
    const visitor = await browser.newPage()
    await visitor.goto(`${bus.url}/admin/#/intents/${ids[0]}`)
    await login(visitor, bus.password)
    await expect(visitor.getByText('Out of the queue')).toBeVisible()
    await visitor.getByRole('button', { name: 'Publish again' }).click()
    await expect(visitor.getByText('Waiting for a worker')).toBeVisible()
    await visitor.goto(`${bus.url}/admin/#/intents?filter=status%3Aexpired`)
    await visitor.getByRole('checkbox', { name: /late/ }).first().check()
    await visitor.getByRole('group', { name: 'Selected intents' }).getByRole('button', { name: 'Retry' }).click()
    const statusOf = async (id: string): Promise<string> =>
      ((await (await fetch(`${bus.url}/status/${id}`, { headers: { 'X-API-KEY': bus.mainKey } })).json()) as { status: string }).status
    await expect.poll(async () => (await Promise.all(ids.map(statusOf))).filter((status) => status === 'open')).toHaveLength(2)
    await visitor.goto(`${bus.url}/admin/#/overview`)
    const item = visitor.getByRole('region', { name: /Needs attention/ }).getByRole('listitem').filter({ hasText: '2 intents expired' })
    await expect(item.getByRole('link')).toHaveAttribute('href', /filter=status(:|%3A)expired$/)
    await item.getByRole('button', { name: 'Publish again' }).click()
    await visitor.getByRole('dialog').getByRole('button', { name: 'Publish 2 intents again' }).click()
    await expect.poll(() => Promise.all(ids.map(statusOf))).toEqual(['open', 'open', 'open', 'open'])
    await expect(item).toHaveCount(0)
  } finally {
    await browser.close()
  }
})

test.each(VIEWS)('$name: nothing sticks out, and axe finds nothing serious', async (view) => {
  const other = await app.open('#/storage', view)
  await expect(other.getByRole('region', { name: 'Room' })).toContainText('Last cleanup')
  expect(await overflow(other)).toBe(0)
  expect(await seriousFindings(other)).toEqual([])
  await other.context().close()
})

const trouble = SmallDisk.trouble()
if (trouble !== undefined) process.stderr.write(`skipped, the interface on a full disk: ${trouble}\n`)

test.skipIf(trouble !== undefined)('on a full disk the interface says so on every screen, lets in who knows the password, and takes it back', { timeout: 60_000 }, async () => {
  using disk = await SmallDisk.create(12)
  await using bus = await BusProcess.start(disk.path, {}, [], disk)
  disk.fill()
  const key = readFileSync(join(disk.outside, 'main.key'), 'utf8').trim()
  await fetch(`${bus.url}/intent`, { method: 'POST', headers: { 'X-API-KEY': key, 'Content-Type': 'application/json' }, body: '{"goal":"g","payload":1}' })
  const browser = await launchChromium()
  try {
    const visitor = await browser.newPage({ viewport: { width: 390, height: 844 } })
    await visitor.goto(`${bus.url}/admin/`)
    await visitor.getByLabel('Password').fill(readFileSync(join(disk.outside, 'dashboard.password'), 'utf8').trim())
    await visitor.keyboard.press('Enter')
    const banner = visitor.getByRole('alert').filter({ hasText: 'The bus cannot write to its disk.' })
    await expect(banner).toContainText('Make room on it')
    await banner.getByRole('link', { name: 'Storage' }).click()
    await expect(visitor.getByRole('region', { name: 'Room' })).toContainText('The disk of the bus is full')
    await expect(banner).toBeVisible()
    disk.makeRoom()
    await expect(banner).toHaveCount(0, { timeout: 15_000 })
  } finally {
    await browser.close()
  }
})
