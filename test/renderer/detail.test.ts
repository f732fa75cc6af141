import { describe, expect, test } from 'vitest'
import { parseFilter } from '../../src/shared/control/filter.ts'
import type { Check, IntentView } from '../../src/shared/control/intent-views.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import type { HistoryEvent } from '../../src/shared/history.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { publishCommand } from '../../src/renderer/screens/intents/detail/commands.ts'
import { keyNames } from '../../src/renderer/screens/intents/detail/names.ts'
import { outlookOf, presentOf } from '../../src/renderer/screens/intents/detail/present.ts'
import { backoffs, delayOf, publishBody } from '../../src/renderer/screens/intents/detail/publication.ts'
import { byUrgency, linksOf, shelfLife } from '../../src/renderer/screens/intents/detail/rules.ts'
import { momentText, timelineOf } from '../../src/renderer/screens/intents/detail/timeline.ts'

const NOW = 1_750_000_000
const DAY = 86_400

const INTENT: IntentView = {
  id: '0d0fecc2b518006c6728843946ab8c23',
  namespace: 'default',
  goal: 'resize',
  status: 'open',
  priority: 100,
  attempts: 0,
  maxAttempts: 3,
  createdAt: NOW,
  runAt: NOW,
  expiresAt: NOW + DAY,
  leaseEndsAt: null,
  finishedAt: null,
  publisher: 'main',
  worker: null,
  claimedBy: null,
  target: null,
  capability: null,
  error: null,
  visibility: 'private',
  backoffBase: 5,
  payload: '{"n":1.10}',
  result: null,
  resultType: 'json',
  claimedAt: null,
  claimAddress: null,
  history: [{ at: NOW, event: 'published', key: 'main' }],
  gaps: []
}

const garage = {
  ...NO_LIMITS,
  id: 'key_1',
  owner: 'garage',
  createdAt: 0,
  lastUsedAt: null,
  lastAddress: null,
  requests: 0,
  intents: { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }
}

test('a command to paste holds no character that a terminal takes for a key', () => {
  const rubOut = `${'\u007f'.repeat(200)}touch owned #`
  const status = { listener: null, mainKey: { in: 'environment', where: 'BUS_SECRET' } } as BusStatus
  const command = publishCommand({ ...INTENT, goal: rubOut, payload: JSON.stringify(rubOut) }, status, (id) => id)
  expect(command).not.toMatch(/[\u007f-\u009f]/)
  expect(JSON.parse(/ -d '(.*)'$/.exec(command)![1]!)).toEqual({ goal: rubOut, payload: rubOut })
})

describe('names of keys', () => {
  test.each([
    ['main', 'main key'],
    ['key_1', 'garage'],
    ['key_2', 'key_2 (revoked)']
  ])('%s is called %s', (id, name) => {
    expect(keyNames([garage])(id)).toBe(name)
  })

  test('nothing is said to be revoked before the keys are known', () => {
    expect(keyNames(undefined)('key_1')).toBe('key_1')
  })
})

