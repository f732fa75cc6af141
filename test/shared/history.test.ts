import { expect, test } from 'vitest'
import { appendHistory, parseHistory, type StoredEvent } from '../../src/shared/history.ts'

const EVENTS: StoredEvent[] = [
  { at: 1.5, event: 'claimed', attempt: 1, key: 'main', worker: 'pi "4"\n' },
  { at: 2, event: 'claimed', attempt: 2, key: 'key_1' },
  { at: 3, event: 'failed', error: 'timed out', requeued_until: 9.25 },
  { at: 4, event: 'failed', error: '' },
  { at: 5, event: 'lease_lost' },
  { at: 6, event: 'fulfilled' },
  { at: 7, event: 'cancelled' },
  { at: 8, event: 'retried' },
  { at: 9, event: 'expired' },
  { at: 10, event: 'extended', until: 70, times: 1 }
]

test('what is written can be read again, event by event', () => {
  const history = EVENTS.reduce(appendHistory, '')
  expect(parseHistory(history)).toEqual(EVENTS)
  expect(history.split('\n')).toHaveLength(EVENTS.length + 1)
})

test('extensions of one lease become one event', () => {
  let history = appendHistory('', { at: 1, event: 'claimed', attempt: 1, key: 'main' })
  for (let at = 2; at < 6; at++) history = appendHistory(history, { at, event: 'extended', until: at + 60, times: 1 })
  expect(parseHistory(history)).toEqual([
    { at: 1, event: 'claimed', attempt: 1, key: 'main' },
    { at: 5, event: 'extended', until: 65, times: 4 }
  ])
})

test('a history stays bounded, keeps its newest events and says how many it lost', () => {
  let history = ''
  for (let at = 0; at < 1_000; at++) history = appendHistory(history, { at, event: 'failed', error: 'x'.repeat(100) })
  expect(history.length).toBeLessThan(13_000)
  const [first, ...rest] = parseHistory(history)
  expect(first).toMatchObject({ event: 'shortened' })
  expect((first as { dropped: number }).dropped + rest.length).toBe(1_000)
  expect(rest.at(-1)).toMatchObject({ at: 999 })
})
