import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROOT } from '../support/bus-process.ts'
import { DesktopApp, SOON } from './driver.ts'

/** Pages stay in the interface, get nothing that they need not have, and see no file beside it. */

const INTENT_ID = '0123456789abcdef0123456789abcdef'

let app: DesktopApp
let page: Page
let elsewhere: Server
let elsewhereUrl: string
let visited: string[] = []

beforeAll(async () => {
  app = await DesktopApp.start()
  await app.url()
  page = await app.window()
  elsewhere = createServer(({ url }, res) => {
    visited.push(url!)
    if (url === '/redirect') res.writeHead(302, { Location: '/redirected' }).end()
    else res.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Type': 'text/html' }).end('<!doctype html><body>elsewhere')
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`
})

afterAll(async () => {
  await app[Symbol.asyncDispose]()
  elsewhere.closeAllConnections()
  elsewhere.close()
})

/** The address of the main window as the main process sees it. */
function address(): Promise<string> {
  return app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.getURL())
}

/** Lines of the log that tell of a refusal. */
function refusals(of = app): string[] {
  return readFileSync(join(of.dataDir, 'desktop.log'), 'utf8').split('\n').filter((line) => line.includes('refused'))
}

describe('a page that wants to leave', () => {
  test.each([
    ['by its address', (url: string) => `location.href = '${url}'`],
    ['by taking the place of it', (url: string) => `location.replace('${url}')`],
    ['by a link', (url: string) => `document.body.appendChild(Object.assign(document.createElement('a'), { href: '${url}' })).click()`],
    ['into a new window', (url: string) => `window.open('${url}')`],
    ['into a window of a name', (url: string) => `window.open('${url}', 'other', 'width=200')`],
    ['by a link to a new window', (url: string) => `document.body.appendChild(Object.assign(document.createElement('a'), { href: '${url}', target: '_blank' })).click()`]
  ])('%s stays, and the log says so', async (_name, leave) => {
    const [before, seen] = [await address(), refusals().length]
    await page.evaluate(`(${leave(elsewhereUrl)}, 0)`)
    await expect.poll(() => refusals().length, SOON).toBeGreaterThan(seen)
    expect(refusals().at(-1)).toContain(elsewhereUrl)
    await expect.poll(() => app.countPages(), SOON).toBe(1)
    expect(await address()).toBe(before)
    expect(await page.evaluate('intentBus.view')).toBe('window')
    expect(visited).toEqual([])
    expect(await app.opened()).toEqual([])
  })

  test.each(['intentbus://panel', 'mailto:someone@example.com', 'app://elsewhere/index.html', 'app://intent-bus/panel.html'])(
    'to %s stays as well, and no other program is started',
    async (url) => {
      const before = await address()
      const seen = refusals().length
      await page.evaluate(`(location.href = '${url}', 0)`)
      await expect.poll(() => refusals().length, SOON).toBeGreaterThan(seen)
      expect(await address()).toBe(before)
      expect(await app.opened()).toEqual([])
      expect(app.countPages()).toBe(1)
    }
  )

  test('goes to another place of the interface', async () => {
    await page.evaluate(`(location.hash = '#/intents', 0)`)
    await page.getByRole('heading', { name: 'Intents', level: 1 }).waitFor()
    await page.evaluate(`(window.open('index.html#/intents/${INTENT_ID}'), 0)`)
    await expect.poll(address, SOON).toMatch(new RegExp(`#/intents/${INTENT_ID}$`))
    await expect.poll(() => app.countPages(), SOON).toBe(1)
  })
})

test.each([
  ['a frame', `Object.assign(document.createElement('iframe'), { src: URL })`],
  ['an image', `Object.assign(document.createElement('img'), { src: URL })`],
  ['a script', `Object.assign(document.createElement('script'), { src: URL })`],
  ['an object', `Object.assign(document.createElement('object'), { data: URL })`]
])('%s from elsewhere is not loaded', async (_name, element) => {
  const violated = `new Promise((done) => {
    document.addEventListener('securitypolicyviolation', ({ blockedURI }) => done(blockedURI), { once: true })
    document.body.append(${element.replace('URL', JSON.stringify(elsewhereUrl))})
  })`
  // Of what frames would show, the page learns the origin only.
  expect(new URL(await page.evaluate<string>(violated)).origin).toBe(new URL(elsewhereUrl).origin)
  expect(visited).toEqual([])
})

