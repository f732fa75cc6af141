import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/http-client.ts'
import { BusUser } from './bus-user.ts'
import { DesktopApp, SOON, until } from './driver.ts'

/** A page that ends by itself takes nothing along. */

let app: DesktopApp
let user: BusUser

beforeAll(async () => {
  app = await DesktopApp.start()
  await app.window()
  user = await BusUser.of(app)
  // Playwright never speaks with a page again that has crashed; its main process does.
  await app.evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows().filter(({ webContents }) => webContents.getURL().includes('/index.html'))
    const loads = { count: 0 }
    window!.webContents.on('did-finish-load', () => loads.count++)
    Object.assign(globalThis, { loads })
  })
})

afterAll(() => app[Symbol.asyncDispose]())

function countLoads(): Promise<number> {
  return app.evaluate(() => (globalThis as never as { readonly loads: { readonly count: number } }).loads.count)
}

async function crash(): Promise<void> {
  await app.evaluate(({ BrowserWindow }) => {
    for (const { webContents } of BrowserWindow.getAllWindows()) {
      if (webContents.getURL().includes('/index.html')) webContents.forcefullyCrashRenderer()
    }
  })
}

test('it comes back, and the bus goes on meanwhile', async () => {
  const id = await user.publish('kept')
  await crash()
  expect((await ask(user.url, { path: '/health' })).status).toBe(200)
  await expect.poll(countLoads, SOON).toBe(1)
  expect(await user.claim('kept')).toMatchObject({ id })
})

test('one that ends again and again is not loaded for ever: the user is asked, and the bus is still there', async () => {
  for (const loads of [2, 3]) {
    await crash()
    await expect.poll(countLoads, SOON).toBe(loads)
  }
  await crash()
  const question = await app.question()
  expect(question.message).toContain('again and again')
  expect(question.buttons).toEqual(['Try again', 'Close the window', 'Open in the browser'])
  expect((await ask(user.url, { path: '/health' })).status).toBe(200)
  await app.answer('Try again')
  await expect.poll(countLoads, SOON).toBe(4)

  await crash()
  await app.question()
  await app.answer('Open in the browser')
  await expect.poll(() => app.opened(), SOON).toEqual([`${user.url}/admin/`])
  await until('the window to be gone', async () => ((await app.place()) === undefined ? true : undefined))
  expect((await ask(user.url, { path: '/health' })).status).toBe(200)
})
