import { expect, test } from 'vitest'
import type { EventFrame } from '../../../src/shared/control/event-frame.ts'
import type { IntentChange } from '../../../src/shared/control/intent-views.ts'
import { DeadNotices, type Notice } from '../../../src/main/desktop/dead-notices.ts'
import { HandClock } from '../../support/hand-clock.ts'

function setUp() {
  const clock = new HandClock()
  const shown: Notice[] = []
  const notices = new DeadNotices(clock, (notice) => shown.push(notice))
  let dead = 0
  const change = (event: IntentChange['event'], goal: string): IntentChange => ({
    id: `${++dead}`.padStart(32, '0'),
    at: clock.now(),
    event,
    status: 'dead',
    namespace: 'default',
    goal,
    error: `no ${goal}`
  })
  const frame = (changes: IntentChange[], missed = 0, unseen = 0): EventFrame => {
    dead += unseen
    return { seq: 1, changes, missed, counts: { open: 0, claimed: 0, fulfilled: 0, dead, expired: 0 } }
  }
  return { clock, shown, notices, change, frame }
}

test('a dead letter is told at once, by its goal and error, and leads to the intent', () => {
  const { notices, shown, change, frame } = setUp()
  notices.take(frame([change('failed', 'resize')]))
  expect(shown).toEqual([{ title: 'Intent died: resize', body: 'no resize', hash: `#/intents/${'1'.padStart(32, '0')}` }])
})

test('those of the next ten seconds are summed up', async () => {
  const { clock, notices, shown, change, frame } = setUp()
  notices.take(frame([change('failed', 'a')]))
  for (let i = 0; i < 5; i++) notices.take(frame([change('lease_lost', 'b')]))
  await clock.advance(9)
  expect(shown).toHaveLength(1)
  await clock.advance(1)
  expect(shown.slice(1)).toMatchObject([{ title: '5 more intents died', hash: '#/intents?filter=status%3Adead' }])
})

test('after a silence of ten seconds the next one is told at once again', async () => {
  const { clock, notices, shown, change, frame } = setUp()
  notices.take(frame([change('failed', 'a')]))
  await clock.advance(10)
  notices.take(frame([change('failed', 'b')]))
  expect(shown.map(({ title }) => title)).toEqual(['Intent died: a', 'Intent died: b'])
})

test('a steady stream makes one notification in ten seconds', async () => {
  const { clock, notices, shown, change, frame } = setUp()
  for (let second = 0; second < 60; second++) {
    notices.take(frame([change('failed', 'a')]))
    await clock.advance(1)
  }
  expect(shown).toHaveLength(7)
})

test('what an operator cancelled is no news', () => {
  const { notices, shown, change, frame } = setUp()
  notices.take(frame([change('cancelled', 'a')]))
  expect(shown).toEqual([])
})

test('dead letters that are missing from a frame are counted, but not those from before the first frame', () => {
  const { notices, shown, change, frame } = setUp()
  notices.take(frame([], 1, 100))
  expect(shown).toEqual([])
  notices.take(frame([change('failed', 'a'), change('cancelled', 'b')], 500, 40))
  expect(shown.map(({ title }) => title)).toEqual(['41 intents died'])
})
