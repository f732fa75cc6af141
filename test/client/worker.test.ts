import { setTimeout } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { IntentBusAuthError, TextResult, type Handler, type Outcome } from '../../src/main/client/index.ts'
import { ClientRig, rejection, until } from './rig.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())
const client = rig.client()

/** A handler that takes as long as a test wants. */
function gate(): { handler: Handler; open: (result?: unknown) => void; signals: AbortSignal[] } {
  const signals: AbortSignal[] = []
  let open = (_result?: unknown): void => {}
  const opened = new Promise((resolve) => (open = resolve))
  const handler: Handler = (_payload, { signal }) => {
    signals.push(signal)
    return opened
  }
  return { handler, open: (result) => open(result), signals }
}

test('handlers get payload and intent, and what they return is the result', async () => {
  const outcomes: Outcome[] = []
  const worker = client.worker({
    goals: {
      add: (payload, { intent }) => (payload as number[]).reduce((a, b) => a + b) + intent.claimAttempts,
      shout: async (payload) => new TextResult(String(payload).toUpperCase()),
      nothing: () => {}
    },
    onSettled: (outcome) => void outcomes.push(outcome)
  })
  const running = worker.run()
  const [sum, loud, none] = await Promise.all([
    client.publishAndWait('add', [1, 2]),
    client.publishAndWait('shout', 'hey'),
    client.publishAndWait('nothing', {})
  ])
  expect(sum).toMatchObject({ result: 4, resultType: 'json' })
  expect(loud).toMatchObject({ result: 'HEY', resultType: 'text' })
  expect(none).toMatchObject({ status: 'fulfilled', result: null })
  await worker.stop()
  await running
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
})

test('what a handler throws is the error of the intent', async () => {
  const worker = client.worker({
    goals: {
      throws: () => {
        throw new Error('no such printer')
      },
      rejects: () => Promise.reject('just text')
    }
  })
  const running = worker.run()
  expect(await rejection(client.publishAndWait('throws', 1, { maxAttempts: 1 }))).toMatchObject({ code: 'intent_failed' })
  expect((await rejection(client.publishAndWait('rejects', 1, { maxAttempts: 1 }))).message).toContain('just text')
  await worker.stop()
  await running
})

test('a result that the bus refuses, or that is no JSON, fails the intent with the reason', async () => {
  const worker = client.worker({
    goals: {
      large: () => 'x'.repeat(8000),
      huge: () => 'x'.repeat(9000),
      circular: () => {
        const circle: { self?: unknown } = {}
        return (circle.self = circle)
      }
    },
    onError: () => {}
  })
  const running = worker.run()
  const reason = async (goal: string): Promise<string> =>
    (await rejection(client.publishAndWait(goal, 1, { maxAttempts: 1 }))).message
  const [large, huge, circular] = await Promise.all(['large', 'huge', 'circular'].map(reason))
  expect(large).toContain('7168')
  expect(huge).toContain('7168')
  expect(circular).toContain('circular')
  await worker.stop()
  await running
})

test('as many intents as the concurrency allows are worked on at a time', async () => {
  let now = 0
  let most = 0
  const worker = client.worker({
    goal: 'crowd',
    concurrency: 3,
    handler: async () => {
      most = Math.max(most, ++now)
      await setTimeout(60)
      now--
    }
  })
  const running = worker.run()
  await Promise.all(Array.from({ length: 9 }, (_, i) => client.publishAndWait('crowd', i)))
  expect(most).toBe(3)
  await worker.stop()
  await running
})

test('listen fails an intent for false, fulfils it for anything else, and ends with its signal', async () => {
  const controller = new AbortController()
  const listening = client.listen('check', (payload) => payload !== 'bad' && undefined, { signal: controller.signal })
  expect((await client.publishAndWait('check', 'good')).result).toBeNull()
  expect((await rejection(client.publishAndWait('check', 'bad', { maxAttempts: 1 }))).message).toContain('The handler returned false.')
  controller.abort()
  await listening
})

test('stopping ends the parked claim at once', async () => {
  const worker = client.worker({ goal: 'idle', handler: () => {} })
  const running = worker.run()
  await until(() => rig.proxy.to('/claim').some(({ query }) => query.get('goal') === 'idle'))
  const startedAt = performance.now()
  await worker.stop()
  await running
  expect(performance.now() - startedAt).toBeLessThan(500)
  // Nobody is parked any more who could take it.
  const { id } = await client.publish('idle', 1)
  await setTimeout(100)
  expect((await client.getStatus(id)).status).toBe('open')
})

test('stopping lets what runs finish, and claims no more', async () => {
  const { handler, open, signals } = gate()
  const worker = client.worker({ goal: 'finish', handler })
  const running = worker.run()
  const [first, second] = [await client.publish('finish', 1), await client.publish('finish', 2)]
  await until(() => worker.size === 1)
  const stopped = worker.stop()
  await setTimeout(50)
  expect(signals[0]!.aborted).toBe(false)
  open('done')
  await stopped
  await running
  expect(await client.getResult(first.id)).toMatchObject({ status: 'fulfilled', result: 'done' })
  expect((await client.getStatus(second.id)).status).toBe('open')
})

