import { describe, expect, it } from 'vitest'
import { publicationBody } from '../../src/renderer/screens/publish/body.ts'
import { problemsOf } from '../../src/renderer/screens/publish/checks.ts'
import { blankDraft, differences, draftOfIntent, draftOfTemplate, publicationOf, readable, type Draft } from '../../src/renderer/screens/publish/draft.ts'
import { isShallow } from '../../src/renderer/screens/publish/nesting.ts'
import { retriesText } from '../../src/renderer/screens/publish/retries.ts'
import { startOf } from '../../src/renderer/screens/publish/start.ts'
import { methods } from '../../src/shared/control/contract.ts'
import type { IntentView } from '../../src/shared/control/intent-views.ts'
import type { Template } from '../../src/shared/control/library-views.ts'
import { readPublish } from '../../src/shared/requests.ts'

const draftWith = (rest: Partial<Draft>): Draft => ({ ...blankDraft(), goal: 'resize', ...rest })

const EVERYTHING: Partial<Draft> = {
  namespace: 'prod',
  visibility: 'public',
  publisher: 'key_1',
  priority: 500,
  delay: 90.5,
  maxAttempts: 1,
  backoffBase: 30,
  target: 'pi4',
  capability: 'gpu',
  idempotencyKey: 'order-1'
}

describe('what is wrong with a draft', () => {
  it.each<[Partial<Draft>, object]>([
    [{}, {}],
    [EVERYTHING, {}],
    [{ goal: '' }, { goal: 'Name the goal: what is to be done.' }],
    [{ goal: '😀'.repeat(256) }, {}],
    [{ goal: '😀'.repeat(257) }, { goal: 'A goal has at most 256 characters.' }],
    [{ payload: ' ' }, { payload: 'The payload is empty: give at least {}.' }],
    [{ payload: '{\n  "a": 1,\n}' }, { payload: expect.stringMatching(/^Line 3: .*no comma may stand before }/) }],
    [{ payload: '[1,]' }, { payload: expect.stringMatching(/^Column 4: /) }],
    [{ payload: `{"a":"${'x'.repeat(7160)}"}` }, {}],
    [{ payload: `{\n  "a" : "${'x'.repeat(7160)}"}` }, {}],
    [{ payload: `{"a":"${'x'.repeat(7159)}é"}` }, { payload: expect.stringMatching(/^The payload has 7,169 bytes; 7,168 fit\./) }],
    [{ namespace: 'a b' }, { namespace: expect.stringMatching(/^A namespace has 1 to 64/) }],
    [{ priority: 1.5 }, { priority: 'Give a whole number from 0 to 1,000.' }],
    [{ priority: null, delay: -1, maxAttempts: 21, backoffBase: 0.5 }, {
      priority: 'Give a whole number from 0 to 1,000.',
      delay: 'Give a number from 0 to 315,360,000.',
      maxAttempts: 'Give a whole number from 1 to 20.',
      backoffBase: 'Give a number from 1 to 3,600.'
    }],
    [{ target: 'a b', capability: 'ü' }, { target: expect.any(String), capability: expect.any(String) }],
    [{ idempotencyKey: 'ü' }, { idempotencyKey: expect.stringMatching(/ASCII/) }],
    [{ idempotencyKey: ' a' }, { idempotencyKey: expect.stringMatching(/no space at its ends/) }],
    [{ idempotencyKey: 'x'.repeat(256) }, { idempotencyKey: 'It has at most 255 characters.' }]
  ])('%j', (rest, problems) => {
    expect(problemsOf(draftWith(rest))).toEqual(problems)
  })
})

