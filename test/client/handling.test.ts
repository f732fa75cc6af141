import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { SettledIds, type ClaimedIntent, type Handler, type Outcome } from '../../src/main/client/index.ts'
import { Handling, type HandlingOptions } from '../../src/shared/client/handling.ts'
import type { LeaseOperations } from '../../src/shared/client/leases.ts'
import { Tracing } from '../../src/shared/client/tracing.ts'

/** Seconds; the first extension is due after a third. */
const LEASE = 0.6

const INTENT: ClaimedIntent = {
  id: 'f'.repeat(32),
  namespace: 'default',
  goal: 'g',
  payload: 1,
  payloadText: '1',
  claimAttempts: 1,
  priority: 100,
  targetWorker: null,
  requiredCapability: null,
  claimToken: 't',
  claimTimeout: LEASE,
  traceparent: null
}

/** A bus that takes what it is told, and counts. */
class Bus implements LeaseOperations {
  extensions = 0
  readonly failures: string[] = []
  async extendClaim(): Promise<void> {
    this.extensions++
  }
  async fulfill(): Promise<void> {}
  async fail(_id: string, _claimToken: string, error: string): Promise<void> {
    this.failures.push(error)
  }
  getStatus(): Promise<never> {
    return Promise.reject(new Error('nobody asks'))
  }
}

function handle(bus: LeaseOperations, handler: Handler, options: Partial<HandlingOptions> = {}): Handling {
  return new Handling({
    leases: bus,
    tracing: new Tracing(false, 'http://127.0.0.1:1'),
    intent: INTENT,
    workerId: undefined,
    handler,
    settledIds: undefined,
    onProgress: () => {},
    onTrouble: () => {},
    ...options
  })
}

const BROKEN: Pick<LeaseOperations, 'fulfill' | 'fail'> = {
  fulfill: () => Promise.reject(new Error('no result gets through')),
  fail: () => Promise.reject(new Error('no failure either'))
}

/** Tracing that is at fault itself: the handler does not even start. */
class BrokenTracing extends Tracing {
  override span(): Promise<never> {
    return Promise.reject(new Error('no span'))
  }
}

test.concurrent.each<[string, Partial<LeaseOperations>, Partial<HandlingOptions>]>([
  ['well', {}, {}],
  ['in a failure', {}, { handler: () => Promise.reject(new Error('no')) }],
  ['in a result and a failure that could not be told', BROKEN, {}],
  ['before it began', {}, { tracing: new BrokenTracing(false, 'http://127.0.0.1:1') }]
])('work that ends %s extends its lease no more, and is finished', async (_name, leases, options) => {
  const bus = Object.assign(new Bus(), leases)
  const handling = handle(bus, () => 'done', options)
  await Promise.allSettled([handling.settled])
  expect(await handling.finished()).toBeUndefined()
  await sleep(LEASE * 1000)
  expect(bus.extensions).toBe(0)
})

test('work that is finished may be handed back, which leaves nothing behind', async () => {
  const handling = handle(new Bus(), () => 'done')
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  await handling.finished()
  const before = timers()
  handling.handBack()
  expect(timers()).toBe(before)
  expect(await handling.settled).toEqual({ status: 'fulfilled', result: 'done' })
})

const NO_TEXT = 'Something was thrown that has no text.'

function secretive(): never {
  throw new Error('a fault of the getter')
}

test.each<[string, unknown, string]>([
  ['text', 'just text', 'just text'],
  ['nothing', undefined, 'undefined'],
  ['something without a text', Object.create(null), NO_TEXT],
  ['an error whose text is none', Object.assign(new Error(), { message: 7 }), 'Error: 7'],
  ['an error that does not tell its text', Object.defineProperty(new Error(), 'message', { get: secretive }), NO_TEXT],
  ['more than a request can carry', new Error('\n'.repeat(20_000)), '\n'.repeat(1000)],
  ['half a character', new Error('\ud83d'), '\ufffd']
])('a handler that throws %s fails the intent', async (_name, thrown, told) => {
  const bus = new Bus()
  const handling = handle(bus, () => {
    throw thrown
  })
  const outcome = (await handling.settled) as Outcome & { status: 'failed' }
  expect(outcome.status).toBe('failed')
  expect(outcome.error).toBeInstanceOf(Error)
  expect(bus.failures).toEqual([told])
  await handling.finished()
})

test('a store that does not forget a refused result is trouble, and the intent is failed all the same', async () => {
  const troubles: Error[] = []
  const bus = Object.assign(new Bus(), { fulfill: () => Promise.reject(new TypeError('no JSON')) })
  let appended = 0
  const settledIds = new SettledIds({
    store: { load: async () => [], append: () => (++appended > 1 ? Promise.reject(new Error('no disk')) : Promise.resolve()) }
  })
  const handling = handle(bus, () => 'done', { settledIds, onTrouble: (error) => void troubles.push(error) })
  expect(await handling.settled).toMatchObject({ status: 'failed', error: { message: 'no JSON' } })
  expect(bus.failures).toEqual(['no JSON'])
  expect(troubles.map(({ message }) => message)).toEqual(['no disk'])
})

test('a lease that is lost while the handler goes on tells it why, and settles nothing', async () => {
  const bus = Object.assign(new Bus(), { extendClaim: () => Promise.reject(new Error('not now')) })
  let signal: AbortSignal | undefined
  const handling = handle(bus, (_payload, context) => {
    signal = context.signal
    return new Promise(() => {})
  })
  expect(await handling.settled).toMatchObject({ status: 'lost', error: { code: 'lease_ended' } })
  expect(signal!.reason).toMatchObject({ code: 'lease_ended' })
  expect(bus.failures).toEqual([])
  handling.handBack()
  await handling.finished()
})

test('progress of work that is handed back rejects with why', async () => {
  const began = Promise.withResolvers<void>()
  const told = Promise.withResolvers<readonly [progress: unknown, reason: unknown]>()
  const handling = handle(new Bus(), async (_payload, { progress, signal }) => {
    began.resolve()
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    told.resolve([await progress('late').catch((error: unknown) => error), signal.reason])
  })
  await began.promise
  handling.handBack()
  const [progress, reason] = await told.promise
  expect(progress).toBe(reason)
  expect(await handling.settled).toMatchObject({ status: 'failed', error: { message: 'worker stopped' } })
})

test('work that is handed back at once does not begin', async () => {
  let hasBegun = false
  const bus = new Bus()
  const handling = handle(bus, () => (hasBegun = true))
  handling.handBack()
  await handling.settled
  await handling.finished()
  expect(hasBegun).toBe(false)
  expect(bus.failures).toEqual(['worker stopped'])
})
