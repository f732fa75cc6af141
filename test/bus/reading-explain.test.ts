import { describe, expect, test } from 'vitest'
import type { ExplainContext } from '../../src/main/bus/reading/explain-case.ts'
import type { Check, Explanation } from '../../src/shared/control/intent-views.ts'
import type { KeyLimits, Scope } from '../../src/shared/scope.ts'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'
import { NOW, ReadingDatabase, type Sample, type WorkerSample } from './reading-database.ts'

const CONTEXT: ExplainContext = { now: NOW, isPaused: false, isMaintenance: false, listenerProblem: null }
const ANN = 'key_00000000000000aa'
const ANNS_KEY = `the key of Ann (\`${ANN}\`)`
const HOUR = 3_600

interface Situation {
  readonly intent?: Partial<Sample>
  readonly workers?: readonly Partial<WorkerSample>[]
  readonly context?: Partial<ExplainContext>
  readonly isAnnRevoked?: boolean
  readonly annsLimits?: Partial<KeyLimits>
}

function explain({ intent = {}, workers = [], context = {}, isAnnRevoked = false, annsLimits = {} }: Situation): Explanation {
  using database = new ReadingDatabase()
  database.addKey(ANN, 'Ann', isAnnRevoked)
  database.limitKey(ANN, annsLimits)
  for (const worker of workers) database.addWorker(worker)
  const id = database.add(intent)
  return database.queries.explain(id, { ...CONTEXT, ...context })!
}

function check({ checks }: Explanation, rule: Check['rule']): Check {
  return checks.find((one) => one.rule === rule)!
}

const online: Partial<WorkerSample> = { worker: 'pi4' }
const gone = { worker: 'pi9', lastSeenAt: NOW - 3 * HOUR }
const of = (namespace: string, goal: string | null, publisher: string | null = null, at = NOW) => [[namespace, goal, publisher, at]] as const

