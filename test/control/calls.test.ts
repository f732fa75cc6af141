import { pino } from 'pino'
import { expect, test } from 'vitest'
import { adminAt, Control, DESKTOP, type Handlers, type Operator } from '../../src/main/control/control.ts'
import { Feed } from '../../src/main/control/feed.ts'
import type { Log } from '../../src/main/log.ts'
import type { Counts } from '../../src/shared/control/intent-views.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import { HandClock } from '../support/hand-clock.ts'

const COUNTS: Counts = { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }

/** The contract over a question that is answered when the test says so. */
function controlOver(answer: Promise<void>, clock = new HandClock()): Control {
  const source = { onChanges: () => () => {}, onDeleted: () => () => {}, onAccess: () => () => {}, counts: COUNTS }
  const feed = new Feed(source, clock, () => ({}) as BusStatus)
  const handlers = { 'dead.groups': () => answer.then(() => []), 'intents.cancel': () => null, 'intents.retry': () => null } as Partial<Handlers> as Handlers
  return new Control(handlers, feed, pino({ level: 'silent' }) as Log, clock)
}

test('calls beyond what may be under way are refused until others are answered', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const control = controlOver(promise)
  const ask = () => control.call(adminAt('127.0.0.1'), 'dead.groups', {})
  const asked = Array.from({ length: 256 }, ask)
  expect(await ask()).toMatchObject({ ok: false, error: { code: 'limit_exceeded' } })
  resolve()
  expect(new Set((await Promise.all(asked)).map(({ ok }) => ok))).toEqual(new Set([true]))
  expect(await ask()).toEqual({ ok: true, value: [] })
})

function phone(sessionId: string, rights: Operator['rights'] = ['watch', 'act']): Operator {
  return { via: 'browser', rights, address: '10.0.0.2', sessionId, name: sessionId, isPassword: () => Promise.resolve(false) }
}

test('who may not manage has a small share, and keeps out nobody else, however many they are', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const control = controlOver(promise)
  const ask = (operator: Operator) => control.call(operator, 'dead.groups', {})
  const isRefused = async (operator: Operator): Promise<boolean> => !(await Promise.race([ask(operator), { ok: true }])).ok
  const asked = Array.from({ length: 16 }, () => ask(phone('a')))
  expect(await isRefused(phone('a'))).toBe(true)
  for (let i = 1; i < 16; i++) asked.push(...Array.from({ length: 16 }, () => ask(phone(String(i)))))
  expect(await isRefused(phone('late'))).toBe(true)
  for (const operator of [DESKTOP, adminAt('10.0.0.3'), phone('owner', ['watch', 'manage'])]) expect(await isRefused(operator)).toBe(false)
  resolve()
  expect(new Set((await Promise.all(asked)).map(({ ok }) => ok))).toEqual(new Set([true]))
  expect(await ask(phone('a'))).toEqual({ ok: true, value: [] })
})

test('a session that may not manage makes work sixty times a minute', async () => {
  const clock = new HandClock()
  const control = controlOver(Promise.resolve(), clock)
  const act = (operator: Operator, method = 'intents.retry') => control.call(operator, method, { id: '1'.repeat(32) })
  for (let i = 0; i < 60; i++) expect(await act(phone('a'))).toMatchObject({ ok: true })
  expect(await act(phone('a'))).toMatchObject({ ok: false, error: { code: 'rate_limited' } })
  for (const operator of [phone('b'), phone('owner', ['watch', 'act', 'manage']), DESKTOP]) expect(await act(operator)).toMatchObject({ ok: true })
  expect(await act(phone('a'), 'intents.cancel')).toMatchObject({ ok: true })
  await clock.advance(60)
  expect(await act(phone('a'))).toMatchObject({ ok: true })
})
