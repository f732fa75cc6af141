import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { BusUser } from './bus-user.ts'
import { DesktopApp } from './driver.ts'

/** Export and import by way of a window, whose calls reach the bus as messages. */

/** So many of these are more than one message carries of a file. */
const LARGE = 'x'.repeat(6_000)
const INTENTS = 150

let old: DesktopApp
let fresh: DesktopApp
const folder = temporaryFolder()

beforeAll(async () => {
  ;[old, fresh] = await Promise.all([DesktopApp.start(), DesktopApp.start()])
})
afterAll(async () => {
  await Promise.all([old[Symbol.asyncDispose](), fresh[Symbol.asyncDispose]()])
  folder[Symbol.dispose]()
})

async function exported(app: DesktopApp): Promise<string> {
  const { id } = await app.call('transfer.export', {})
  const parts: string[] = []
  for (let isLast = false; !isLast; ) {
    const read = await app.call('transfer.read', { id, part: parts.length })
    parts.push(read.text)
    isLast = read.isLast
  }
  expect(parts.length).toBeGreaterThan(2)
  return parts.join('')
}

test('what one app exports another one imports', async () => {
  const user = await BusUser.of(old)
  for (let n = 0; n < INTENTS; n++) await user.publish('moved', { payload: { n, LARGE } })
  const path = join(folder.path, 'moving.ndjson')
  const file = await exported(old)
  expect(file.length).toBeGreaterThan(524_288)
  writeFileSync(path, file)

  const page = await fresh.window()
  await page.evaluate("location.hash = '#/settings'")
  const section = page.getByRole('region', { name: 'Move to another machine' })
  await section.getByLabel('File to import').setInputFiles(path)
  await expect(section).toContainText(`${INTENTS} intents (${INTENTS} open)`)
  await section.getByRole('button', { name: 'Import…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Import', exact: true }).click()
  await expect(section).toContainText(`${INTENTS} intents added`)
  const there = await fresh.call('intents.count', { filter: 'goal:moved' })
  expect(there).toMatchObject({ count: INTENTS })
})
