import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DesktopApp, SOON, until } from './driver.ts'

/** The door of the main process, against pages that would rather be the interface. */

const HOSTILE_PRELOAD = join(import.meta.dirname, 'fixture', 'hostile-preload.cjs')
const CHANNELS = ['control:call', 'control:listen', 'control:unlisten'] as const
const REFUSED = { ok: false, error: { code: 'forbidden', message: expect.any(String) } }

let app: DesktopApp
let foreign: Server
let foreignUrl: string

beforeAll(async () => {
  app = await DesktopApp.start()
  await app.url()
  foreign = createServer((_req, res) => res.setHeader('Content-Type', 'text/html').end('<!doctype html><p>foreign</p>'))
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve))
  foreignUrl = `http://127.0.0.1:${(foreign.address() as AddressInfo).port}`
})

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  foreign.closeAllConnections()
  foreign.close()
})

/** Opens a window that is none of the app's, whose preload hands everything to its page. */
async function openHostile(url: string, path: string): Promise<Page> {
  await app.evaluate(
    async ({ BrowserWindow }, [preload, address]) => {
      const window = new BrowserWindow({ show: false, webPreferences: { preload, nodeIntegrationInSubFrames: true, sandbox: true } })
      await window.loadURL(address)
    },
    [HOSTILE_PRELOAD, url] as const
  )
  return app.page(path)
}

/** Refusals that the log tells of. */
function countRefusals(): number {
  return readFileSync(join(app.dataDir, 'desktop.log'), 'utf8').split('a message of a page was refused').length - 1
}

function invoke(frame: Pick<Page, 'evaluate'>, channel: string, ...args: readonly unknown[]): Promise<unknown> {
  return frame.evaluate(`hostile.invoke(${[channel, ...args].map((arg) => JSON.stringify(arg)).join(', ')})`)
}

describe.each([
  ['of another origin', () => openHostile(`${foreignUrl}/hostile`, '/hostile')],
  ['of the interface itself, in a window that is none of the app’s', () => openHostile('app://intent-bus/panel.html', '/panel.html')]
])('a page %s', (_name, open) => {
  test('is refused on every channel, and nothing happens', async () => {
    const page = await open()
    const before = countRefusals()
    const { isPaused } = await app.call('status.get', {})
    for (const channel of CHANNELS) {
      expect(await invoke(page, channel, 'bus.pause', { paused: !isPaused }), channel).toEqual(REFUSED)
    }
    expect((await app.call('status.get', {})).isPaused).toBe(isPaused)
    await expect.poll(countRefusals, SOON).toBe(before + CHANNELS.length)
    await page.close()
  })
})

test('a frame in such a page is refused as well', async () => {
  const page = await openHostile(`${foreignUrl}/framing`, '/framing')
  await page.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), { srcdoc: '<p>framed' }))`)
  const frame = await until('the frame', () => page.frames().find((candidate) => candidate !== page.mainFrame()))
  await frame.waitForLoadState()
  expect(await invoke(frame, 'control:call', 'status.get', {})).toEqual(REFUSED)
  await page.close()
})

test('frames of the interface itself have no bridge', async () => {
  const page = await app.window()
  await page.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), { id: 'frame' }))`)
  const frame = await until('the frame', () => page.frames().find((candidate) => candidate !== page.mainFrame()))
  expect(await frame.evaluate('typeof intentBus')).toBe('undefined')
  await page.evaluate(`document.getElementById('frame').remove()`)
})

test('the interface led to another origin loses its say', async () => {
  await using other = await DesktopApp.start()
  const page = await other.window()
  await page.goto(foreignUrl)
  // The preload runs in every page of the window; what it offers is refused.
  expect(await page.evaluate('intentBus.call("status.get", {})')).toEqual(REFUSED)
})

test.each<[string, readonly unknown[]]>([
  ['no method', []],
  ['no input', ['status.get']],
  ['a method that is no name', [{ toString: 'status.get' }, {}]],
  ['a method of great length', ['x'.repeat(65), {}]],
  ['a list as input', ['status.get', []]],
  ['text as input', ['status.get', '{}']],
  ['null as input', ['status.get', null]],
  ['an input of more than a mebibyte', ['intents.list', { filter: 'x'.repeat(1_048_577) }]],
  ['a method that there is not', ['status.getAll', {}]],
  ['a method of every object', ['constructor', {}]],
  ['a method of the prototype', ['__proto__', {}]],
  ['a member that there is not', ['status.get', { extra: 1 }]],
  ['a member of another kind', ['bus.pause', { paused: 'yes' }]]
])('a call with %s is refused with a reason', async (_name, args) => {
  expect(await app.callRaw(...args)).toEqual({ ok: false, error: expect.objectContaining({ code: expect.any(String), message: expect.stringMatching(/./) }) })
})

test('what cannot be cloned does not leave the page', async () => {
  const page = await app.window()
  expect(await page.evaluate('intentBus.call("status.get", { get: () => {} }).catch((error) => error.message)')).toContain('could not be cloned')
  expect(await page.evaluate('intentBus.call("status.get", {}).then(({ ok }) => ok)')).toBe(true)
})

test('events reach whoever listens, until they stop, and a page that is loaded again listens again', async () => {
  const page = await app.window()
  const listen = '(window.frames_ = [], window.states_ = [], window.stop_ = intentBus.listen((frame) => frames_.push(frame), (isLive) => states_.push(isLive)), 0)'
  const heard = () => page.evaluate('frames_.flatMap(({ changes }) => changes.map(({ goal }) => goal))')
  await page.reload()
  await page.evaluate(listen)
  await app.call('intents.publish', { goal: 'first', payload: '{}' })
  await expect.poll(heard, SOON).toContain('first')
  // The page's own screens listen, too, and whoever begins is told again that events come in.
  expect(await page.evaluate('[...new Set(states_)]')).toEqual([true])
  await page.evaluate('stop_()')
  await app.call('intents.publish', { goal: 'second', payload: '{}' })
  expect(await page.evaluate('intentBus.call("intents.count", {}).then(({ value }) => value.count)')).toBe(2)
  expect(await heard()).not.toContain('second')
})
