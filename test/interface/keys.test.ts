import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Page } from 'playwright'
import { expect } from 'playwright/test'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { Interface, overflow, seriousFindings, VIEWS } from './interface.ts'

const run = promisify(execFile)

let app: Interface
let page: Page

beforeAll(async () => {
  app = await Interface.start()
  page = await app.open('#/keys')
})
afterAll(() => app[Symbol.asyncDispose]())

const dialog = () => page.getByRole('dialog')
const mainKey = () => page.getByRole('region', { name: 'Main key' })

function row(owner: string) {
  return page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: owner }) })
}

function copied(): Promise<string> {
  return page.evaluate<string>('navigator.clipboard.readText()')
}

function isTaken(key: string): Promise<boolean> {
  return app.operating.request({ path: '/claim?goal=probe', headers: { 'X-API-KEY': key } }).then(({ status }) => status !== 401)
}

describe('a new key', () => {
  test('is made with the keyboard, shown once, kept until it is stored, and works as the lines say', async () => {
    await expect(page.getByText('No key but the main one')).toBeVisible()
    await page.keyboard.press('n')
    await page.keyboard.press('Enter')
    await expect(dialog()).toContainText('Say who or what will use it.')
    await page.keyboard.type('pi4 <b>cellar</b>')
    await page.keyboard.press('Enter')
    await expect(dialog().getByRole('heading', { name: 'Key of pi4 <b>cellar</b>' })).toBeVisible()
    await expect(dialog().getByRole('button', { name: 'Copy key' })).toBeFocused()
    await page.keyboard.press('Enter')
    const key = await copied()
    expect(await isTaken(key)).toBe(true)

    for (let i = 0; i < 3; i++) await page.keyboard.press('Escape')
    await expect(dialog()).toContainText('it cannot be shown again')
    await expect(dialog().getByRole('button', { name: 'Done' })).toBeDisabled()

    await dialog().getByRole('button', { name: 'Copy lines for this key' }).click()
    const { id } = JSON.parse((await run('bash', ['-c', await copied()])).stdout) as { id: string }
    await dialog().getByRole('tab', { name: 'Claim' }).click()
    await dialog().getByRole('button', { name: 'Copy lines for this key' }).click()
    expect((await run('bash', ['-c', await copied()])).stdout).toContain(id)

    for (const [language, file] of [
      ['bash', 'worker.sh'],
      ['PowerShell', 'worker.ps1'],
      ['Python', 'worker.py'],
      ['Python SDK', 'worker-sdk.py'],
      ['TypeScript', 'worker.ts'],
      ['Notifications', 'send_notification.py'],
      ['Event log', 'log_event.py']
    ] as const) {
      await dialog().getByRole('tab', { name: language, exact: true }).click()
      await expect(dialog()).toContainText(`Save it as ${file}`)
      await dialog().getByRole('button', { name: 'Copy worker' }).click()
      const code = await copied()
      expect([code.includes(key), code.includes(app.bus.url)]).toEqual([true, true])
    }

    await dialog().getByRole('checkbox', { name: 'I have stored the key' }).check()
    await dialog().getByRole('button', { name: 'Done' }).click()
    await expect(dialog()).toHaveCount(0)
    expect(await page.content()).not.toContain(key)
    await expect(row('pi4 <b>cellar</b>')).toContainText('1 claimed')
    await expect(row('pi4 <b>cellar</b>').getByRole('link', { name: '1 claimed' })).toHaveAttribute('href', /filter=status%3Aclaimed\+key%3Akey_/)
  })

  test('is renamed', async () => {
    await row('pi4').getByRole('button', { name: 'Actions for pi4' }).click()
    await page.getByRole('menuitem', { name: 'Rename…' }).click()
    await expect(dialog().getByRole('textbox', { name: 'Owner' })).toBeFocused()
    await dialog().getByRole('textbox', { name: 'Owner' }).fill('pi5')
    await page.keyboard.press('Enter')
    await expect(row('pi5')).toBeVisible()
    await expect(row('pi4')).toHaveCount(0)
  })

  test('shows what is done with it, as it happens', async () => {
    const { secret } = await app.call('keys.create', { owner: 'live' })
    await expect(row('live')).toContainText('Never')
    for (let i = 0; i < 2; i++) {
      await app.operating.request({ path: '/intent', body: { goal: 'keys.live', payload: i }, headers: { 'X-API-KEY': secret } })
    }
    await expect(row('live').getByRole('link', { name: '2 open' })).toBeVisible()
  })

  test('is made with limits, which are said in short and count; they are changed, and its end shows', async () => {
    await page.getByRole('button', { name: 'New key' }).click()
    await dialog().getByLabel('Owner').fill('limited')
    await dialog().getByText('Limits', { exact: true }).click()
    await dialog().getByRole('checkbox', { name: 'Publish' }).uncheck()
    await dialog().getByLabel('Only these goals').fill('keys.limited\nresize.*')
    await dialog().getByLabel('Requests a minute').fill('0')
    await expect(dialog()).toContainText('A whole number from 1 to 100000.')
    await expect(dialog().getByRole('button', { name: 'Create key' })).toBeDisabled()
    await dialog().getByLabel('Requests a minute').fill('500')
    await expect(dialog()).toContainText('Limits: claim, read; goals keys.limited and resize.*; 500 requests a minute')
    expect(await seriousFindings(page)).toEqual([])
    await dialog().getByRole('button', { name: 'Create key' }).click()
    const key = (await dialog().locator('code').first().textContent())!
    await dialog().getByRole('checkbox', { name: 'I have stored the key' }).check()
    await dialog().getByRole('button', { name: 'Done' }).click()
    await expect(row('limited')).toContainText('claim, read; goals keys.limited and resize.*; 500 requests a minute')
    const publish = () => app.operating.request({ path: '/intent', body: { goal: 'resize.png', payload: 1 }, headers: { 'X-API-KEY': key } })
    expect((await publish()).status).toBe(403)
    await expect(row('limited')).toContainText('127.0.0.1', { timeout: 15_000 })

    await row('limited').getByRole('button', { name: 'Actions for limited' }).click()
    await page.getByRole('menuitem', { name: 'Limits…' }).click()
    await expect(dialog().getByLabel('Only these goals')).toHaveValue('keys.limited\nresize.*')
    await dialog().getByRole('checkbox', { name: 'Publish' }).check()
    await dialog().getByLabel('It expires').selectOption('In 7 days')
    await dialog().getByRole('button', { name: 'Save limits' }).click()
    await expect(row('limited')).toContainText('goals keys.limited and resize.*; until')
    expect((await publish()).status).toBe(201)

    const { id } = (await app.call('keys.list', {})).find(({ owner }) => owner === 'limited')!
    await app.call('keys.limit', { id, expiresAt: Date.now() / 1000 - 10 })
    await expect(row('limited')).toContainText('Expired')
    expect((await publish()).status).toBe(401)
  })

  test('that operates cannot be limited to goals, and the form says so', async () => {
    await page.getByRole('button', { name: 'New key' }).click()
    await dialog().getByText('Limits', { exact: true }).click()
    await dialog().getByRole('checkbox', { name: 'Operate' }).check()
    await dialog().getByLabel('Only these goals').fill('resize.*')
    await expect(dialog().getByRole('alert')).toContainText('it cannot be limited to namespaces or goals')
    await expect(dialog().getByRole('button', { name: 'Create key' })).toBeDisabled()
    await page.keyboard.press('Escape')
  })

  test('is revoked after the numbers are told', async () => {
    const { secret } = await app.call('keys.create', { owner: 'doomed' })
    const headers = { 'X-API-KEY': secret }
    for (let i = 0; i < 3; i++) await app.operating.request({ path: '/intent', body: { goal: 'keys.doomed', payload: i }, headers })
    await app.operating.claim('keys.doomed', 'doomed-worker', headers)
    const actions = row('doomed').getByRole('button', { name: 'Actions for doomed' })
    await actions.focus()
    await page.keyboard.press('Enter')
    await expect(page.getByRole('menuitem', { name: 'Limits…' })).toBeFocused()
    for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await expect(dialog()).toContainText('2 open intents that it published stay.')
    await expect(dialog()).toContainText('It holds 1 lease')
    await expect(dialog()).toContainText('doomed-worker')
    await page.keyboard.press('Escape')
    expect(await isTaken(secret)).toBe(true)
    await actions.click()
    await page.getByRole('menuitem', { name: 'Revoke…' }).click()
    await dialog().getByRole('button', { name: 'Revoke key' }).click()
    await expect(row('doomed')).toHaveCount(0)
    expect(await isTaken(secret)).toBe(false)
  })
})

