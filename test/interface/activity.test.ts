import { createHash, createHmac } from 'node:crypto'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

let app: Interface
let page: Page
let key: string

beforeAll(async () => {
  app = await Interface.start()
  key = (await app.call('keys.create', { owner: 'signer', scope: { goals: ['resize.*'] } })).secret
  page = await app.open('#/activity')
})
afterAll(() => app[Symbol.asyncDispose]())

const section = (name: string) => page.getByRole('region', { name, exact: true })
const trail = () => section('Who did what')

/** A claim of a client that signs over what it is told to, whatever it sends. */
async function claimSignedOver(path: string, timestamp = Math.floor(Date.now() / 1000)): Promise<number> {
  const text = ['POST', path, timestamp, 'a1b2c3', ''].join('\n')
  const signature = createHmac('sha256', key).update(text).digest('hex')
  const headers = { 'X-API-KEY': key, 'X-Timestamp': String(timestamp), 'X-Nonce': 'a1b2c3', 'X-Signature': signature }
  return (await fetch(`${app.bus.url}/claim?wait=0&goal=resize.png`, { method: 'POST', headers })).status
}

describe('who did what', () => {
  test('is told in sentences, with who and from where, as it happens', async () => {
    await expect(trail()).toContainText('The bus started')
    await expect(trail()).toContainText('A browser logged in: Chrome on Linux.')
    await expect(trail().getByRole('listitem').filter({ hasText: 'A key was made for signer: goals resize.*.' })).toContainText('from 127.0.0.1')
    const wrong = await fetch(`${app.bus.url}/admin/control/status.get`, { method: 'POST', headers: { 'X-Admin-Token': 'guessed' } })
    expect(wrong.status).toBe(401)
    await expect(trail().getByRole('listitem').filter({ hasText: 'was refused' })).toContainText('Warning:', { timeout: 15_000 })
  })

  test('is shown of one kind alone', async () => {
    await trail().getByText('Keys', { exact: true }).click()
    await expect(trail()).toContainText('A key was made for signer')
    await expect(trail()).not.toContainText('logged in')
    await trail().getByText('Network', { exact: true }).click()
    await expect(trail()).toContainText('Nothing of this kind yet')
    await trail().getByText('All', { exact: true }).click()
  })

  test('goes on as far as one reads, each entry once, while more come', async () => {
    const rows = trail().getByRole('listitem')
    const older = trail().getByRole('button', { name: 'Show older ones' })
    const id = await idOf('signer')
    const rename = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await app.call('keys.rename', { id, owner: 'signer' })
    }
    const total = async (): Promise<number> => (await app.call('audit.list', { limit: 200 })).entries.length
    await rename(80)
    await expect(rows).toHaveCount(await total(), { timeout: 15_000 })
    await expect(older).toHaveCount(0)
    await rename(40)
    // Those that were read in between are pushed off the first page, not kept below it.
    await expect(older).toBeVisible({ timeout: 15_000 })
    await expect(rows).toHaveCount(100)
    await older.click()
    await expect(trail()).toContainText('The bus started')
    await expect(rows).toHaveCount(await total())
    await expect(older).toHaveCount(0)
    await rename(3)
    await expect(rows).toHaveCount(await total(), { timeout: 15_000 })
  })
})

async function idOf(owner: string): Promise<string> {
  return (await app.call('keys.list', {})).find((one) => one.owner === owner)!.id
}

describe('a refused signature', () => {
  const failures = () => section('Refused signatures')

  test('is laid beside what the bus signed over, its first difference marked, without the key', async () => {
    await expect(failures()).toContainText('No signature was refused')
    expect(await claimSignedOver('/claim?wait=0&goal=resize.png')).toBe(403)
    await expect(failures()).toContainText('POST /claim', { timeout: 15_000 })
    await expect(failures()).toContainText('With the key of signer')
    await failures().getByText(/^What was signed: line 2 differs/).click()
    await expect(failures().getByLabel('The bus signed over').locator('mark')).toHaveText('goal=resize.png&wait=0')
    await expect(failures().getByLabel('The client must have signed over').locator('mark')).toHaveText('wait=0&goal=resize.png')
    const text = (await page.textContent('body'))!
    expect([text.includes(key), text.includes(createHash('sha256').update(key).digest('hex'))]).toEqual([false, false])
  })

  test('by a clock that is off is told by how much', async () => {
    expect(await claimSignedOver('/claim?goal=resize.png&wait=0', Math.floor(Date.now() / 1000) - 400)).toBe(403)
    await expect(failures()).toContainText(/\b4\d\d s|\b4\d\d seconds|6 min/, { timeout: 15_000 })
  })
})

test.each(VIEWS)('$name: nothing sticks out, and axe finds nothing serious', async (view) => {
  const other = await app.open('#/activity', view)
  await expect(other.getByText(/^What was signed/).first()).toBeVisible()
  await other.getByText(/^What was signed/).last().click()
  expect(await overflow(other)).toBe(0)
  expect(await seriousFindings(other)).toEqual([])
  await other.context().close()
})

test('no error, and nothing that the policy forbids', () => {
  expect(app.trouble()).toEqual([])
})
