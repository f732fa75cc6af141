import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { placePanel } from '../../../src/main/desktop/panel-place.ts'
import { clampBounds, WindowStateFile } from '../../../src/main/desktop/window-state.ts'
import { temporaryFolder } from '../../support/folders.ts'

const LAPTOP = { x: 0, y: 25, width: 1440, height: 875 }
const MONITOR = { x: 1440, y: 0, width: 2560, height: 1440 }

test('a window goes back to where it was left', () => {
  const bounds = { x: 1600, y: 100, width: 1200, height: 800 }
  expect(clampBounds(bounds, [LAPTOP, MONITOR])).toEqual(bounds)
})

test.each([
  ['on a monitor that is gone', { x: 1600, y: 100, width: 1200, height: 800 }],
  ['below the screen', { x: 100, y: 880, width: 800, height: 600 }],
  ['above the screen', { x: 100, y: -300, width: 800, height: 600 }],
  ['with a sliver on the screen', { x: 1400, y: 100, width: 800, height: 600 }]
])('a window that was left %s has lost its place', (_where, bounds) => {
  expect(clampBounds(bounds, [LAPTOP])).toBeUndefined()
})

test('a window is no larger than its screen', () => {
  expect(clampBounds({ x: 10, y: 30, width: 2500, height: 1400 }, [LAPTOP])).toEqual({ x: 10, y: 30, width: 1440, height: 875 })
})

test('the state of the window is kept, for the user only', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'window-state.json')
  const bounds = { x: 1, y: 2, width: 800, height: 600 }
  new WindowStateFile(path).change({ bounds, isMaximized: true })
  expect(new WindowStateFile(path).state).toEqual({ bounds, isMaximized: true, hasSaidTray: false })
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
})

test.each(['', 'not json', '{"bounds":{"x":"1"}}', '{"bounds":null,"isMaximized":false,"hasSaidTray":false,"more":1}'])(
  'a state file that says %j counts as none',
  (text) => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'window-state.json')
    writeFileSync(path, text)
    expect(new WindowStateFile(path).state).toEqual({ bounds: null, isMaximized: false, hasSaidTray: false })
    expect(readFileSync(path, 'utf8')).toBe(text)
  }
)

const PANEL = { width: 380, height: 560 }

test.each([
  ['below a tray at the top', { x: 1000, y: 0, width: 24, height: 24 }, { x: 822, y: 32 }],
  ['above a tray at the bottom', { x: 1000, y: 900, width: 24, height: 24 }, { x: 822, y: 332 }],
  ['within the screen at its corner', { x: 1420, y: 0, width: 20, height: 24 }, { x: 1060, y: 32 }],
  ['in a corner when the tray is nowhere', { x: 0, y: 0, width: 0, height: 0 }, { x: 1052, y: 33 }]
])('the panel opens %s', (_where, tray, place) => {
  expect(placePanel(PANEL, tray, LAPTOP)).toEqual({ ...place, ...PANEL })
})

test('on a small screen the beginning of the panel is seen', () => {
  const small = { x: 0, y: 0, width: 300, height: 400 }
  expect(placePanel(PANEL, { x: 280, y: 380, width: 20, height: 20 }, small)).toEqual({ x: 0, y: 0, ...PANEL })
})
