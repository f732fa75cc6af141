import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../src/shared/control/settings.ts'
import { BusUser } from './bus-user.ts'
import { DesktopApp, SOON, until } from './driver.ts'

/** What stands beside the window: the tray with its menu, the panel, the shortcut, notifications. */

const SHORTCUT = DEFAULT_SETTINGS.panelShortcut

let app: DesktopApp
let user: BusUser

beforeAll(async () => {
  app = await DesktopApp.start()
  user = await BusUser.of(app)
})

afterAll(() => app[Symbol.asyncDispose]())

function labelsBelow(label: string) {
  return async () => (await app.tray.menu()).find((item) => item.label === label)?.items.map((item) => item.label)
}

describe('a dead letter', () => {
  test('is told of, and a click leads to it', async () => {
    const id = await user.bury('jams', 'out of toner')
    const shown = await until('a notification', async () => {
      const notifications = await app.notifications()
      return notifications.length > 0 ? notifications : undefined
    })
    expect(shown[0]).toEqual({ title: 'Intent died: jams', body: 'out of toner' })
    await app.clickNotification(0)
    await expect.poll(() => app.place(), SOON).toBe(`#/intents/${id}`)
  })

  test('is not told of when that is not wanted', async () => {
    await using quiet = await DesktopApp.start()
    const its = await BusUser.of(quiet)
    await quiet.call('settings.change', { notifyDead: false })
    await its.bury('breaks', 'silently')
    await expect.poll(() => quiet.tray.menu().then((items) => JSON.stringify(items)), SOON).toContain('breaks: silently')
    expect(await quiet.notifications()).toEqual([])
  })
})

describe('the menu of the tray', () => {
  test('says where the bus is, and copies that', async () => {
    await expect.poll(() => app.tray.labels(), SOON).toContain(`Running at ${user.url}`)
    expect(await app.tray.toolTip()).toContain(user.url)
    await app.tray.choose('Copy URL')
    expect(await app.clipboard()).toBe(user.url)
  })

  test('counts what is open and claimed', async () => {
    await user.publish('count')
    await expect.poll(() => app.tray.labels(), SOON).toContain('1 open, 0 claimed')
    await user.fulfill(await user.claim('count'))
    await expect.poll(() => app.tray.labels(), SOON).toContain('0 open, 0 claimed')
  })

  test('pauses and resumes the bus', async () => {
    await app.tray.choose('Pause')
    await expect.poll(() => app.tray.labels(), SOON).toEqual(expect.arrayContaining([`Paused at ${user.url}`, 'Resume']))
    expect((await app.call('status.get', {})).isPaused).toBe(true)
    await app.tray.choose('Resume')
    await expect.poll(() => app.tray.labels(), SOON).toContain('Pause')
    expect((await app.call('status.get', {})).isPaused).toBe(false)
  })

  test('runs a template', async () => {
    expect(await labelsBelow('Run template')()).toEqual(['No templates yet'])
    await app.call('templates.save', { name: 'Nightly & more', goal: 'nightly', payload: '{"n":1}' })
    // A single ampersand would mark a key.
    await expect.poll(labelsBelow('Run template'), SOON).toEqual(['Nightly && more'])
    await app.tray.choose('Run template', 'Nightly && more')
    await expect.poll(async () => (await app.call('intents.list', { filter: 'goal:nightly' })).rows.length, SOON).toBe(1)
  })

  test('leads to publishing, which publishes nothing by itself', async () => {
    const before = (await app.call('intents.count', {})).count
    await app.tray.choose('Quick publish…')
    await expect.poll(() => app.place(), SOON).toBe('#/publish')
    await (await app.window()).getByRole('heading', { name: 'Publish', level: 1 }).waitFor()
    expect((await app.call('intents.count', {})).count).toBe(before)
  })

  test('leads to recent failures', async () => {
    const id = await user.bury('breaks', 'out of paper')
    await expect.poll(labelsBelow('Recent failures'), SOON).toContain('breaks: out of paper')
    await app.tray.choose('Recent failures', 'breaks: out of paper')
    await expect.poll(() => app.place(), SOON).toBe(`#/intents/${id}`)
    await (await app.window()).getByText('out of paper').first().waitFor()
  })
})

describe('the panel', () => {
  const isShown = () => app.isVisible('/panel.html')

  /** Does what opens the panel until it is open: at once after it was hidden, a click is the one that took its focus. */
  async function open(act: () => Promise<void>): Promise<void> {
    await until('the panel', async () => {
      if (!(await isShown())) await act()
      return (await isShown()) ? true : undefined
    })
  }

  test('opens at a click on the tray, shows the bus, and hides when the user turns away', async () => {
    await app.tray.click()
    const panel = await app.panel()
    await expect.poll(isShown, SOON).toBe(true)
    expect(await panel.evaluate('intentBus.view')).toBe('panel')
    await panel.getByText('Running').first().waitFor()
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().find((window) => window.isFocused())!.blur())
    await expect.poll(isShown, SOON).toBe(false)
  })

  test('lies within the screen', async () => {
    await open(() => app.tray.click())
    const { bounds, workArea } = await app.evaluate(({ BrowserWindow, screen }) => {
      const panel = BrowserWindow.getAllWindows().find(({ webContents }) => webContents.getURL().includes('/panel.html'))!
      return { bounds: panel.getBounds(), workArea: screen.getDisplayMatching(panel.getBounds()).workArea }
    })
    expect(bounds).toMatchObject({ width: 380, height: 560 })
    expect(bounds.x).toBeGreaterThanOrEqual(workArea.x)
    expect(bounds.y).toBeGreaterThanOrEqual(workArea.y)
    expect(bounds.x + bounds.width).toBeLessThanOrEqual(workArea.x + workArea.width)
    expect(bounds.y + bounds.height).toBeLessThanOrEqual(workArea.y + workArea.height)
  })

  test('hides at Esc, and the shortcut toggles it', async () => {
    await (await app.panel()).keyboard.press('Escape')
    await expect.poll(isShown, SOON).toBe(false)
    await open(() => app.pressShortcut(SHORTCUT))
    await app.pressShortcut(SHORTCUT)
    await expect.poll(isShown, SOON).toBe(false)
  })

  test('opens the window, not another one', async () => {
    await open(() => app.tray.click())
    const before = await app.countWindows()
    const panel = await app.panel()
    await panel.getByRole('link', { name: 'Open Intent Bus' }).click()
    await expect.poll(() => app.place(), SOON).toBe('#/overview')
    expect(await app.countWindows()).toBe(before)
  })
})
