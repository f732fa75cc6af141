import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Output } from '../../src/shared/control/contract.ts'
import type { Operating } from '../control/rig.ts'
import { cleanEnvironment } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

let app: Interface
let bus: Operating
let page: Page

beforeAll(async () => {
  app = await Interface.start()
  bus = app.operating
  page = await app.open('#/workers')
})
afterAll(() => app[Symbol.asyncDispose]())

function row(name: string) {
  return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name }) })
}

/** Lets a page see workers that have not been there for long, though nobody waited. */
async function makeGone(names: readonly string[]): Promise<void> {
  await page.route('**/control/workers.list', async (route) => {
    const answer = await route.fetch()
    const { value } = (await answer.json()) as { value: Output<'workers.list'> }
    const workers = value.workers.map((worker) =>
      names.includes(worker.worker ?? '') ? { ...worker, presence: 'gone', lastSeenAt: worker.lastSeenAt - 90_000 } : worker
    )
    await route.fulfill({ json: { value: { ...value, workers } } })
  })
}

describe('without a worker', () => {
  test('all languages are there with the screen: of a part that failed, a browser asks no second time', async () => {
    await expect(page.getByRole('tab', { name: 'bash', exact: true })).toBeVisible()
    await page.route('**/assets/**', (route) => route.abort())
    for (const [language, line] of [
      ['PowerShell', '$BusUrl = '],
      ['TypeScript', 'const BUS_URL = '],
      ['Event log', 'BUS_URL = ']
    ] as const) {
      await page.getByRole('tab', { name: language, exact: true }).click()
      await expect(page.getByLabel('worker', { exact: true }).last()).toContainText(line)
    }
    await page.unroute('**/assets/**')
    await page.getByRole('tab', { name: 'bash', exact: true }).click()
  })

  test.each(['bash', 'Python'])('the %s worker that is shown really works', async (language) => {
    await expect(page.getByRole('heading', { name: 'No worker has asked for an intent yet' })).toBeVisible()
    await page.getByLabel('Goal', { exact: true }).fill(`shown.${language}`)
    await page.getByRole('tab', { name: language, exact: true }).click()
    await page.getByRole('button', { name: 'Copy worker' }).click()
    const code = await page.evaluate<string>('navigator.clipboard.readText()')
    using home = temporaryFolder()
    const env = { ...cleanEnvironment(), HOME: home.path }
    const worker = spawn(language === 'bash' ? 'bash' : 'python3', ['-c', code], { env, stdio: 'ignore' })
    try {
      const { id } = await bus.call('intents.publish', { goal: `shown.${language}`, payload: '{"name":"Ada"}' })
      await expect.poll(async () => (await bus.call('intents.detail', { id })).result).toBe('{"name":"Ada"}')
      await expect(page.getByRole('row').filter({ hasText: `shown.${language}` })).toContainText('Online')
    } finally {
      worker.kill()
      await once(worker, 'exit')
    }
    const { workers } = await bus.call('workers.list', {})
    for (const { ref } of workers) await bus.call('workers.forget', { ref })
    await expect(page.getByRole('heading', { name: 'No worker has asked for an intent yet' })).toBeVisible()
  })
})