/** The rule that speaks, what it says, what it advises, and the verdict, which is the same sentence unless given. */
test.each<[name: string, Situation, Check['rule'], Check['outcome'], text: string, next: string | null, verdict?: string]>([
  ['paused', { workers: [online], context: { isPaused: true } }, 'bus', 'fails', 'The bus is paused: workers get nothing.', 'Resume the bus.'],
  ['in maintenance', { workers: [online], context: { isMaintenance: true } }, 'bus', 'fails', 'The bus is in maintenance and refuses what workers ask.', 'Turn maintenance off under Settings.'],
  [
    'not reachable',
    { workers: [online], context: { listenerProblem: 'Port 7610 is taken by another program.' } },
    'bus',
    'fails',
    'Workers cannot reach the bus: Port 7610 is taken by another program.',
    'Free the port, or choose another one under Settings.'
  ],
  [
    'claimed',
    { intent: { status: 'claimed', worker: 'pi4', claimedBy: ANN, leaseEndsAt: NOW + 12 } },
    'status',
    'waits',
    `It is claimed by \`pi4\` with ${ANNS_KEY}; the lease ends in 12 s.`,
    null
  ],
  [
    'claimed by a worker without a name',
    { intent: { status: 'claimed', address: '10.0.0.7', leaseEndsAt: NOW + 90 } },
    'status',
    'waits',
    'It is claimed by a worker at `10.0.0.7` with the main key; the lease ends in 1 min.',
    null
  ],
  ['fulfilled', { intent: { status: 'fulfilled', finishedAt: NOW - 180 } }, 'status', 'fails', 'It was fulfilled 3 min ago.', 'Duplicate it to have it done once more.'],
  [
    'dead',
    { intent: { status: 'dead', finishedAt: NOW - 2 * HOUR, error: 'timed out' } },
    'status',
    'fails',
    'It died 2 h ago: timed out.',
    'Retry it once the cause is mended.'
  ],
  [
    'expired',
    { intent: { status: 'expired', finishedAt: NOW - 49 * HOUR } },
    'status',
    'fails',
    'Its lifetime ended 2 d ago before anybody claimed it.',
    'Publish it again: that gives it a fresh lifetime.'
  ],
  ['delayed', { workers: [online], intent: { runAt: NOW + 2 * HOUR } }, 'run_at', 'waits', 'It was published with a delay and can be claimed in 2 h.', null],
  [
    'backing off',
    { workers: [online], intent: { runAt: NOW + 12.5, attempts: 1, error: 'timed out' } },
    'run_at',
    'waits',
    'It waits out the pause after a failed attempt and can be claimed in 12 s.',
    null
  ],
  [
    'delayed, and without a worker',
    { workers: [gone], intent: { runAt: NOW + 60 } },
    'run_at',
    'waits',
    'It was published with a delay and can be claimed in 1 min.',
    null,
    'It was published with a delay and can be claimed in 1 min. No worker is there; the last one, `pi9`, was seen 3 h ago.'
  ],
  [
    'to be claimed only after its lifetime',
    { workers: [online], intent: { runAt: NOW + 5_000, expiresAt: NOW + 300, attempts: 2 } },
    'lifetime',
    'fails',
    'Its lifetime ends in 5 min, before it can be claimed.',
    'Retry it: it can then be claimed at once, with a fresh lifetime.'
  ],
  [
    'in a namespace that nobody ever asked for',
    { workers: [online], intent: { namespace: 'prod' } },
    'namespace',
    'fails',
    'No worker has ever asked for namespace `prod`. Workers ask for `default` instead.',
    'Start a worker that claims with `namespace=prod`.'
  ],
  [
    'in a namespace that nobody asks for any more',
    { workers: [online, { ...gone, asks: of('prod', null, null, NOW - 3 * HOUR) }], intent: { namespace: 'prod' } },
    'namespace',
    'fails',
    'No worker asks for namespace `prod`: the last one that did was `pi9`, 3 h ago.',
    'Start a worker that claims with `namespace=prod`.'
  ],
  [
    'for a goal that nobody ever asked for',
    { workers: [{ ...online, asks: of('default', 'backup') }] },
    'goal',
    'fails',
    'No worker has ever asked for `resize` in namespace `default`.',
    'Start a worker that claims `resize`, or any goal.'
  ],
  [
    'for a goal that nobody asks for any more',
    { workers: [{ ...online, asks: of('default', 'backup') }, { ...gone, asks: of('default', 'resize', null, NOW - 3 * HOUR) }] },
    'goal',
    'fails',
    'No worker asks for `resize`: the last one that did was `pi9`, 3 h ago.',
    'Start `pi9` again.'
  ],
  [
    'private, asked for with other keys',
    { workers: [online, { worker: 'pi5' }, { ...gone, key: ANN }], intent: { publisher: ANN } },
    'visibility',
    'fails',
    `It is private: only workers with ${ANNS_KEY} may claim it, and the last worker with that key, \`pi9\`, was seen 3 h ago. \`pi4\` and \`pi5\` ask for it with another key.`,
    'Start a worker with that key, or publish it again as public.'
  ],
  [
    'private, while its key is used for something else',
    { workers: [online, { worker: 'pi5', key: ANN, asks: of('default', 'backup') }], intent: { publisher: ANN } },
    'visibility',
    'fails',
    `It is private: only workers with ${ANNS_KEY} may claim it, and \`pi5\` uses that key but does not ask for it. \`pi4\` asks for it with another key.`,
    'Start a worker with that key, or publish it again as public.'
  ],
  [
    'private to a key that no worker uses',
    { workers: [online], intent: { publisher: ANN } },
    'visibility',
    'fails',
    `It is private: only workers with ${ANNS_KEY} may claim it, and no worker was ever seen with that key. \`pi4\` asks for it with another key.`,
    'Start a worker with that key, or publish it again as public.'
  ],
  [
    'private to a key that was revoked',
    { workers: [online], intent: { publisher: ANN }, isAnnRevoked: true },
    'visibility',
    'fails',
    `It is private, and ${ANNS_KEY} was revoked: no worker can claim it.`,
    'Duplicate it, and cancel this one.'
  ],
  [
    'public, while workers ask for another publisher',
    { workers: [{ ...online, asks: of('default', null, ANN) }], intent: { visibility: 'public' } },
    'visibility',
    'fails',
    'It is public, but `pi4` asks for the intents of other publishers only.',
    'Start a worker that names no publisher.'
  ],
  [
    'meant for a worker that is gone',
    { workers: [online, gone], intent: { target: 'pi9' } },
    'target',
    'fails',
    'It is meant for worker `pi9` only; `pi9` was last seen 3 h ago.',
    'Start a worker with `X-Worker-ID: pi9`, or publish it again without a target.'
  ],
  [
    'meant for a worker that was never seen',
    { workers: [online], intent: { target: 'pi0' } },
    'target',
    'fails',
    'It is meant for worker `pi0` only; no worker of that name was ever seen.',
    'Start a worker with `X-Worker-ID: pi0`, or publish it again without a target.'
  ],
  [
    'in need of a capability whose last worker is gone',
    { workers: [online, { ...gone, capabilities: ['gpu'] }], intent: { capability: 'gpu' } },
    'capability',
    'fails',
    'It needs capability `gpu`; the last worker offering it, `pi9`, was seen 3 h ago.',
    'Start `pi9` again, or a worker with `X-Worker-Capabilities: gpu`.'
  ],
  [
    'in need of a capability that nobody ever offered',
    { workers: [online], intent: { capability: 'gpu' } },
    'capability',
    'fails',
    'It needs capability `gpu`; no worker has ever offered it.',
    'Start a worker with `X-Worker-Capabilities: gpu`.'
  ],
  [
    'asking for what no worker has all of',
    {
      workers: [{ worker: 'pi4' }, { worker: 'pi5', capabilities: ['gpu'], asks: of('default', 'backup') }],
      intent: { capability: 'gpu' }
    },
    'workers',
    'fails',
    'Each condition is met by some worker, but no worker meets all of them: `pi4` does not offer `gpu`; `pi5` does not ask for it.',
    'Start a worker that meets all of them, or publish it again with fewer.'
  ],
  ['alone', {}, 'workers', 'fails', 'No worker has ever asked this bus for anything.', 'Start one: the Overview shows the line of curl that claims.'],
  ['left by its workers', { workers: [gone] }, 'workers', 'fails', 'No worker is there; the last one, `pi9`, was seen 3 h ago.', 'Start `pi9` again.']
])('an intent that is %s', (_name, situation, rule, outcome, text, next, verdict = text) => {
  const explanation = explain(situation)
  const { at, ...said } = check(explanation, rule)
  expect(said).toEqual({ rule, outcome, text, next })
  // Only what waits knows when it will hold.
  expect(at === null ? 'fails' : at > NOW && 'waits').toBe(outcome)
  expect(explanation.verdict).toBe(verdict)
})

