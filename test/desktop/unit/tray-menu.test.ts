import { expect, test } from 'vitest'
import type { BusStatus, ListenerView } from '../../../src/shared/control/status-views.ts'
import type { BusPicture } from '../../../src/main/desktop/bus-watch.ts'
import { absentStatus } from '../../../src/main/desktop/stopped-bus.ts'
import { statusLine, trayLook, trayMenu, type TrayActions } from '../../../src/main/desktop/tray-menu.ts'

const LISTENER: ListenerView = { state: 'listening', url: 'http://127.0.0.1:7610', host: '127.0.0.1', port: 7610 }
const TAKEN: ListenerView = { state: 'failed', host: '127.0.0.1', port: 7610, problem: 'taken' }

function picture(status: Partial<BusStatus>, rest: Partial<BusPicture> = {}): BusPicture {
  const stopped = absentStatus({ state: 'stopped', problem: 'x' }, undefined, '/data', 0)
  return {
    status: { ...stopped, state: 'running', problem: null, listener: LISTENER, ...status },
    counts: { open: 3, claimed: 1, fulfilled: 0, dead: 0, expired: 0 },
    failures: [],
    templates: [],
    ...rest
  }
}

/** Actions that write down what they were asked. */
function recorder() {
  const done: unknown[][] = []
  const actions = new Proxy({} as TrayActions, {
    get: (_target, name) => (...args: unknown[]) => void done.push([name, ...args])
  })
  return { done, actions }
}

/** What a user sees of a menu: labels of visible items, those that cannot be chosen in brackets. */
function seen(menu: ReturnType<typeof trayMenu>): string[] {
  return menu.flatMap(({ label, visible, enabled }) => {
    if (label === undefined || visible === false) return []
    return enabled === false ? `(${label})` : label
  })
}

function choose(menu: ReturnType<typeof trayMenu>, ...path: string[]): void {
  const [first, ...rest] = path
  const item = menu.find(({ label }) => label === first)
  if (rest.length > 0) choose(item!.submenu as ReturnType<typeof trayMenu>, ...rest)
  else (item!.click as () => void)()
}

test('a running bus says where it is and how much waits', () => {
  expect(seen(trayMenu(picture({}), recorder().actions))).toEqual([
    '(Running at http://127.0.0.1:7610)',
    '(3 open, 1 claimed)',
    'Copy URL',
    'Pause',
    'Recent failures',
    'Run template',
    'Quick publish…',
    'Show panel',
    'Open',
    'Quit'
  ])
})

test('a stopped bus can only be started, opened and quit', () => {
  expect(seen(trayMenu(picture({ state: 'stopped', listener: null }), recorder().actions))).toEqual([
    '(Stopped)',
    'Start again',
    '(Copy URL)',
    '(Pause)',
    '(Recent failures)',
    '(Run template)',
    '(Quick publish…)',
    'Show panel',
    'Open',
    'Quit'
  ])
})

test.each([
  ['normal', 'Running at http://127.0.0.1:7610', {}],
  ['paused', 'Paused at http://127.0.0.1:7610', { isPaused: true }],
  ['paused', 'In maintenance at http://127.0.0.1:7610', { isMaintenance: true, isPaused: true }],
  ['trouble', 'Port 7610 cannot be used', { listener: TAKEN, isPaused: true }],
  ['trouble', 'Stopped', { state: 'stopped', listener: null }],
  ['normal', 'Starting…', { state: 'starting', listener: null }]
] as const)('the tray looks %s: %s', (look, line, status) => {
  expect(trayLook(picture(status))).toBe(look)
  expect(statusLine(picture(status))).toBe(line)
})

test('items do what they say', () => {
  const { done, actions } = recorder()
  const failures = [{ id: 'i1', goal: 'resize', error: 'no disk' }]
  const menu = trayMenu(picture({}, { failures, templates: [{ id: 't1', name: 'Nightly' }] }), actions)
  choose(menu, 'Copy URL')
  choose(menu, 'Pause')
  choose(menu, 'Recent failures', 'resize: no disk')
  choose(menu, 'Run template', 'Nightly')
  choose(trayMenu(picture({ isPaused: true }), actions), 'Resume')
  expect(done).toEqual([
    ['copyUrl', 'http://127.0.0.1:7610'],
    ['pause', true],
    ['showFailure', 'i1'],
    ['runTemplate', 't1'],
    ['pause', false]
  ])
})

test('labels are one short line, whatever a goal or an error holds', () => {
  const failures = [{ id: 'i1', goal: 'a & b', error: `line\nline ${'x'.repeat(100)}` }]
  const menu = trayMenu(picture({}, { failures }), recorder().actions)
  const [item] = menu.find(({ label }) => label === 'Recent failures')!.submenu as ReturnType<typeof trayMenu>
  expect(item!.label).toMatch(/^a && b: line line x{42}…$/)
})
