import { afterAll, beforeAll, expect, test } from 'vitest'
import { DesktopApp, SOON } from './driver.ts'

/** The app started a second time, by its user or by a link: links only lead somewhere. */

const ENDED = { code: 0, signal: null }
const ID = '0123456789abcdef0123456789abcdef'

let app: DesktopApp

beforeAll(async () => {
  app = await DesktopApp.start()
  await app.url()
})

afterAll(() => app[Symbol.asyncDispose]())

test('a second app ends at once, and the window of the first is there again', async () => {
  await app.closeWindow()
  await expect.poll(() => app.countWindows(), SOON).toBe(0)
  expect(await app.startSecond()).toEqual(ENDED)
  await app.window()
  await expect.poll(() => app.isVisible('/index.html'), SOON).toBe(true)
})

test('a window that was minimised comes to the front', async () => {
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.minimize())
  expect(await app.isVisible('/index.html')).toBe(false)
  await app.startSecond()
  await expect.poll(() => app.isVisible('/index.html'), SOON).toBe(true)
})

test.each([
  [`intentbus://intent/${ID}`, `#/intents/${ID}`],
  ['intentbus://intents?filter=status%3Adead', '#/intents?filter=status%3Adead'],
  ['intentbus://intents', '#/intents']
])('%s leads to its place in the window that is there', async (link, place) => {
  expect(await app.startSecond([link])).toEqual(ENDED)
  await expect.poll(() => app.place(), SOON).toBe(place)
  expect(await app.countWindows()).toBe(1)
})

test('a link to publish only prefills', async () => {
  await app.startSecond(['intentbus://publish?goal=wipe&payload=%7B%22all%22%3Atrue%7D&run=1'])
  await expect.poll(() => app.place(), SOON).toBe('#/publish?goal=wipe&payload=%7B%22all%22%3Atrue%7D')
  await expect.poll(async () => (await app.window()).getByLabel('Goal').first().inputValue(), SOON).toBe('wipe')
  expect((await app.call('intents.count', {})).count).toBe(0)
})

test.each(['intentbus://settings', 'intentbus://intent/../../etc', 'intentbus:keys'])('%s leads nowhere', async (link) => {
  const place = await app.place()
  expect(await app.startSecond([link])).toEqual(ENDED)
  expect(await app.place()).toBe(place)
  expect(await app.opened()).toEqual([])
})

test('a link opens the panel', async () => {
  await app.startSecond(['intentbus://panel'])
  await app.panel()
  await expect.poll(() => app.isVisible('/panel.html'), SOON).toBe(true)
})

test('a link starts the app where it leads, also hidden', async () => {
  await using fresh = await DesktopApp.start({ args: [`intentbus://intent/${ID}`, '--hidden'] })
  await fresh.window()
  expect(await fresh.place()).toBe(`#/intents/${ID}`)
})