test.each([
  ['at once', { handBack: true }],
  ['after a while', { timeout: 0.2 }]
])('what runs is handed back %s, also by a handler that does not listen', async (_name, options) => {
  const { handler, signals } = gate()
  const worker = client.worker({ goal: 'hand back', handler })
  const running = worker.run()
  const { id } = await client.publish('hand back', 1, { maxAttempts: 1 })
  await until(() => worker.size === 1)
  await worker.stop(options)
  await running
  expect(signals[0]!.aborted).toBe(true)
  expect(await client.getStatus(id)).toMatchObject({ status: 'dead', error: 'worker stopped' })
})

test('an intent that is handed back says so, whatever its handler throws then', async () => {
  const worker = client.worker({ goal: 'heeds', handler: (_payload, { signal }) => setTimeout(60_000, undefined, { signal }) })
  const running = worker.run()
  const { id } = await client.publish('heeds', 1, { maxAttempts: 1 })
  await until(() => worker.size === 1)
  await worker.stop({ handBack: true })
  await running
  expect(await client.getStatus(id)).toMatchObject({ status: 'dead', error: 'worker stopped' })
})

test('a stop that waits can be told to hand back after all', async () => {
  const { handler } = gate()
  const worker = client.worker({ goal: 'second thoughts', handler })
  const running = worker.run()
  const { id } = await client.publish('second thoughts', 1)
  await until(() => worker.size === 1)
  const stopped = worker.stop()
  await worker.stop({ handBack: true })
  await Promise.all([stopped, running])
  expect(await client.getStatus(id)).toMatchObject({ status: 'open', error: 'worker stopped' })
})

test('a worker with a wrong key says so and ends', async () => {
  const worker = rig.client({ apiKey: 'nobody' }).worker({ goal: 'x', handler: () => {} })
  expect(await rejection(worker.run())).toBeInstanceOf(IntentBusAuthError)
})

test.each([
  ['no goal', {}],
  ['too many goals', { goals: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`g${i}`, () => {}])) }],
  ['no place to work', { goal: 'x', handler: () => {}, concurrency: 0 }]
])('%s makes no worker', (_name, options) => {
  expect(() => client.worker(options)).toThrow(TypeError)
})

test.concurrent('trouble goes to onError and is over when it is over; the worker comes back when it is told to', async () => {
  const faults = ['drop', { status: 502 }, { status: 429, headers: { 'Retry-After': '2' } }] as const
  await using faulty = await ClientRig.start({}, ({ path }, count) => (path === '/claim' ? (faults[count] ?? 'pass') : 'pass'))
  const errors: Error[] = []
  const client = faulty.client()
  const worker = client.worker({ goal: 'survives', handler: () => 'yes', onError: (error) => void errors.push(error) })
  const running = worker.run()
  expect((await client.publishAndWait('survives', 1)).result).toBe('yes')
  expect(errors.map(({ name }) => name)).toEqual(['IntentBusNetworkError', 'IntentBusError', 'IntentBusRateLimitError'])
  const times = faulty.proxy.to('/claim').map(({ at }) => at)
  expect(times[3]! - times[2]!).toBeGreaterThanOrEqual(1.99)
  await worker.stop()
  await running
})

test.concurrent('an intent that nobody asked for is failed, not dropped', async () => {
  const body = JSON.stringify({ id: 'f'.repeat(32), goal: 'other', payload: 1, claim_attempts: 1, claim_token: 't', claim_timeout: 60 })
  await using faulty = await ClientRig.start({}, ({ path }, count) => {
    if (path === '/claim') return count === 0 ? { status: 200, body } : 'pass'
    return { status: 200, body: '{"ok":true}' }
  })
  const worker = faulty.client().worker({ goal: 'mine', handler: () => 'wrong' })
  const running = worker.run()
  await until(() => faulty.proxy.to('/fail').length > 0)
  expect(JSON.parse(faulty.proxy.to('/fail')[0]!.body)).toEqual({ claim_token: 't', error: 'This worker has no handler for other.' })
  await worker.stop()
  await running
})

test('a worker says that the bus is back as soon as it is, and once', async () => {
  const heard: string[] = []
  const plan = rig.proxy.plan
  rig.proxy.plan = ({ path }) => (path.startsWith('/claim') ? 'drop' : 'pass')
  const worker = client.worker({
    goals: { quiet: () => {} },
    onError: () => void heard.push('trouble'),
    onRecovery: () => void heard.push('back')
  })
  const running = worker.run()
  try {
    await until(() => heard.length === 2)
    rig.proxy.plan = plan
    // Long before a claim that is held would end.
    await until(() => heard.includes('back'))
    await client.publishAndWait('quiet', 1)
    expect(heard).toEqual([...heard.slice(0, -1).map(() => 'trouble'), 'back'])
  } finally {
    await worker.stop()
    await running
  }
})
