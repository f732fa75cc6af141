import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cleanEnvironment } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { SOON, until } from './driver.ts'
import { app } from './electron/app.ts'
import { BrowserWindow } from './electron/browser-window.ts'
import { dialog } from './electron/dialog.ts'
import { globalShortcut } from './electron/global-shortcut.ts'
import { Menu } from './electron/menu.ts'
import { Notification } from './electron/notification.ts'
import { protocol } from './electron/protocol.ts'
import { safeStorage } from './electron/safe-storage.ts'
import { screen } from './electron/screen.ts'
import { session } from './electron/session.ts'
import { Tray } from './electron/tray.ts'
import { StandInDoor } from './stand-in-door.ts'

/**
 * The stand-in for Electron, with an app made for it: it must throw where Electron throws, copy as Electron copies, and
 * refuse what it has not, or the desktop specs would prove nothing.
 */

const FIXTURE = join(import.meta.dirname, 'fixture')
const RECORDER = join(import.meta.dirname, 'recorder.cjs')

describe('before the app is ready', () => {
  test.each<[string, () => unknown, string]>([
    ['BrowserWindow', () => new BrowserWindow(), 'Cannot create BrowserWindow before app is ready'],
    ['Tray', () => new Tray('icon.png'), 'Cannot create Tray before app is ready'],
    ['Notification', () => new Notification(), 'Cannot create Notification before app is ready'],
    ['session.defaultSession', () => session.defaultSession, 'Session can only be received when app is ready'],
    ['protocol.handle', () => protocol.handle('x', () => new Response() as never), 'after the app is ready'],
    ['screen', () => screen.getAllDisplays(), "can't be used before the app 'ready' event"],
    ['globalShortcut', () => globalShortcut.register('F5', () => {}), 'cannot be used before the app is ready'],
    ['dialog.showMessageBox', () => dialog.showMessageBox(), 'dialog module can only be used after app is ready'],
    ['safeStorage', () => safeStorage.encryptString('x'), 'safeStorage cannot be used before app is ready']
  ])('%s is refused', (_name, use, refusal) => {
    expect(use).toThrow(refusal)
  })

  test('the keyring is not there, and says so', () => {
    expect(safeStorage.isEncryptionAvailable()).toBe(false)
    expect(safeStorage.getSelectedStorageBackend()).toBe('unknown')
  })
})

test.each<[string, () => unknown, string]>([
  ['a member of a module', () => (app as never as Record<string, unknown>).showEmojiPanel, 'does not implement App.showEmojiPanel'],
  ['setting a member', () => ((app as never as Record<string, unknown>).badgeCount = 1), 'does not implement App.badgeCount'],
  ['a member of a class', () => (Menu.buildFromTemplate([]) as never as Record<string, unknown>).closePopup, 'Menu.closePopup'],
  ['an event', () => app.on('certificate-error', () => {}), "does not implement the event 'certificate-error' of App"],
  ['a role', () => Menu.buildFromTemplate([{ role: 'services' }]), 'does not implement the role services'],
  ['a menu without words', () => Menu.buildFromTemplate([{}]), 'must have at least one of label, role or type'],
  ['keys that are none', () => Menu.buildFromTemplate([{ label: 'x', accelerator: 'Ctrl+Nothing' }]), 'Invalid accelerator'],
  ['a relative path', () => app.setPath('userData', 'somewhere'), 'Path must be absolute'],
  ['a path of no name', () => app.getPath('nowhere'), "Failed to get 'nowhere' path"]
])('%s that Electron or the stand-in has not is refused', (_name, use, refusal) => {
  expect(use).toThrow(refusal)
})