describe('the main key', () => {
  test('is shown to whoever gives the password again', async () => {
    await expect(mainKey()).toContainText(`in the file ${app.bus.dataDir}/main.key`)
    await mainKey().getByRole('button', { name: 'Show' }).click()
    await expect(dialog().getByRole('textbox', { name: 'Password' })).toBeFocused()
    await page.keyboard.type('not the password')
    await page.keyboard.press('Enter')
    await expect(dialog()).toContainText('Wrong password.')
    await expect(mainKey()).not.toContainText(app.bus.mainKey)
    await dialog().getByRole('textbox', { name: 'Password' }).fill(app.bus.password)
    await page.keyboard.press('Enter')
    await expect(dialog()).toHaveCount(0)
    await mainKey().getByRole('button', { name: 'Copy main key' }).click()
    expect(await copied()).toBe(app.bus.mainKey)
    await mainKey().getByRole('button', { name: 'Hide' }).click()
    await expect(mainKey()).not.toContainText(app.bus.mainKey)
  })
})

test('a failure says what to do', async () => {
  const other = await app.open('#/overview')
  await other.route('**/control/keys.list', (route) => route.abort())
  await other.evaluate(`location.hash = '#/keys'`)
  await expect(other.getByText('The keys could not be loaded.')).toBeVisible()
  await other.unroute('**/control/keys.list')
  await other.getByRole('button', { name: 'Try again' }).click()
  await expect(other.getByRole('rowheader', { name: 'pi5' })).toBeVisible()
  await other.context().close()
})