describe('the timeline', () => {
  /** Title and detail of each line of a history. */
  function lines(events: readonly HistoryEvent[], maxAttempts = 2): string[] {
    return timelineOf({ history: events, gaps: [], maxAttempts }, keyNames([garage])).map(({ title, detail }) => [title, detail].filter(Boolean).join(' '))
  }

  test('tells a life in words', () => {
    const told = lines([
      { at: NOW, event: 'published', key: 'key_1' },
      { at: NOW + 1, event: 'claimed', attempt: 1, key: 'main', worker: 'pi4' },
      { at: NOW + 2, event: 'failed', error: 'ENOSPC', requeued_until: NOW + 12 },
      { at: NOW + 12, event: 'claimed', attempt: 2, key: 'key_9' },
      { at: NOW + 72, event: 'lease_lost' },
      { at: NOW + 80, event: 'retried' },
      { at: NOW + 81, event: 'claimed', attempt: 1, key: 'main', worker: 'pi5' },
      { at: NOW + 82, event: 'fulfilled' }
    ])
    expect(told).toEqual([
      'Published by garage',
      'Claimed by pi4 (main key), attempt 1 of 2',
      expect.stringMatching(/^Failed Backs off for 10 s, until \d\d:\d\d:\d\d\.$/),
      'Claimed by an unnamed worker (key_9 (revoked)), attempt 2 of 2',
      'Lease lost The worker did not report in time. No attempts left.',
      'Retried Attempts count from the start, with a fresh lifetime.',
      'Claimed by pi5 (main key), attempt 1 of 2',
      'Fulfilled'
    ])
  })

  test('tells of a night in between where it was, and of a clock that was set', () => {
    const history = [
      { at: NOW, event: 'published', key: 'main' },
      { at: NOW + 1, event: 'claimed', attempt: 1, key: 'main' },
      { at: NOW + 30_010, event: 'fulfilled' }
    ] as const
    const gaps = [
      { at: NOW + 30_002, seconds: 30_000, cause: 'sleep' },
      { at: NOW + 30_005, seconds: -90, cause: 'clock' }
    ] as const
    const entries = timelineOf({ history, gaps, maxAttempts: 2 }, keyNames([]))
    expect(entries.map(({ event }) => event)).toEqual(['published', 'claimed', 'slept', 'clock_set', 'fulfilled'])
    expect(entries[2]!.detail).toBe('for 8 h 20 min; its lease and its lifetime stood still.')
    expect(entries[3]!.detail).toBe('back by 1 min 30 s; its lease and its lifetime are as long as before.')
  })

  test('says what an intent died of, once', () => {
    const entries = timelineOf(
      {
        maxAttempts: 2,
        gaps: [],
        history: [
          { at: NOW, event: 'published', key: 'main' },
          { at: NOW, event: 'claimed', attempt: 1, key: 'main' },
          { at: NOW, event: 'lease_lost' },
          { at: NOW, event: 'claimed', attempt: 2, key: 'main' },
          { at: NOW, event: 'failed', error: '<b>out of luck</b>' }
        ]
      },
      keyNames([])
    )
    expect(entries.map(({ isFinal }) => isFinal)).toEqual([false, false, false, false, true])
    expect(entries.at(-1)).toMatchObject({ error: '<b>out of luck</b>', detail: 'No attempts left.' })
  })

  test('measures from one event to the next, but not over what was left out', () => {
    const entries = timelineOf(
      {
        maxAttempts: 2,
        gaps: [],
        history: [
          { at: NOW, event: 'published', key: 'main' },
          { at: NOW + 500, event: 'shortened', dropped: 1_200 },
          { at: NOW + 500, event: 'claimed', attempt: 1, key: 'main' },
          { at: NOW + 500.25, event: 'extended', until: NOW + 600, times: 3 }
        ]
      },
      keyNames([])
    )
    expect(entries.map(({ gap }) => gap)).toEqual([null, null, null, 0.25])
    expect(entries[1]!.title).toBe('1,200 earlier events left out')
    expect(entries[3]!.title).toBe('Lease extended 3 times')
  })

  test('names the day of what was not today', () => {
    const noon = new Date(2025, 2, 30, 12, 0, 5).getTime() / 1000
    expect(momentText(noon, noon + 60)).toBe('12:00:05')
    expect(momentText(noon, noon + DAY)).toBe('Mar 30, 12:00')
  })
})

describe('how an intent is now', () => {
  test.each<[string, Partial<IntentView>, string, string | null, string[]]>([
    ['waits', { runAt: NOW - 12 }, 'Waiting for a worker', 'for 12 s', ['Expires in']],
    ['is delayed', { runAt: NOW + 60 }, 'Delayed', null, ['Claimable in', 'Expires in']],
    [
      'backs off',
      { runAt: NOW + 60, history: [...INTENT.history, { at: NOW, event: 'failed', error: 'x', requeued_until: NOW + 60 }] },
      'Backing off',
      null,
      ['Claimable in', 'Expires in']
    ],
    [
      'waits again since its lease was lost',
      { runAt: NOW - 900, history: [...INTENT.history, { at: NOW - 5, event: 'lease_lost' }] },
      'Waiting for a worker',
      'for 5 s',
      ['Expires in']
    ],
    ['is worked on', { status: 'claimed', worker: 'pi4', claimedAt: NOW - 65, leaseEndsAt: NOW + 9 }, 'pi4 works on it', 'for 1 min 05 s', ['Lease ends in']],
    ['is worked on by nobody knows whom', { status: 'claimed', claimedAt: NOW, leaseEndsAt: NOW + 9 }, 'An unnamed worker works on it', 'for 0 s', ['Lease ends in']],
    [
      'is done',
      { status: 'fulfilled', createdAt: NOW - 10, claimedAt: NOW - 3, finishedAt: NOW },
      'Done',
      '10 s after it was published; the last attempt took 3 s',
      []
    ],
    ['is dead', { status: 'dead' }, 'Dead letter', 'No worker gets it any more. Retry puts it back into the queue.', []],
    ['is expired', { status: 'expired' }, 'Out of the queue', 'No worker claimed it in its lifetime. Publish again puts it back, with a fresh one.', []]
  ])('it %s', (_name, change, title, text, labels) => {
    const present = presentOf({ ...INTENT, ...change }, NOW)
    expect(present).toMatchObject({ title, text })
    expect(present.deadlines.map(({ label }) => label)).toEqual(labels)
  })

  test('nobody is said to work or wait while the machine slept', () => {
    const gaps = [
      { at: NOW - 200, seconds: 30, cause: 'sleep' as const },
      { at: NOW - 10, seconds: 32, cause: 'sleep' as const }
    ]
    const textOf = (change: Partial<IntentView>) => presentOf({ ...INTENT, gaps, ...change }, NOW).text
    expect(textOf({ status: 'claimed', claimedAt: NOW - 35 })).toBe('for 3 s')
    expect(textOf({ runAt: NOW - 35 })).toBe('for 3 s')
    expect(textOf({ status: 'fulfilled', createdAt: NOW - 40, claimedAt: NOW - 35, finishedAt: NOW })).toBe(
      '40 s after it was published; the last attempt took 3 s'
    )
  })

  test('what comes after a claim depends on the attempts left', () => {
    expect(outlookOf({ attempts: 1, maxAttempts: 3 })).toContain('attempt 2 of 3')
    expect(outlookOf({ attempts: 3, maxAttempts: 3 })).toContain('dead letter')
  })
})