describe('an intent that nothing keeps', () => {
  test('holds every rule, in plain words', () => {
    const { checks, ahead, verdict } = explain({ workers: [{ ...online, capabilities: ['gpu'] }], intent: { capability: 'gpu', createdAt: NOW - 60 } })
    expect(checks.map(({ rule, outcome, text }) => [rule, outcome, text])).toEqual([
      ['bus', 'holds', 'The bus is running and gives out intents.'],
      ['status', 'holds', 'It is open; attempt 1 of 3 comes next.'],
      ['run_at', 'holds', 'It has been due for 1 min.'],
      ['lifetime', 'holds', 'Its lifetime ends in 23 h.'],
      ['namespace', 'holds', '`pi4` asks for namespace `default`.'],
      ['goal', 'holds', '`pi4` asks for any goal, so for `resize` too.'],
      ['visibility', 'holds', 'It is private: only workers with the main key may claim it, and `pi4` has it.'],
      ['target', 'holds', 'It is meant for no worker in particular.'],
      ['capability', 'holds', 'It needs capability `gpu`; `pi4` offers it.'],
      ['workers', 'holds', '`pi4` meets every condition; `pi4` is online.'],
      ['order', 'holds', 'No other intent comes before it.']
    ])
    expect(ahead).toBe(0)
    expect(verdict).toBe('It should be claimed within seconds by `pi4`; it is next in line.')
  })

  test('tells whom it waits for when all are busy or late', () => {
    using database = new ReadingDatabase()
    database.addWorker({ worker: 'pi4' })
    database.addWorker({ worker: 'pi5', lastSeenAt: NOW - 300 })
    database.add({ status: 'claimed', claimedBy: 'main', worker: 'pi4', leaseEndsAt: NOW + 30 })
    const { verdict } = database.queries.explain(database.add(), CONTEXT)!
    expect(verdict).toBe('It waits for a worker to be free: `pi4` is busy with 1 intent and `pi5` is late: it was last seen 5 min ago; it is next in line.')
  })

  test('is unknown by another id', () => {
    using database = new ReadingDatabase()
    expect(database.queries.explain('0'.repeat(32), CONTEXT)).toBeUndefined()
  })

  test('that the main key asks for in the name of its publisher is seen by that worker', () => {
    const { verdict } = explain({ workers: [{ ...online, asks: of('default', 'resize', ANN) }], intent: { publisher: ANN } })
    expect(verdict).toBe('It should be claimed within seconds by `pi4`; it is next in line.')
  })
})

const scope = (limits: Partial<Scope>): Partial<KeyLimits> => ({ scope: { roles: null, namespaces: null, goals: null, ...limits } })
const anns: Partial<WorkerSample> = { worker: 'pi4', key: ANN }

