import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseFilter } from '../../src/shared/control/filter.ts'
import type { IntentChange } from '../../src/shared/control/intent-views.ts'
import { COUNT_LIMIT, Newcomers } from '../../src/renderer/screens/intents/rows/newcomers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const idOf = (n: number): string => n.toString(16).padStart(32, '0')
const TOP = 1_000

/** What a list with this filter, whose newest intent is number TOP, hears; `count` answers what it asks the bus. */
function newcomersOf(text: string, count: (filter: string, newerThan?: string) => number = () => 0) {
  const asked: string[] = []
  const newcomers = new Newcomers({
    text,
    filter: parseFilter(text),
    top: idOf(TOP),
    onChange: () => {},
    count: async (filter, limit, newerThan) => {
      asked.push(filter)
      const all = count(filter, newerThan)
      return { count: Math.min(all, limit), isExact: all <= limit, asOf: idOf(TOP + 50) }
    }
  })
  return { newcomers, asked }
}

function change(n: number, event: IntentChange['event'], more: Partial<IntentChange> = {}): IntentChange {
  const status = { published: 'open', claimed: 'claimed', fulfilled: 'fulfilled', retried: 'open' }[event as string] ?? 'dead'
  return { id: idOf(n), at: 5_000, event, namespace: 'default', goal: 'resize', status, ...more } as IntentChange
}

describe('published since', () => {
  test('what matches is counted once, whatever else happens to it', () => {
    const { newcomers } = newcomersOf('goal:resize')
    newcomers.note(change(TOP + 1, 'published'))
    newcomers.note(change(TOP + 1, 'claimed'))
    newcomers.note(change(TOP + 2, 'published', { goal: 'other' }))
    expect(newcomers.count).toBe(1)
  })

  test('what matches no more is counted no more', () => {
    const { newcomers } = newcomersOf('status:open')
    newcomers.note(change(TOP + 1, 'published'))
    newcomers.note(change(TOP + 1, 'claimed'))
    expect(newcomers.count).toBe(0)
  })

  test('where a change does not tell, the bus is asked, once in a while', async () => {
    const { newcomers, asked } = newcomersOf('payload.order:42', () => 3)
    for (let n = 1; n <= 40; n++) newcomers.note(change(TOP + n, 'published'))
    expect([newcomers.count, asked]).toEqual([0, []])
    await vi.advanceTimersByTimeAsync(1_000)
    expect([newcomers.count, asked]).toEqual([3, ['payload.order:42']])
  })

  test('what the bus has counted is not counted again, what comes later is', async () => {
    const { newcomers } = newcomersOf('goal:resize', () => 7)
    newcomers.note(change(TOP + 10, 'published'))
    newcomers.recount()
    await vi.advanceTimersByTimeAsync(1_000)
    newcomers.note(change(TOP + 50, 'published'))
    expect(newcomers.count).toBe(7)
    newcomers.note(change(TOP + 51, 'published'))
    expect(newcomers.count).toBe(8)
  })

  test('beyond a limit it is said that there are more', () => {
    const { newcomers } = newcomersOf('')
    for (let n = 1; n <= COUNT_LIMIT + 5; n++) newcomers.note(change(TOP + n, 'published'))
    expect([newcomers.count, newcomers.isAtLeast]).toEqual([COUNT_LIMIT, true])
  })
})

describe('come to match since', () => {
  test('an older intent that has died is new among the dead', () => {
    const { newcomers } = newcomersOf('status:dead')
    newcomers.note(change(10, 'failed'))
    newcomers.note(change(11, 'claimed'))
    expect(newcomers.count).toBe(1)
    newcomers.note(change(10, 'retried'))
    expect(newcomers.count).toBe(0)
  })

  test('an older intent that matched all along is not new', () => {
    const { newcomers } = newcomersOf('goal:resize')
    newcomers.note(change(10, 'failed'))
    expect(newcomers.count).toBe(0)
    const both = newcomersOf('status:claimed,dead').newcomers
    both.note(change(10, 'failed'))
    expect(both.count).toBe(0)
  })

  test('where a change does not tell, the bus is asked about that intent', async () => {
    const { newcomers, asked } = newcomersOf('status:dead payload.order:42', (filter) => (filter.endsWith(idOf(10)) ? 1 : 0))
    newcomers.note(change(10, 'failed'))
    newcomers.note(change(11, 'failed'))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(asked).toEqual([10, 11].map((n) => `status:dead payload.order:42 id:${idOf(n)}`))
    expect(newcomers.count).toBe(1)
  })
})
