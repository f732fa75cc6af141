import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { ReferenceDatabase } from '../transfer/reference-database.ts'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

const PASSPHRASE = 'correct horse battery staple'

let old: Interface
let fresh: Interface
const folder = temporaryFolder()

beforeAll(async () => {
  ;[old, fresh] = await Promise.all([Interface.start(), Interface.start()])
})
afterAll(async () => {
  await Promise.all([old[Symbol.asyncDispose](), fresh[Symbol.asyncDispose]()])
  folder[Symbol.dispose]()
})

const section = (page: Page) => page.getByRole('region', { name: 'Move to another machine' })
const dialog = (page: Page) => page.getByRole('dialog')

/** Presses Export and keeps what the browser downloads. */
async function download(page: Page, name: string): Promise<string> {
  const path = join(folder.path, name)
  const begun = page.waitForEvent('download')
  await dialog(page).getByRole('button', { name: 'Export', exact: true }).click()
  const file = await begun
  expect(file.suggestedFilename()).toMatch(/^intent-bus-\d{4}-\d\d-\d\d\.ndjson$/)
  await file.saveAs(path)
  return path
}

async function choose(page: Page, path: string): Promise<void> {
  await section(page).getByLabel('File to import').setInputFiles(path)
}

test('a bus moves in the browser: export under a passphrase, import with its keys', async () => {
  const { secret } = await old.call('keys.create', { owner: 'raspberry pi' })
  await old.operating.request({ path: '/intent', body: { goal: 'moved', payload: { n: 1 } }, headers: { 'X-API-KEY': secret } })
  const from = await old.open('#/settings')
  await section(from).getByRole('button', { name: 'Export…' }).click()
  await dialog(from).getByLabel('With keys and passwords').check()
  await dialog(from).getByLabel('Passphrase').fill(PASSPHRASE)
  await dialog(from).getByLabel('The same again').fill('something else')
  await dialog(from).getByRole('button', { name: 'Export', exact: true }).click()
  await expect(dialog(from)).toContainText('This is another one.')
  await dialog(from).getByLabel('The same again').fill(PASSPHRASE)
  await dialog(from).getByLabel('Password of this bus').fill('wrong password')
  await dialog(from).getByRole('button', { name: 'Export', exact: true }).click()
  await expect(dialog(from)).toContainText('Wrong password.')
  await dialog(from).getByLabel('Password of this bus').fill(old.bus.password)
  const path = await download(from, 'moving.ndjson')
  expect(readFileSync(path, 'utf8')).not.toContain(secret)

  const to = await fresh.open('#/settings')
  await choose(to, path)
  await expect(section(to)).toContainText('1 intent (1 open)')
  await expect(section(to)).toContainText('1 key')
  await section(to).getByRole('button', { name: 'Import…' }).click()
  await dialog(to).getByLabel('Passphrase of the export').fill('not the right one')
  await dialog(to).getByRole('button', { name: 'Import', exact: true }).click()
  await expect(dialog(to)).toContainText('This is not the passphrase of the export. Nothing was imported.')
  await dialog(to).getByLabel('Passphrase of the export').fill(PASSPHRASE)
  await dialog(to).getByRole('button', { name: 'Import', exact: true }).click()
  await expect(section(to)).toContainText('1 intent added')
  await expect(section(to)).toContainText('1 key added')
  const claim = await fresh.operating.request({ path: '/claim?goal=moved', headers: { 'X-API-KEY': secret } })
  expect(claim.json).toMatchObject({ goal: 'moved' })
  await section(to).getByRole('button', { name: 'Close' }).click()
  await expect(section(to).getByRole('group')).toHaveCount(0)
})

test('what the settings of a file would change, and that finished intents would not stay, is told before', async () => {
  for (let i = 0; i < 250; i++) await old.operating.request({ path: '/intent', body: { goal: 'large', payload: 'x'.repeat(6_000) } })
  const claim = await old.operating.request({ path: '/claim?goal=large' })
  const { id, claim_token } = claim.json as { id: string; claim_token: string }
  await old.operating.request({ path: `/fulfill/${id}`, body: { claim_token } })
  await fresh.call('settings.change', { requireSignatures: true, maxDatabaseMegabytes: 1 })
  const from = await old.open('#/settings')
  await section(from).getByRole('button', { name: 'Export…' }).click()
  const path = await download(from, 'large.ndjson')
  const to = await fresh.open('#/settings')
  await choose(to, path)
  await expect(section(to)).toContainText(/Careful: the database would have about \d MB, and may have 1 MB: .* Raise the bound first, then import\./)
  await expect(section(to)).toContainText('1 key')
  expect(await seriousFindings(to)).toEqual([])
  await fresh.call('settings.change', { maxDatabaseMegabytes: 1_024 })
  await expect(section(to)).not.toContainText('Raise the bound first')
  await section(to).getByRole('button', { name: 'Import…' }).click()
  await dialog(to).getByLabel('With its settings').check()
  await expect(dialog(to).getByRole('list', { name: 'Settings that change' })).toHaveText('Require signatures: on → off')
  expect(await seriousFindings(to)).toEqual([])
  await dialog(to).getByRole('button', { name: 'Import', exact: true }).click()
  await expect(section(to)).toContainText('0 keys added, 1 there already')
  expect((await fresh.call('settings.get', {})).values.requireSignatures).toBe(false)
})

test('a file that is none says why, and a database of the reference server comes over', async () => {
  const page = await fresh.open('#/settings')
  using reference = new ReferenceDatabase()
  const now = Date.now() / 1000
  reference.insert('intents', { id: 'cd'.repeat(16), goal: 'old', payload: '{}', status: 'open', created_at: now, expires_at: now + 900, run_at: now, publisher: 'old main key' })
  reference.file()
  await choose(page, join(import.meta.dirname, 'moving.test.ts'))
  await expect(section(page)).toContainText('This is no export of an Intent Bus')
  await choose(page, reference.path)
  await expect(section(page)).toContainText('The database of a reference server')
  await section(page).getByRole('button', { name: 'Import…' }).click()
  await dialog(page).getByRole('button', { name: 'Import', exact: true }).click()
  await expect(section(page)).toContainText('1 intent added')
})

test.each(VIEWS)('the section and its dialogs are fine in every view: $name', async (view) => {
  const page = await fresh.open('#/settings', view)
  await choose(page, join(import.meta.dirname, 'moving.test.ts'))
  await expect(section(page)).toContainText('no export')
  expect(await overflow(page)).toBe(0)
  expect(await seriousFindings(page)).toEqual([])
  await section(page).getByRole('button', { name: 'Export…' }).click()
  await dialog(page).getByLabel('With keys and passwords').check()
  expect(await overflow(page)).toBe(0)
  expect(await seriousFindings(page)).toEqual([])
  await page.context().close()
})