describe('a running app', () => {
  const folder = temporaryFolder()
  let door: StandInDoor
  let page: Page

  beforeAll(async () => {
    const env = { ...cleanEnvironment(), FIXTURE_DATA: folder.path }
    door = await StandInDoor.open({ app: FIXTURE, args: ['--flag'], env }, RECORDER)
    page = await pageWith('/index.html')
  })

  afterAll(async () => {
    door.process.kill('SIGTERM')
    expect(await door.exited).toEqual({ code: 0, signal: null })
    await door.release()
    folder[Symbol.dispose]()
  })

  function pageWith(pathname: string): Promise<Page> {
    return until(pathname, () => door.pages().find((candidate) => URL.parse(candidate.url())?.pathname === pathname))
  }

  /** Runs text in the page and gives its value, or what it threw. */
  function inPage(expression: string): Promise<unknown> {
    return page.evaluate(`(async () => (${expression}))().catch((error) => 'threw ' + error.message)`)
  }

  /** Runs text in the main process, with the members of Electron, and gives what it threw. */
  function inMain(statement: string): Promise<string> {
    return door.evaluate((electron, text) => {
      try {
        return `gave ${String(new Function(...Object.keys(electron), `return ${text}`)(...Object.values(electron)))}`
      } catch (error) {
        return String(error)
      }
    }, statement)
  }

  test('the process looks like Electron’s', async () => {
    const seen = await door.evaluate(({ app: fixture }) => {
      const { type, argv, send, versions } = process as NodeJS.Process & { type?: string }
      return { type, argv: argv.slice(1), send: typeof send, version: fixture.getVersion(), electron: versions.electron }
    }, undefined)
    expect(seen).toEqual({
      type: 'browser',
      argv: [FIXTURE, '--flag'],
      send: 'undefined',
      version: '1.2.3',
      electron: expect.stringMatching(/^\d+\.\d+\.\d+$/)
    })
  })

  test('pages of the app’s scheme are secure contexts without Node, and the preload is apart from them', async () => {
    expect(await inPage('[isSecureContext, typeof require, typeof process, document.documentElement.dataset.ran]')).toEqual([
      true,
      'undefined',
      'undefined',
      'yes'
    ])
    expect(await inPage('[fixture.isIsolated, fixture.platform, fixture.processType]')).toEqual([true, process.platform, 'renderer'])
    expect(await door.evaluate(({ webContents }) => webContents.getAllWebContents()[0]!.getURL(), undefined)).toBe(
      'app://fixture/index.html'
    )
  })

  test.each([
    ['require("fs")', 'fixture.require("fs")', 'threw module not found: fs'],
    ['a member that a sandboxed preload has, but the stand-in has not', 'fixture.member("webFrame")', 'does not implement electron.webFrame'],
    ['a name that is taken', 'fixture.expose("fixture")', 'Cannot bind an API on top of an existing property'],
    ['changing what was exposed', '(() => { "use strict"; fixture.platform = 1 })()', 'read only'],
    ['a symbol', 'fixture.symbol()', 'could not be cloned'],
    ['a function to the main process', 'fixture.sendFunction()', 'An object could not be cloned.']
  ])('refuses preloads and pages %s', async (_name, expression, refusal) => {
    expect(await inPage(expression)).toContain(refusal)
  })

  test('what crosses the worlds is copied: errors keep their message, instances only what is their own', async () => {
    expect(await inPage('fixture.fail()')).toBe('threw of the preload')
    expect(await inPage('fixture.reject().catch((error) => [error.message, error.constructor === Error])')).toEqual(['of a promise', true])
    expect(await inPage('Object.keys(fixture.instance())')).toEqual(['own'])
    expect(await inPage('typeof fixture.instance().inherited')).toBe('undefined')
    expect(await inPage('fixture.map instanceof Map && fixture.map.get("a").getTime() === 0')).toBe(true)
    expect(await inPage('Object.is(fixture.echo(-0), -0) && Number.isNaN(fixture.echo(NaN)) && fixture.echo(undefined) === undefined')).toBe(true)
    expect(await inPage('fixture.echo(() => 7)()')).toBe(7)
    expect(await inPage('Object.isFrozen(fixture)')).toBe(true)
    expect(await inPage('JSON.stringify(fixture.echo(JSON.parse(\'{"__proto__": 1}\')))')).toBe('{"__proto__":1}')
  })

  test('calls carry clones and name their frame; refusals have Electron’s words', async () => {
    expect(await inPage('fixture.invoke("who", 1, { a: [null] }, new Date(5)).then((answer) => [answer.url, answer.isTop, String(+answer.args[2])])')).toEqual([
      'app://fixture/index.html',
      true,
      '5'
    ])
    expect(await inPage('fixture.invoke("nobody")')).toBe(
      "threw Error invoking remote method 'nobody': Error: No handler registered for 'nobody'"
    )
    expect(await inPage('fixture.invoke("fail")')).toBe("threw Error invoking remote method 'fail': TypeError: on purpose")
    expect(await inPage('fixture.invoke("uncloneable")')).toContain('An object could not be cloned.')
    expect(await inPage('fixture.invoke("who", document)')).toContain('could not be cloned')
  })

  test('messages reach the preload in their order until it hears no more', async () => {
    await inPage('(globalThis.heard = [], globalThis.stop = fixture.on("news", (value) => heard.push(value)), 0)')
    const say = (value: number) => door.evaluate(({ webContents }, news) => webContents.getAllWebContents()[0]!.send('news', news), value)
    for (const value of [1, 2, 3]) await say(value)
    // What is asked of the page goes another way than messages, and may overtake them.
    await expect.poll(() => inPage('heard.length')).toBe(3)
    await inPage('stop()')
    await say(4)
    expect(await inPage('heard')).toEqual([1, 2, 3])
    expect(await inMain('webContents.getAllWebContents()[0].send("news", () => {})')).toBe('Error: An object could not be cloned.')
  })

  test.each([
    ['a second handler of a scheme', 'protocol.handle("app", () => {})', 'Failed to register protocol: app'],
    ['privileges after ready', 'protocol.registerSchemesAsPrivileged([])', 'should be called before app is ready'],
    ['a second handler of a channel', 'ipcMain.handle("who", () => {})', "Attempted to register a second handler for 'who'"],
    ['the sandbox after ready', 'app.enableSandbox()', 'can only be called before app is ready'],
    ['a tray without an image', 'new Tray("/nowhere.png")', "Failed to load image from path '/nowhere.png'"],
    ['a destroyed tray', '((tray) => (tray.destroy(), tray.setToolTip("x")))(new Tray(resource))', 'Object has been destroyed'],
    ['a destroyed window', '((window) => (window.destroy(), window.show()))(new BrowserWindow({ show: false }))', 'Object has been destroyed'],
    ['its page', '((window, page) => (window.destroy(), page.send("x")))(...[new BrowserWindow({ show: false })].flatMap((w) => [w, w.webContents]))', 'Object has been destroyed'],
    ['a page without a sandbox', 'new BrowserWindow({ webPreferences: { sandbox: false } })', 'webPreferences.sandbox: false'],
    ['options of no meaning', 'new BrowserWindow({ widht: 5 })', 'does not implement the option widht'],
    ['a shortcut of no keys', 'globalShortcut.register("Hyper+Q+R", () => {})', 'conversion failure'],
    ['what was not sealed', 'safeStorage.decryptString(Buffer.from("plain"))', 'does not appear to be encrypted'],
    ['signals that Chromium takes over', 'process.listenerCount("SIGTERM")', 'gave 1']
  ])('answers %s as Electron does', async (_name, statement, answer) => {
    const resource = JSON.stringify(join(import.meta.dirname, '..', '..', 'resources', 'tray', 'normal-light.png'))
    expect(await inMain(statement.replace('resource', resource))).toContain(answer)
  })

  test('a page of an unknown scheme, or one that another takes the place of, rejects', async () => {
    const results = await door.evaluate(async ({ BrowserWindow: Window }) => {
      const window = new Window({ show: false })
      const first = window.loadURL('app://fixture/index.html').catch((error: Error) => error.message)
      const second = window.loadURL('gopher://x/').catch((error: Error) => error.message)
      const answers = [await first, await second]
      window.destroy()
      return answers
    }, undefined)
    expect(results).toEqual(["ERR_ABORTED (-3) loading 'app://fixture/index.html'", "ERR_UNKNOWN_URL_SCHEME (-302) loading 'gopher://x/'"])
  })

  test('pages may not fetch a scheme without that privilege, nor reach other machines', async () => {
    expect(await inPage('fetch("page.js")')).toContain('threw')
    expect(await inPage('new Promise((done) => { const x = new XMLHttpRequest(); x.onload = () => done(x.status); x.open("GET", "page.js"); x.send() })')).toBe(200)
    expect(await inPage('fetch("https://example.com/", { mode: "no-cors" })')).toContain('threw')
  })

  test('a page asks the app where it goes, and into which windows; the main process does not ask', async () => {
    await door.evaluate(({ webContents }) => {
      const contents = webContents.getAllWebContents()[0]!
      const asked: string[] = []
      Object.assign(globalThis, { asked })
      contents.on('will-navigate', (event) => {
        asked.push(`navigate ${event.url}`)
        event.preventDefault()
      })
      contents.on('will-frame-navigate', (event) => {
        if (!event.isMainFrame) asked.push(`frame ${event.url}`)
      })
      contents.setWindowOpenHandler(({ url }) => {
        asked.push(`window ${url}`)
        return { action: 'deny' }
      })
    }, undefined)
    const asked = () => door.evaluate(() => (globalThis as never as { asked: string[] }).asked, undefined)
    const wishes: [string, string][] = [
      ['location.href = "/other.html"', 'navigate app://fixture/other.html'],
      ['location.href = "app://fixture/third.html"', 'navigate app://fixture/third.html'],
      ['location.href = "https://example.com/"', 'navigate https://example.com/'],
      ['location.href = "intentbus://panel"', 'navigate intentbus://panel'],
      ['location.reload()', 'navigate app://fixture/index.html'],
      ['void window.open("https://example.com/open")', 'window https://example.com/open'],
      ['void document.body.appendChild(Object.assign(document.createElement("a"), { href: "/link", target: "_blank" })).click()', 'window app://fixture/link'],
      ['void document.body.appendChild(Object.assign(document.createElement("iframe"), { src: "/framed.html" }))', 'frame app://fixture/framed.html']
    ]
    for (const [index, [wish, expected]] of wishes.entries()) {
      await inPage(`(${wish}, 0)`)
      await expect.poll(asked, SOON).toHaveLength(index + 1)
      expect((await asked()).at(-1)).toBe(expected)
    }
    await inPage('(location.hash = "#place", 0)')
    await expect.poll(() => door.pages().length, SOON).toBe(1)
    expect(await asked()).toHaveLength(wishes.length)
    expect(await door.evaluate(({ webContents }) => webContents.getAllWebContents()[0]!.getURL(), undefined)).toBe('app://fixture/index.html#place')
    await door.evaluate(({ webContents }) => webContents.getAllWebContents()[0]!.loadURL('app://fixture/index.html?again'), undefined)
    expect(await asked()).toHaveLength(wishes.length)
  })

  test('without handlers pages get what they ask for; handlers decide', async () => {
    const query = 'navigator.permissions.query({ name: "geolocation" }).then(({ state }) => state)'
    expect(await inPage(query)).toBe('granted')
    expect(await inPage('Notification.requestPermission()')).toBe('granted')
    await door.evaluate(({ session: { defaultSession } }) => {
      defaultSession.setPermissionCheckHandler((_contents, permission) => permission === 'notifications')
      defaultSession.setPermissionRequestHandler((_contents, permission, grant, details) =>
        grant(permission === 'clipboard-sanitized-write' && details.requestingUrl.startsWith('app://fixture/') && details.isMainFrame)
      )
    }, undefined)
    expect(await inPage(query)).toBe('denied')
    expect(await inPage('Notification.requestPermission()')).toBe('denied')
    expect(await inPage('navigator.clipboard.readText()')).toContain('Read permission denied')
    await inPage('navigator.clipboard.writeText("copied")')
    expect(await door.evaluate(({ clipboard }) => clipboard.readText(), undefined)).toBe('copied')
  })

  test('frames get no preload unless the window says so', async () => {
    const frames = await door.evaluate(async () => {
      const open = (globalThis as never as { open: (preload: string, more: object) => Electron.BrowserWindow }).open
      const counts: unknown[] = []
      for (const nodeIntegrationInSubFrames of [false, true]) {
        const window = open('hostile-preload.cjs', { nodeIntegrationInSubFrames })
        await window.loadURL(`app://fixture/index.html?frames=${nodeIntegrationInSubFrames}`)
        counts.push(window.webContents.mainFrame.frames.length)
      }
      return counts
    }, undefined)
    expect(frames).toEqual([0, 0])
    const kinds = []
    for (const isWanted of [false, true]) {
      const framing = await until('the page', () => door.pages().find((candidate) => candidate.url().endsWith(`frames=${isWanted}`)))
      await framing.evaluate('document.body.appendChild(Object.assign(document.createElement("iframe"), { src: "/index.html?framed" }))')
      const frame = await until('the frame', () => framing.frames().find((candidate) => candidate.url().endsWith('?framed')))
      await frame.waitForLoadState()
      kinds.push(await frame.evaluate('typeof hostile'))
      if (isWanted) expect(await frame.evaluate('hostile.invoke("who")')).toMatchObject({ isTop: false, url: 'app://fixture/index.html?framed' })
    }
    expect(kinds).toEqual(['undefined', 'object'])
  })

  test('windows lose and get the focus, and may refuse to be closed', async () => {
    const said = await door.evaluate(async ({ BrowserWindow: Window }) => {
      const events: string[] = []
      const [first, second] = [new Window({ show: false }), new Window({ show: false })]
      for (const [name, window] of [['first', first], ['second', second]] as const) {
        for (const event of ['show', 'focus', 'blur', 'hide', 'closed'] as const) window.on(event as 'show', () => events.push(`${name} ${event}`))
      }
      first.show()
      second.show()
      second.hide()
      first.once('close', (event) => event.preventDefault())
      first.close()
      events.push(String(first.isDestroyed()))
      first.close()
      second.close()
      await new Promise((resolve) => setImmediate(resolve))
      return events
    }, undefined)
    expect(said).toEqual([
      'first show', 'first focus', 'second show', 'first blur', 'second focus', 'second blur', 'second hide', 'false', 'first closed', 'second closed'
    ])
  })
})
