import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { BusUser } from './bus-user.ts'
import { DesktopApp } from './driver.ts'

/** How the app goes to the tray, and how it is quit. */

const ENDED = { code: 0, signal: null }

describe('closing the window', () => {
  test('frees it and leaves the bus running, which is said once; the tray brings it back', async () => {
    await using app = await DesktopApp.start()
    const url = await app.url()
    for (const isFirst of [true, false]) {
      const page = await app.window()
      const isGone = page.waitForEvent('close')
      await app.closeWindow()
      await isGone
      expect(await app.countWindows()).toBe(0)
      expect((await ask(url, { path: '/health' })).status).toBe(200)
      expect(await app.notifications()).toEqual([expect.objectContaining({ title: 'The bus goes on' })])
      await app.tray.choose('Open')
      if (isFirst) await app.window()
    }
    await app.window()
    expect(await app.url()).toBe(url)
    expect(await app.countQuestions()).toBe(0)
  })

  test.each([
    ['without a tray', { tray: 'none' }],
    ['where the tray does not take the icon', { tray: 'throws' }]
  ] as const)('%s quits', async (_name, options) => {
    await using app = await DesktopApp.start(options)
    await app.url()
    expect((await app.call('settings.get', {})).unavailable.closeToTray).toContain('closing the window quits')
    await app.closeWindow()
    expect(await app.exited).toEqual(ENDED)
  })

  test('quits when that is set, but not under a worker without a question', async () => {
    await using app = await DesktopApp.start()
    const user = await BusUser.of(app)
    await app.call('settings.change', { closeToTray: false })
    await user.publish('resize')
    const lease = await user.claim('resize')
    await app.closeWindow()
    expect((await app.question()).detail).toContain('resize (pi4)')
    expect(await app.countWindows()).toBe(1)
    await app.answer('Keep running')
    expect(await user.fulfill(lease)).toBe(200)
    await app.closeWindow()
    expect(await app.exited).toEqual(ENDED)
  })
})

describe('quitting', () => {
  test('asks when workers hold leases, names them, and takes no for an answer', async () => {
    using folder = temporaryFolder()
    await using app = await DesktopApp.start({ dataDir: folder.path })
    const user = await BusUser.of(app)
    for (const goal of ['resize', 'upload']) {
      await user.publish(goal)
      await user.claim(goal)
    }
    await app.quit()
    const { message, detail, buttons } = await app.question()
    expect(message).toBe('2 intents are being worked on.')
    expect(detail).toContain('resize (pi4)')
    expect(detail).toContain('upload (pi4)')
    expect(buttons).toEqual(['Quit', 'Keep running'])
    // Asking again while the question is open asks nothing more.
    await app.tray.choose('Quit')
    await app.answer('Keep running')
    expect((await ask(user.url, { path: '/health' })).status).toBe(200)
    expect(await app.countQuestions()).toBe(0)
    await app.tray.choose('Quit')
    await app.question()
    await app.answer('Quit')
    expect(await app.exited).toEqual(ENDED)
    expect(existsSync(join(folder.path, 'infrastructure.db-wal'))).toBe(false)
  })

  test('asks nothing when nobody works, and intents are there after the next start', async () => {
    using folder = temporaryFolder()
    let id: string
    {
      await using app = await DesktopApp.start({ dataDir: folder.path })
      id = await (await BusUser.of(app)).publish('later')
      await app.quit()
      expect(await app.exited).toEqual(ENDED)
    }
    await using app = await DesktopApp.start({ dataDir: folder.path })
    expect(await app.call('intents.detail', { id })).toMatchObject({ goal: 'later', status: 'open' })
  })
})