describe('workers', () => {
  test('show what they ask for, hold and did, while they do it', async () => {
    const key = await bus.call('keys.create', { owner: 'Cellar <b>pi</b>' })
    const headers = { 'X-API-KEY': key.secret, 'X-Worker-Capabilities': 'gpu,arm64' }
    const publication = { goal: 'live.resize', payload: '1', visibility: 'public', maxAttempts: 1 } as const
    for (let i = 0; i < 3; i++) await bus.call('intents.publish', publication)
    const claim = (await bus.claim('live.resize', 'pi4', headers))!
    const pi = row('pi4')
    await expect(pi).toContainText('Online')
    await expect(pi).toContainText('Cellar <b>pi</b>')
    await expect(pi).toContainText('live.resize')
    await expect(pi).toContainText('offers')
    await expect(pi.getByText('arm64')).toBeVisible()
    await expect(pi.getByRole('link', { name: 'live.resize' })).toHaveAttribute('href', `#/intents/${claim.id}`)
    await expect(pi.getByRole('timer')).toHaveText(/^(1 min 00|\d+) s$/)
    await expect(pi.getByRole('cell').nth(3)).toHaveText('1')

    await bus.request({ path: `/fulfill/${claim.id}`, body: { claim_token: claim.claim_token }, headers: { 'X-API-KEY': key.secret } })
    await expect(pi).toContainText('Nothing')
    await expect(pi.getByRole('cell').nth(4)).toHaveText('1')

    const second = (await bus.claim('live.resize', 'pi4', headers))!
    await bus.request({ path: `/fail/${second.id}`, body: { claim_token: second.claim_token, error: 'x' }, headers: { 'X-API-KEY': key.secret } })
    await expect(pi.getByRole('cell').nth(5)).toHaveText('1')

    await pi.getByRole('link', { name: 'pi4' }).click()
    await expect(page).toHaveURL(/#\/intents\?filter=worker%3Api4$/)
    await page.goBack()
  })

  test('without id are told by their address', async () => {
    await bus.request({ path: '/claim?goal=nameless' })
    await expect(row('Without id, from 127.0.0.1')).toContainText('nameless')
  })

  test('that are gone are forgotten after a question, alone and all together', async () => {
    for (const name of ['old1', 'old2', 'old3']) await bus.claim('old.goal', name)
    await makeGone(['old1', 'old2', 'old3'])
    await expect(row('old1')).toContainText('Gone')
    await expect(row('pi4').getByRole('button', { name: 'Forget' })).toHaveCount(0)
    await row('old1').getByRole('button', { name: 'Forget old1' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Back' }).click()
    await expect(row('old1')).toBeVisible()
    await row('old1').getByRole('button', { name: 'Forget old1' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Forget worker' }).click()
    await expect(row('old1')).toHaveCount(0)

    const all = page.getByRole('button', { name: 'Forget 2 gone' })
    await all.focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').getByRole('button', { name: 'Forget 2 workers' }).focus()
    await page.keyboard.press('Enter')
    await expect(row('old2')).toHaveCount(0)
    await expect(all).toHaveCount(0)
    await page.unroute('**/control/workers.list')
    await expect(row('pi4')).toBeVisible()
  })

  test('are found among many by the keyboard, and the search stays in the address', async () => {
    for (let i = 1; i <= 9; i++) await bus.claim('many.goal', `many${i}`, i === 7 ? { 'X-Worker-Capabilities': 'camera' } : {})
    await expect(row('many9')).toBeVisible()
    await page.keyboard.press('/')
    await page.keyboard.type('camera')
    await expect(page.getByRole('row')).toHaveCount(2)
    await expect(row('many7')).toBeVisible()
    await expect(page).toHaveURL(/#\/workers\?find=camera$/)
    await page.keyboard.type('xyz')
    await expect(page.getByText('No worker is like that')).toBeVisible()
    await page.getByRole('button', { name: 'Show all' }).click()
    await expect(row('pi4')).toBeVisible()
  })
})

describe('goals that nobody asks for', () => {
  const unserved = () => page.getByRole('region', { name: 'Open goals that nobody asks for' })

  test('come first, with a worker for each, until somebody asks', async () => {
    await bus.call('intents.publish', { goal: '<img src=x onerror=alert(1)>', payload: '1', namespace: 'lab' })
    const line = unserved().getByRole('listitem').filter({ hasText: '<img src=x onerror=alert(1)>' })
    await expect(line).toContainText('1 open, the oldest for')
    await expect(line).toContainText('Never claimed.')
    await expect(line.getByRole('link')).toHaveAttribute('href', /^#\/intents\?filter=status%3Aopen/)
    const start = line.getByRole('button', { name: 'Start a worker for' })
    await start.focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Start a worker' })
    await expect(dialog.getByLabel('Goal', { exact: true })).toHaveValue('<img src=x onerror=alert(1)>')
    await expect(dialog.locator('pre')).toContainText("\nGOAL='<img src=x onerror=alert(1)>'\nNAMESPACE=lab\n")
    await dialog.getByRole('tab', { name: 'TypeScript' }).click()
    await expect(dialog.getByLabel('worker', { exact: true }).last()).toContainText('const GOAL = "<img src=x onerror=alert(1)>"')
    await expect(dialog).toContainText('then run node worker.ts')
    await page.keyboard.press('Escape')
    await expect(dialog).toHaveCount(0)
    await expect(start).toBeFocused()
    await bus.request({ path: `/claim?goal=${encodeURIComponent('<img src=x onerror=alert(1)>')}&namespace=lab`, headers: { 'X-Worker-ID': 'lab1' } })
    await expect(line).toHaveCount(0)
  })
})

test('a failure says what to do', async () => {
  const other = await app.open('#/overview')
  await other.route('**/control/workers.list', (route) => route.abort())
  await other.evaluate(`location.hash = '#/workers'`)
  await expect(other.getByText('The workers could not be loaded.')).toBeVisible()
  await other.unroute('**/control/workers.list')
  await other.getByRole('button', { name: 'Try again' }).click()
  await expect(other.getByRole('rowheader', { name: 'pi4' })).toBeVisible()
  await other.context().close()
})

test.each(VIEWS)('$name: nothing sticks out, and axe finds nothing serious', async (view) => {
  await bus.call('intents.publish', { goal: 'a-goal-without-any-place-to-break-'.repeat(6), payload: '1' })
  await bus.claim('many.goal', 'a-worker-whose-name-has-the-64-characters-that-a-name-may-have-at')
  const other = await app.open('#/workers', view)
  await expect(other.getByRole('rowheader', { name: 'pi4' })).toBeVisible()
  expect(await overflow(other)).toBe(0)
  expect(await seriousFindings(other)).toEqual([])
  await other.getByRole('button', { name: 'Start a worker', exact: true }).first().click()
  await expect(other.getByRole('dialog').locator('pre')).toBeVisible()
  expect(await overflow(other)).toBe(0)
  expect(await seriousFindings(other)).toEqual([])
  await other.context().close()
})

test('no error, and nothing that the policy forbids', () => {
  expect(app.trouble(/control\/workers\.list/)).toEqual([])
})
