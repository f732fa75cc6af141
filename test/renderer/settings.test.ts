import { describe, expect, it } from 'vitest'
import { SETTING_RANGES } from '../../src/shared/control/setting-ranges.ts'
import { DEFAULT_SETTINGS, settingsSchema } from '../../src/shared/control/settings.ts'
import type { ListenerView } from '../../src/shared/control/status-views.ts'
import { acceleratorOf, acceleratorWords, type KeyPress } from '../../src/renderer/screens/settings/accelerator.ts'
import { cleanupText, endedText, heldBecause, movedHref, rangeProblem, rightsText, sessionName } from '../../src/renderer/screens/settings/settings.ts'

describe('ranges', () => {
  it.each(Object.keys(SETTING_RANGES) as (keyof typeof SETTING_RANGES)[])('of %s are those that the bus takes', (name) => {
    const { min, max } = SETTING_RANGES[name]
    const takes = (value: number): boolean => settingsSchema.shape[name].safeParse(value).success
    for (const value of [min - 1, min, min + 0.5, max, max + 1]) expect([value, rangeProblem(name, value) === null]).toEqual([value, takes(value)])
    expect(rangeProblem(name, null)).toBe(`A whole number from ${min} to ${max}.`)
  })
})

it('a setting is held by the environment first, then by where the bus runs', () => {
  const view = { values: DEFAULT_SETTINGS, fixed: { port: 'BUS_PORT' }, unavailable: { closeToTray: 'There is no tray.' }, logFile: null }
  expect(heldBecause(view, 'port')).toContain('BUS_PORT')
  expect(heldBecause(view, 'closeToTray')).toBe('There is no tray.')
  expect(heldBecause(view, 'deadDays')).toBeUndefined()
})

describe('cleanup in words', () => {
  it.each([
    [{}, 'Nothing was old enough to be deleted.'],
    [{ fulfilled_deleted: 1, nonces_deleted: 7 }, 'Deleted 1 fulfilled intent.'],
    [{ fulfilled_deleted: 12_000, dead_deleted: 3, dead_letters_deleted: 3, expired_open_deleted: 1 }, 'Deleted 12,000 fulfilled intents, 3 dead intents and 1 expired intent.']
  ])('%j', (stats, text) => {
    expect(cleanupText(stats)).toBe(text)
  })
})

it.each([
  [0, true, 'No other browser was logged in.'],
  [0, false, 'No browser was logged in.'],
  [2, true, '2 other browsers logged out.'],
  [1, false, '1 browser logged out.']
])('%d sessions ended, asked in a browser: %s', (ended, isBrowser, text) => {
  expect(endedText(ended, isBrowser)).toBe(text)
})

describe('after a move to another port', () => {
  const at = (port: number): ListenerView => ({ state: 'listening', url: `http://127.0.0.1:${port}`, host: '127.0.0.1', port })
  const page = { href: 'http://bus.local:7610/admin/#/settings', port: '7610' }

  it('a page goes on at the same place of the new address', () => {
    expect(movedHref(page, at(7610), at(8000))).toBe('http://bus.local:8000/admin/#/settings')
  })

  it.each<[string, { href: string; port: string }, ListenerView | null, ListenerView | null]>([
    ['nothing moved', page, at(7610), at(7610)],
    ['a proxy is in between', { href: 'https://bus.example/admin/#/settings', port: '' }, at(7610), at(8000)],
    ['the bus lost its port', page, at(7610), { state: 'failed', host: '127.0.0.1', port: 8000, problem: 'taken' }],
    ['nothing is known', page, null, at(8000)]
  ])('a page stays when %s', (_why, where, before, after) => {
    expect(movedHref(where, before, after)).toBeNull()
  })
})

describe('recorded keys', () => {
  const press = (key: string, code: string, held: Partial<KeyPress> = {}): KeyPress => ({
    key,
    code,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    ...held
  })

  it.each([
    ['linux', press('I', 'KeyI', { ctrlKey: true, shiftKey: true }), 'CommandOrControl+Shift+I', ['Ctrl', 'Shift', 'I']],
    ['darwin', press('i', 'KeyI', { metaKey: true }), 'CommandOrControl+I', ['Command', 'I']],
    ['darwin', press('å', 'KeyA', { altKey: true }), 'Alt+A', ['Option', 'A']],
    ['darwin', press('i', 'KeyI', { ctrlKey: true, altKey: true }), 'Control+Alt+I', ['Control', 'Option', 'I']],
    ['win32', press('!', 'Digit1', { metaKey: true, shiftKey: true }), 'Super+Shift+1', ['Super', 'Shift', '1']],
    // On a French keyboard the key at the place of A types Q.
    ['linux', press('q', 'KeyA', { ctrlKey: true }), 'CommandOrControl+Q', ['Ctrl', 'Q']],
    ['linux', press(' ', 'Space', { ctrlKey: true, altKey: true }), 'CommandOrControl+Alt+Space', ['Ctrl', 'Alt', 'Space']],
    ['linux', press('ArrowUp', 'ArrowUp', { altKey: true }), 'Alt+Up', ['Alt', 'Up']],
    ['linux', press('?', 'Slash', { ctrlKey: true, shiftKey: true }), 'CommandOrControl+Shift+/', ['Ctrl', 'Shift', '/']],
    ['linux', press('F9', 'F9'), 'F9', ['F9']]
  ])('on %s, %j', (platform, pressed, accelerator, words) => {
    expect(acceleratorOf(pressed, platform)).toEqual({ accelerator })
    expect(acceleratorWords(accelerator, platform)).toEqual(words)
  })

  it('wait while only modifiers are held', () => {
    expect(acceleratorOf(press('Control', 'ControlLeft', { ctrlKey: true }), 'linux')).toBeNull()
  })

  it.each([
    ['a letter alone', press('i', 'KeyI')],
    ['a letter with Shift', press('I', 'KeyI', { shiftKey: true })],
    ['a key without a name', press('MediaPlayPause', 'MediaPlayPause', { ctrlKey: true })]
  ])('refuse %s', (_what, pressed) => {
    expect(acceleratorOf(pressed, 'linux')).toHaveProperty('problem')
  })

  it('show nothing where there are none', () => {
    expect(acceleratorWords('', 'linux')).toEqual([])
  })
})

describe('a browser that is let in', () => {
  it.each([
    [['watch', 'publish', 'act', 'manage'], 'May do everything'],
    [['watch'], 'Watches'],
    [['watch', 'publish', 'act'], 'Watches, publishes, cancels and retries']
  ] as const)('with the rights %j does this: %s', (rights, text) => {
    expect(rightsText(rights)).toBe(text)
  })

  it('is called by the name that it was paired by, else by what it is', () => {
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    expect(sessionName({ name: agent, isPaired: false })).toBe('Firefox on Linux')
    expect(sessionName({ name: agent, isPaired: true })).toBe(agent)
  })
})