/** A worker that asked for it just now, whose key has other limits since. */
describe('limits of keys', () => {
  test.each<[name: string, Situation, Check['rule'], text: string]>([
    ['the goal', { annsLimits: scope({ goals: ['backup.*'] }) }, 'namespace', '`pi4` asked for namespace `default`, but its key may not claim that any more.'],
    [
      'the goal, by its name',
      { annsLimits: scope({ goals: ['backup'] }), workers: [{ ...anns, asks: [...of('default', 'backup'), ...of('default', 'resize')] }] },
      'goal',
      '`pi4` asked for `resize`, but its key may not claim that any more.'
    ],
    ['the namespace', { annsLimits: scope({ namespaces: ['prod'] }) }, 'namespace', '`pi4` asked for namespace `default`, but its key may not claim that any more.'],
    ['claims', { annsLimits: scope({ roles: ['publish', 'read'] }) }, 'namespace', '`pi4` asked for namespace `default`, but its key may not claim that any more.'],
    ['its time', { annsLimits: { expiresAt: NOW - 1 } }, 'namespace', '`pi4` asked for namespace `default`, but its key has expired.'],
    ['its being', { isAnnRevoked: true }, 'namespace', '`pi4` asked for namespace `default`, but its key was revoked.']
  ])('that took a key %s are told', (_name, situation, rule, text) => {
    const explanation = explain({ workers: [anns], intent: { visibility: 'public' }, ...situation })
    expect(explanation.verdict).toBe(text)
    expect(check(explanation, rule)).toMatchObject({ outcome: 'fails', text, next: expect.stringMatching(/another key\.$/) as string })
  })

  test.each<[Partial<KeyLimits>, string]>([
    [scope({ roles: ['publish'] }), `It is private: only workers with ${ANNS_KEY} may claim it, and that key may not claim it.`],
    [{ expiresAt: NOW - 1 }, `It is private: only workers with ${ANNS_KEY} may claim it, and that key has expired.`]
  ])('that leave nobody for a private intent are told: %j', (annsLimits, text) => {
    const explanation = explain({ workers: [online], intent: { publisher: ANN }, annsLimits })
    expect(explanation.verdict).toBe(text)
  })

  test('that let a worker claim it say nothing', () => {
    const situation = { workers: [anns], intent: { visibility: 'public' as const } }
    const annsLimits = { ...scope({ roles: ['claim'], namespaces: ['default'] }), expiresAt: NOW + 100 }
    const { id: _, ...told } = explain(situation)
    expect(explain({ ...situation, annsLimits })).toMatchObject(told)
  })
})

describe('how many come before it', () => {
  const ask = { namespace: 'default', goal: null, publisher: null, workerId: 'pi4', capabilities: ['gpu'] }

  test.each([
    ['any goal', ask],
    ['one goal', { ...ask, goal: 'resize' }],
    ['the intents of one publisher', { ...ask, publisher: 'main' }],
    ['one goal of one publisher', { ...ask, goal: 'resize', publisher: 'main' }]
  ])('is as many as the worker that asks for %s then claims', async (_name, request) => {
    await using test = new TestBus()
    expect(await test.claim(request)).toBeNull()
    const kinds = [
      { priority: 500 },
      { priority: 500, goal: 'backup' },
      {},
      { visibility: 'public' as const, priority: 200 },
      { requiredCapability: 'gpu' },
      { requiredCapability: 'tpu', priority: 900 },
      { targetWorker: 'pi4', priority: 101 },
      { targetWorker: 'pi5', priority: 900 },
      { namespace: 'prod', priority: 900 },
      { delay: 500, priority: 900 },
      { priority: 1 }
    ]
    const ids: string[] = []
    for (const kind of [...kinds, ...kinds]) {
      await test.clock.advance(1)
      ids.push(await test.publish({ goal: 'resize', ...kind }))
    }
    // What rides along with other writes is written within a second of the next one.
    await test.claim({ ...request, goal: 'nothing' })
    await test.claim(request).then((claimed) => test.bus.fail(callerOf(MAIN), claimed!.id, { claimToken: claimed!.claim_token, error: 'x' }))
    await test.clock.advance(2)
    await test.bus.setPaused(false)
    const wanted = ids[13]!
    const { ahead, verdict } = (await test.bus.reader.ask('explain', wanted, { ...CONTEXT, now: test.clock.now() }))!
    expect(verdict).toMatch(/^It should be claimed within seconds by `pi4`; \d+ intents come before it\.$/)
    let claims = 0
    for (;;) {
      const claimed = await test.claim(request)
      if (claimed!.id === wanted) break
      claims++
    }
    expect(ahead).toBe(claims)
    expect(ahead).toBeGreaterThan(1)
  })
})
