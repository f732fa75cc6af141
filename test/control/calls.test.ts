import { pino } from 'pino'
import { expect, test } from 'vitest'
import { Control, type Handlers } from '../../src/main/control/control.ts'
import { Feed } from '../../src/main/control/feed.ts'
import type { Log } from '../../src/main/log.ts'
import type { BusStatus, Counts } from '../../src/shared/control/views.ts'
import { HandClock } from '../support/hand-clock.ts'

const COUNTS: Counts = { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }

/** The contract over a question that is answered when the test says so. */
function controlOver(answer: Promise<void>): Control {
  const source = { onChanges: () => () => {}, onDeleted: () => () => {}, counts: COUNTS }
  const feed = new Feed(source, new HandClock(), () => ({}) as BusStatus)
  const handlers = { 'dead.groups': () => answer.then(() => []) } as Partial<Handlers> as Handlers
  return new Control(handlers, feed, pino({ level: 'silent' }) as Log)
}

test('calls beyond what may be under way are refused until others are answered', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const control = controlOver(promise)
  const ask = () => control.call({ via: 'credentials' }, 'dead.groups', {})
  const asked = Array.from({ length: 256 }, ask)
  expect(await ask()).toMatchObject({ ok: false, error: { code: 'limit_exceeded' } })
  resolve()
  expect(new Set((await Promise.all(asked)).map(({ ok }) => ok))).toEqual(new Set([true]))
  expect(await ask()).toEqual({ ok: true, value: [] })
})
