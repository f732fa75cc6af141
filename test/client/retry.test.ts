import { afterAll, expect, test } from 'vitest'
import { IntentBusError, type IntentClient } from '../../src/main/client/index.ts'
import { pauseAfter, pauseAsTold, readRetryAfter } from '../../src/shared/client/retry.ts'
import type { Fault, Seen } from './faulty-proxy.ts'
import { ClientRig, rejection } from './rig.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())
const client = rig.client()

const ID = '0'.repeat(32)

interface Row {
  readonly endpoint: string
  /** How often it is sent in all. */
  readonly times: number
  readonly make: (client: IntentClient) => Promise<unknown>
}

/** The table of the Python SDK's README, and reading, which it does not have. */
const TABLE: readonly Row[] = [
  { endpoint: '/intent', times: 3, make: (client) => client.publish('retry', 1) },
  { endpoint: '/set', times: 3, make: (client) => client.set('retry', 1) },
  { endpoint: '/get', times: 3, make: (client) => client.get('retry') },
  { endpoint: '/status', times: 3, make: (client) => client.getStatus(ID) },
  { endpoint: '/result', times: 3, make: (client) => client.getResult(ID) },
  { endpoint: '/claim', times: 1, make: (client) => client.claim() },
  { endpoint: '/fulfill', times: 1, make: (client) => client.fulfill(ID, 't') },
  { endpoint: '/fail', times: 1, make: (client) => client.fail(ID, 't') },
  { endpoint: '/extend_claim', times: 1, make: (client) => client.extendClaim(ID, 't') }
]

const FAULTS: readonly (readonly [name: string, fault: Fault])[] = [
  ['a broken connection', 'drop'],
  ['500', { status: 500 }],
  ['502', { status: 502 }],
  ['503', { status: 503 }],
  ['504', { status: 504 }]
]

test.concurrent.each(FAULTS)('after %s what is safe is sent three times, anything else once', async (_name, fault) => {
  await using faulty = await ClientRig.start({}, () => fault)
  const client = faulty.client()
  await Promise.all(
    TABLE.map(async ({ make }) => {
      expect(await rejection(make(client))).toBeInstanceOf(IntentBusError)
    })
  )
  for (const { endpoint, times } of TABLE) expect([endpoint, faulty.proxy.to(endpoint).length]).toEqual([endpoint, times])
})

test.concurrent('the pauses double, with up to half a second of chance', async () => {
  await using faulty = await ClientRig.start({}, () => 'drop')
  await rejection(faulty.client().get('x'))
  const [first, second, third] = faulty.proxy.seen.map(({ at }) => at) as [number, number, number]
  expect(second - first).toBeGreaterThanOrEqual(0.99)
  expect(second - first).toBeLessThan(1.9)
  expect(third - second).toBeGreaterThanOrEqual(1.99)
  expect(third - second).toBeLessThan(2.9)
})

test.concurrent('a publish whose answer was lost happens once; each attempt has a nonce of its own and the same key', async () => {
  await using faulty = await ClientRig.start({ requireSignatures: true }, ({ path }, count) => {
    return path === '/intent' && count === 0 ? 'lose' : 'pass'
  })
  const { id } = await faulty.client().publish('lost', 1)
  const attempts = faulty.proxy.to('/intent')
  expect(attempts).toHaveLength(2)
  const distinct = (header: (seen: Seen) => unknown): number => new Set(attempts.map(header)).size
  expect(distinct(({ headers }) => headers['idempotency-key'])).toBe(1)
  expect(distinct(({ headers }) => headers['x-nonce'])).toBe(2)
  expect(distinct(({ headers }) => headers['x-signature'])).toBe(2)
  expect(attempts[0]!.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/)
  const client = faulty.client()
  expect((await client.claim({ goal: 'lost' }))!.id).toBe(id)
  expect(await client.claim({ goal: 'lost' })).toBeNull()
})

test.concurrent.each([
  ['429', 429],
  ['503', 503]
])('%s with Retry-After is tried again when it says', async (_name, status) => {
  const plan = (_seen: Seen, count: number): Fault => (count === 0 ? { status, headers: { 'Retry-After': '2' } } : 'pass')
  await using faulty = await ClientRig.start({}, plan)
  await faulty.client().set('told', 1)
  const [first, second] = faulty.proxy.seen.map(({ at }) => at) as [number, number]
  expect(second - first).toBeGreaterThanOrEqual(1.99)
  expect(second - first).toBeLessThan(2.9)
})

test.each([
  ['429 that does not say when', { status: 429 }],
  ['more patience than two minutes', { status: 503, headers: { 'Retry-After': '3600' } }],
  ['a refusal', { status: 400 }],
  ['501', { status: 501 }]
])('%s is the answer at once', async (_name, fault) => {
  await using faulty = await ClientRig.start({}, () => fault)
  const error = await rejection<IntentBusError>(faulty.client().get('x'))
  expect(error.status).toBe(fault.status)
  if ('headers' in fault) expect(error.retryAfter).toBe(3600)
  expect(faulty.proxy.seen).toHaveLength(1)
})

test('Retry-After is a number or a date', () => {
  expect(readRetryAfter('7')).toBe(7)
  expect(readRetryAfter(new Date(Date.now() + 5000).toUTCString())).toBeGreaterThan(3)
  expect(readRetryAfter('Fri, 31 Dec 1999 23:59:59 GMT')).toBe(0)
  expect(readRetryAfter('soon')).toBeUndefined()
  expect(readRetryAfter(null)).toBeUndefined()
})

test.each([
  ['nothing', 0, 1],
  ['a part of a second', 0.2, 1],
  ['some seconds', 7, 7],
  ['what nobody lives to see', 999_999_999, 120]
])('who is told to wait for %s waits for one second at least, and for two minutes at most', (_name, retryAfter, seconds) => {
  expect(pauseAsTold(retryAfter)).toBe(seconds)
  const pause = pauseAfter(new IntentBusError('busy', { code: 'busy', status: 503, retryAfter }), 0)
  expect(pause).toBeGreaterThanOrEqual(seconds)
  expect(pause).toBeLessThanOrEqual(seconds + 0.5)
})

test.concurrent.each(['0', '0.25', new Date(0).toUTCString()])('Retry-After: %s starts no storm', async (told) => {
  await using faulty = await ClientRig.start({}, () => ({ status: 503, headers: { 'Retry-After': told } }))
  const error = await rejection<IntentBusError>(faulty.client().get('x'))
  expect(error.status).toBe(503)
  const times = faulty.proxy.seen.map(({ at }) => at)
  expect(times).toHaveLength(3)
  expect(times[2]! - times[0]!).toBeGreaterThanOrEqual(1.99)
})

test('a client on a sound network sends everything once', async () => {
  await client.publish('sound', 1)
  await client.get('sound')
  expect(rig.proxy.seen).toHaveLength(2)
})