test.each(VIEWS)('$name: nothing sticks out, and axe finds nothing serious', async (view) => {
  await app.call('keys.create', { owner: 'an-owner-without-any-place-to-break-'.repeat(4).slice(0, 128) })
  const other = await app.open('#/keys', view)
  await expect(other.getByRole('rowheader', { name: 'pi5' })).toBeVisible()
  expect(await overflow(other)).toBe(0)
  expect(await seriousFindings(other)).toEqual([])
  await other.getByRole('button', { name: 'New key' }).click()
  await other.getByRole('textbox', { name: 'Owner' }).fill('view')
  await other.keyboard.press('Enter')
  await expect(other.getByRole('checkbox', { name: 'I have stored the key' })).toBeVisible()
  expect(await overflow(other)).toBe(0)
  expect(await seriousFindings(other)).toEqual([])
  await other.context().close()
})

// Last: what the others do with the main key ends here.
test('the main key is rotated after saying what stops working', async () => {
  const before = app.bus.mainKey
  await app.operating.claim('keys.rotated', 'main-worker')
  await expect.poll(async () => (await app.call('keys.impact', { id: 'main' })).workers).toContain('main-worker')
  await mainKey().getByRole('button', { name: 'Rotate…' }).click()
  await expect(dialog()).toContainText('Every program that has the main key is refused at once')
  await expect(dialog()).toContainText('main-worker')
  await dialog().getByRole('textbox', { name: 'Password' }).fill(app.bus.password)
  await dialog().getByRole('button', { name: 'Rotate main key' }).click()
  await expect(dialog()).toHaveCount(0)
  await expect(mainKey().getByRole('button', { name: 'Copy main key' })).toBeFocused()
  await page.keyboard.press('Enter')
  const after = await copied()
  expect(after).not.toBe(before)
  expect([await isTaken(before), await isTaken(after)]).toEqual([false, true])
  expect(app.bus.mainKey).toBe(after)
})

test('no error, and nothing that the policy forbids', () => {
  expect(app.trouble(/control\/(keys\.list|keys\.revealMain)/)).toEqual([])
})
