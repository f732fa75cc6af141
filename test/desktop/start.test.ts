import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { BusUser } from './bus-user.ts'
import { DesktopApp, ELECTRON, SOON } from './driver.ts'

/** How the app comes up, and what its page is given. */

describe('the app', () => {
  let app: DesktopApp

  beforeAll(async () => {
    app = await DesktopApp.start()
  })

  afterAll(() => app[Symbol.asyncDispose]())

  test('opens one window with the interface over a bus that listens, and says nothing is wrong', async () => {
    const page = await app.window()
    const trouble: string[] = []
    page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()))
    page.on('pageerror', (error) => trouble.push(error.message))
    await page.reload()
    await page.getByRole('link', { name: 'Intents' }).click()
    await page.getByRole('heading', { name: 'Intents', level: 1 }).waitFor()
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    expect(trouble).toEqual([])
    expect(await app.countWindows()).toBe(1)
    expect((await ask(await app.url(), { path: '/health' })).status).toBe(200)
    expect(await app.call('status.get', {})).toMatchObject({ app: { shell: 'desktop' }, state: 'running', dataDir: app.dataDir })
    expect(app.stderr).toBe('')
  })

  test('gives its page the bridge and nothing of Node, under a policy that lets in nothing from elsewhere', async () => {
    const page = await app.window()
    expect(await page.evaluate('Object.keys(intentBus).sort()')).toEqual(['call', 'listen', 'onNavigate', 'platform', 'view'])
    expect(await page.evaluate('[intentBus.view, intentBus.platform, isSecureContext]')).toEqual(['window', process.platform, true])
    expect(await page.evaluate('["require", "process", "Buffer", "module", "electron"].filter((name) => name in window)')).toEqual([])
    // What a debugger runs is free to evaluate; what a timer calls is the page's own.
    const evaluated = `new Promise((done) => setTimeout(() => {
      try { done(eval('1')) } catch (error) { done(error.name) }
    }))`
    expect(await page.evaluate(evaluated)).toBe('EvalError')
    const inline = `new Promise((done) => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => done(violatedDirective))
      document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.isHacked = true' }))
    })`
    expect(await page.evaluate(inline)).toBe('script-src-elem')
    expect(await page.evaluate('"isHacked" in window')).toBe(false)
  })

  test('shows what workers do', async () => {
    const page = await app.window()
    await page.getByRole('link', { name: 'Intents' }).click()
    const user = await BusUser.of(app)
    await user.publish('resize')
    await page.getByText('resize').first().waitFor()
  })

  test.runIf(ELECTRON !== undefined)('real Electron: pages run in Chromium’s sandbox', async () => {
    await app.window()
    const sandboxed = await app.evaluate(({ app: electron }) => electron.getAppMetrics().filter(({ type }) => type === 'Tab').map(({ sandboxed: is }) => is))
    expect(sandboxed).toEqual([true])
  })

  test.runIf(ELECTRON !== undefined)('real Electron: the address is of the app’s own scheme', async () => {
    expect(await (await app.window()).evaluate('location.origin')).toBe('app://intent-bus')
  })
})

test('started hidden it has a tray and no window; without a tray there is a window all the same', async () => {
  await using hidden = await DesktopApp.start({ args: ['--hidden'] })
  await expect.poll(() => hidden.tray.labels(), SOON).toContainEqual(expect.stringMatching(/^Running at http:/))
  expect(await hidden.countWindows()).toBe(0)
  await hidden.tray.choose('Open')
  await hidden.window()
  await using bare = await DesktopApp.start({ args: ['--hidden'], tray: 'none' })
  await bare.window()
  expect(await bare.tray.menu()).toEqual([])
})

test('size and place of the window are kept, maximised or not, and a place off all screens is not used', async () => {
  using folder = temporaryFolder()
  const bounds = { x: 120, y: 90, width: 900, height: 640 }
  const getBounds = (app: DesktopApp) => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.getNormalBounds())
  {
    await using app = await DesktopApp.start({ dataDir: folder.path })
    await app.window()
    await app.evaluate(({ BrowserWindow }, place) => BrowserWindow.getAllWindows()[0]!.setBounds(place), bounds)
    await app.quit()
    expect(await app.exited).toEqual({ code: 0, signal: null })
  }
  {
    await using app = await DesktopApp.start({ dataDir: folder.path })
    await app.window()
    expect(await getBounds(app)).toEqual(bounds)
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.maximize())
    await app.quit()
    await app.exited
  }
  const file = join(folder.path, 'window-state.json')
  const state = JSON.parse(readFileSync(file, 'utf8')) as object
  writeFileSync(file, JSON.stringify({ ...state, bounds: { ...bounds, x: 40_000 } }))
  await using app = await DesktopApp.start({ dataDir: folder.path })
  await app.window()
  expect((await getBounds(app)).x).toBeLessThan(10_000)
  await expect.poll(() => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.isMaximized()), SOON).toBe(true)
})