describe('publishing again', () => {
  test('leaves out what is as by default, and keeps every digit of the payload', () => {
    expect(publishBody(INTENT)).toBe('{"goal":"resize","payload":{"n":1.10}}')
  })

  test('says everything else', () => {
    const body = publishBody({
      ...INTENT,
      namespace: 'shop',
      visibility: 'public',
      priority: 0,
      maxAttempts: 1,
      backoffBase: 1.5,
      target: 'pi4',
      capability: 'gpu',
      runAt: NOW + 90
    })
    expect(JSON.parse(body)).toEqual({
      goal: 'resize',
      payload: { n: 1.1 },
      namespace: 'shop',
      visibility: 'public',
      priority: 0,
      delay: 90,
      max_attempts: 1,
      backoff_base: 1.5,
      target_worker: 'pi4',
      required_capability: 'gpu'
    })
  })

  test('the delay is known whatever the lifetime was, until it is put back', () => {
    expect(delayOf({ ...INTENT, runAt: NOW + 0.25 })).toBe(0.25)
    expect(delayOf({ ...INTENT, history: [...INTENT.history, { at: NOW + 7, event: 'retried' }] })).toBeNull()
    expect(delayOf({ ...INTENT, history: [...INTENT.history, { at: NOW + 7, event: 'failed', error: 'no', requeued_until: NOW + 20 }] })).toBeNull()
    expect(delayOf({ ...INTENT, history: [...INTENT.history, { at: NOW + 7, event: 'failed', error: 'no' }] })).toBe(0)
  })

  test('a backoff doubles with each attempt, and there is none behind the last (SPEC 3.3)', () => {
    expect(backoffs({ maxAttempts: 4, backoffBase: 5 })).toEqual([10, 20, 40])
    expect(backoffs({ maxAttempts: 1, backoffBase: 5 })).toEqual([])
  })
})

describe('rules', () => {
  const check = (rule: Check['rule'], outcome: Check['outcome'], at: number | null = null): Check => ({ rule, outcome, text: '', next: null, at })

  test('what keeps it comes first, and otherwise they stay in order', () => {
    const checks = [check('bus', 'holds'), check('run_at', 'waits', NOW), check('goal', 'holds'), check('target', 'fails'), check('workers', 'fails')]
    expect(byUrgency(checks).map(({ rule }) => rule)).toEqual(['target', 'workers', 'run_at', 'bus', 'goal'])
  })

  test('the queue is a filter that asks for names as they are', () => {
    const intent = { ...INTENT, goal: 'a "b" *', priority: 7 }
    const [link] = linksOf(check('order', 'holds'), { id: intent.id, verdict: '', checks: [], ahead: 3 }, intent)
    const { terms, problems } = parseFilter(link!.params.filter!)
    expect(problems).toEqual([])
    expect(terms.map(({ test }) => test)).toMatchObject([
      { field: 'status', statuses: ['open'] },
      { field: 'ns' },
      { field: 'goal', pattern: 'a "b" \\*' },
      { field: 'priority', comparison: '>=', value: 7 }
    ])
    expect(linksOf(check('order', 'holds'), { id: intent.id, verdict: '', checks: [], ahead: 0 }, intent)).toEqual([])
  })

  test('what ends within two minutes is asked for each second', () => {
    expect(shelfLife([check('run_at', 'waits', NOW + 30)], NOW)).toBe(1)
    expect(shelfLife([check('run_at', 'waits', NOW + 3_000)], NOW)).toBe(5)
    expect(shelfLife([], NOW)).toBe(5)
  })
})