describe('what a draft becomes', () => {
  it('is a publication that the contract takes', () => {
    const { publisher, idempotencyKey: _, target, capability, ...same } = { ...blankDraft(), ...EVERYTHING }
    expect(publicationOf(draftWith({ ...EVERYTHING, goal: same.goal }))).toEqual({ ...same, publisher, target, capability })
    expect(methods['intents.publish'].safeParse(publicationOf(draftWith({}))).success).toBe(true)
    expect(publicationOf(draftWith({ target: '', capability: '' }))).toMatchObject({ target: null, capability: null })
  })

  it('is a request of the protocol that says what differs from the defaults', () => {
    expect(publicationBody(publicationOf(draftWith({ payload: '{ "n": 1.10 }' })))).toBe('{"goal":"resize","payload":{"n":1.10}}')
    const body = publicationBody(publicationOf(draftWith({ ...EVERYTHING, payload: '[12345678901234567890]' })))
    expect(readPublish(body)).toEqual({
      goal: 'resize',
      payload: '[12345678901234567890]',
      namespace: 'prod',
      visibility: 'public',
      priority: 500,
      delay: 90.5,
      maxAttempts: 1,
      backoffBase: 30,
      targetWorker: 'pi4',
      requiredCapability: 'gpu',
      traceparent: null
    })
  })

  it('is one line about what differs', () => {
    expect(differences(draftWith({ namespace: 'prod' }), () => '')).toEqual([])
    expect(differences(draftWith(EVERYTHING), (id) => `the owner of ${id}`)).toEqual([
      'public',
      'as the owner of key_1',
      'priority 500',
      'delayed by 90 s',
      'one attempt',
      'backoff 30 s',
      'only for pi4',
      'needs gpu',
      'idempotency key order-1'
    ])
  })
})

describe('where a draft comes from', () => {
  it('is a template, with a payload that can be read', () => {
    const template = { id: 't', name: 'Resize', schema: null, updatedAt: 1, ...publicationOf(draftWith(EVERYTHING)), payload: '{"n":1.10}' }
    expect(draftOfTemplate(template satisfies Template)).toEqual(draftWith({ ...EVERYTHING, payload: '{\n  "n": 1.10\n}', idempotencyKey: '' }))
  })

  it('is an intent, with the delay that it was published with', () => {
    const published = publicationOf(draftWith(EVERYTHING))
    const intent = { ...published, createdAt: 1000, runAt: 1000 + 90.5, history: [{ at: 1000, event: 'published', key: 'key_1' }] }
    expect(draftOfIntent(intent as unknown as IntentView)).toEqual(draftWith({ ...EVERYTHING, idempotencyKey: '' }))
  })

  it.each([
    ['', { kind: 'nothing' }],
    ['goal=', { kind: 'nothing' }],
    ['template=t1&goal=x', { kind: 'template', id: 't1' }],
    ['from=abc', { kind: 'intent', id: 'abc' }],
    ['goal=a%20b&payload=%7B%22n%22:1.10%7D&namespace=lab', { kind: 'given', fields: { goal: 'a b', payload: '{\n  "n": 1.10\n}', namespace: 'lab' } }],
    ['payload=%7Bno', { kind: 'given', fields: { payload: '{no' } }]
  ])('is an address: %s', (query, start) => {
    expect(startOf(new URLSearchParams(query))).toEqual(start)
  })
})

it('indents no text that would grow beyond measure', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  expect([isShallow(nested(64)), isShallow(nested(65)), isShallow(`["${'['.repeat(100)}\\""]`)]).toEqual([true, false, true])
  expect(readable(nested(50_000))).toBe(nested(50_000))
  expect(readable('[1]')).toBe('[\n  1\n]')
})

describe('when an intent is tried again', () => {
  it.each([
    [1, 5, 'It is tried once: a failure makes it a dead letter.'],
    [3, 5, 'After a failure it waits 10 s, 20 s, each time up to 2 s longer; then it is a dead letter.'],
    [8, 1, 'After a failure it waits 2 s, 4 s, 8 s, 16 s, 32 s … 2 min 08 s, each time up to 2 s longer; then it is a dead letter.'],
    [20, 5, /… 30 d 8 h, .* That is longer than it lives: it expires 24 h after its first run\.$/]
  ])('%i attempts, %f s', (attempts, base, text) => {
    expect(retriesText(attempts, base, 86_400)).toMatch(text)
  })
})
