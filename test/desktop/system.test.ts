import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../src/shared/control/settings.ts'
import { DesktopApp, SOON } from './driver.ts'

/** Settings that the desktop has to follow, and what it shows for the app. */

let app: DesktopApp

beforeAll(async () => {
  app = await DesktopApp.start({ takenShortcuts: ['Alt+F5'] })
  await app.url()
})

afterAll(() => app[Symbol.asyncDispose]())

test.runIf(process.platform === 'linux')('starting at login is a file that the setting makes and takes away', async () => {
  const file = join(app.configDir, 'autostart', 'intent-bus-desktop.desktop')
  expect(existsSync(file)).toBe(false)
  await app.call('settings.change', { startAtLogin: true })
  expect(readFileSync(file, 'utf8')).toMatch(/^Exec=.* --hidden$/m)
  await app.call('settings.change', { startAtLogin: false })
  expect(existsSync(file)).toBe(false)
})

test('log and data are shown by the system’s own programs', async () => {
  await app.call('desktop.show', { what: 'log' })
  await app.call('desktop.show', { what: 'data' })
  expect(await app.opened()).toEqual([(await app.call('settings.get', {})).logFile, app.dataDir])
})

test('a shortcut that is taken is refused with a sentence, and the one before still works', async () => {
  const before = DEFAULT_SETTINGS.panelShortcut
  const answer = await app.callRaw('settings.change', { panelShortcut: 'Alt+F5' })
  expect(answer).toEqual({ ok: false, error: expect.objectContaining({ message: expect.stringContaining('The shortcut Alt+F5 cannot be used') }) })
  expect((await app.call('settings.get', {})).values.panelShortcut).toBe(before)
  await app.pressShortcut(before)
  await expect.poll(() => app.isVisible('/panel.html'), SOON).toBe(true)
})

test('another shortcut takes the place of the one before', async () => {
  await app.call('settings.change', { panelShortcut: 'Alt+F6' })
  await expect(app.pressShortcut(DEFAULT_SETTINGS.panelShortcut)).rejects.toThrow('Nobody registered')
  await app.pressShortcut('Alt+F6')
})

test('the window follows the colours of the desktop', async () => {
  const page = await app.window()
  const isDark = () => page.evaluate('matchMedia("(prefers-color-scheme: dark)").matches')
  for (const themeSource of ['dark', 'light'] as const) {
    await app.evaluate(({ nativeTheme }, source) => void (nativeTheme.themeSource = source), themeSource)
    await expect.poll(isDark, SOON).toBe(themeSource === 'dark')
  }
})