test('nothing is sent elsewhere either', async () => {
  for (const send of [`fetch('${elsewhereUrl}')`, `navigator.sendBeacon('${elsewhereUrl}', 'x') || Promise.reject(new Error('not sent'))`]) {
    await page.evaluate(`(async () => ${send})().catch(() => 0)`)
  }
  await page.evaluate('new Promise((done) => setTimeout(done, 200))')
  expect(visited).toEqual([])
})

test('a page from elsewhere that got into the window anyhow frames nothing, and is not redirected', async () => {
  await using other = await DesktopApp.start()
  const captured = await other.window()
  // From outside, as no page can: by this the guards are alone, without the interface's own policy.
  await captured.goto(elsewhereUrl)
  await captured.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), { src: '/framed' }))`)
  await expect.poll(() => refusals(other).join(), SOON).toMatch(/a frame was refused/)
  await expect(captured.goto(`${elsewhereUrl}redirect`)).rejects.toThrow('ERR_ABORTED')
  await expect.poll(() => refusals(other).at(-1), SOON).toMatch(/a redirection was refused/)
  expect(visited).toContain('/redirect')
  expect(visited).not.toContain('/framed')
  expect(visited).not.toContain('/redirected')
  visited = []
})

test.each([
  ['notifications', 'Notification.requestPermission()', 'denied'],
  ['the place on earth', 'new Promise((done) => navigator.geolocation.getCurrentPosition(() => done("told"), ({ code }) => done(code)))', 1],
  ['the camera', 'navigator.mediaDevices.getUserMedia({ video: true }).then(() => "seen", ({ name }) => name)', 'NotAllowedError'],
  ['what was copied', 'navigator.clipboard.readText().catch(({ name }) => name)', 'NotAllowedError'],
  ['a look at a permission', 'navigator.permissions.query({ name: "geolocation" }).then(({ state }) => state)', 'denied']
])('a page is not given %s', async (_name, ask, answer) => {
  expect(await page.evaluate(ask)).toBe(answer)
})

test('a page may copy', async () => {
  expect(await page.evaluate('navigator.clipboard.writeText("copied").then(() => "done", ({ message }) => message)')).toBe('done')
})

describe('the app’s own scheme', () => {
  const load = (path: string, method = 'GET') =>
    page.evaluate(`new Promise((done) => {
      const request = new XMLHttpRequest()
      request.onload = () => done({ status: request.status, type: request.getResponseHeader('content-type'), text: request.responseText })
      request.onerror = () => done({ status: 0 })
      request.open(${JSON.stringify(method)}, ${JSON.stringify(path)})
      request.send()
    })`) as Promise<{ status: number; type?: string; text?: string }>

  test('serves the interface', async () => {
    expect(await load('index.html')).toEqual({
      status: 200,
      type: 'text/html; charset=utf-8',
      text: readFileSync(join(ROOT, 'out', 'renderer', 'index.html'), 'utf8')
    })
  })

  test.each([
    // Of a kind that is served, and there, if a path could lead out.
    '..%2fmain%2findex.js', '%2e%2e/main/index.js', '%2e%2e%2fmain%2findex.js', '..%5cmain%5cindex.js', 'assets/..%2f..%2fmain%2findex.js',
    'assets/%2e%2e/%2e%2e/main/index.js', '../main/index.js', '..;/main/index.js', '%2fmain%2findex.js', '//main/index.js',
    '..%2f..%2fpackage.json', '..%2fpreload%2fpreload.cjs', '/etc/passwd', '%2fetc%2fpasswd', 'C:%5cindex.html',
    '%00index.html', 'index.html%00.js', 'index.html/', 'assets', 'assets/', '.', '.hidden'
  ])('has nothing at %s', async (path) => {
    const { status, text = '' } = await load(path)
    // A path that names another host does not even reach the app.
    expect([0, 404]).toContain(status)
    expect(text).toBe('')
  })

  test('only gives', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) expect([0, 405]).toContain((await load('index.html', method)).status)
  })
})
