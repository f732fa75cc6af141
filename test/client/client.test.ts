import { afterAll, expect, test } from 'vitest'
import {
  IntentBusAuthError,
  IntentBusError,
  IntentBusNetworkError,
  IntentBusRateLimitError,
  IntentClient,
  IntentFailedError,
  LeaseLostError,
  WaitTimeoutError
} from '../../src/main/client/index.ts'
import { MAIN_KEY } from '../support/test-server.ts'
import { FaultyProxy } from './faulty-proxy.ts'
import { ClientRig, rejection } from './rig.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())
const client = rig.client()

test('an intent goes from publish to result', async () => {
  const published = await client.publish('greet', { name: 'Ada' })
  expect(published).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), status: 'published', namespace: 'default' })

  const intent = (await client.claim({ goal: 'greet', workerId: 'w1' }))!
  expect(intent).toEqual({
    id: published.id,
    namespace: 'default',
    goal: 'greet',
    payload: { name: 'Ada' },
    payloadText: '{"name":"Ada"}',
    claimAttempts: 1,
    priority: 100,
    targetWorker: null,
    requiredCapability: null,
    claimToken: expect.any(String),
    claimTimeout: 60,
    traceparent: null
  })
  await client.extendClaim(intent.id, intent.claimToken, 120)
  const running = await client.getStatus(intent.id)
  expect(running).toMatchObject({ status: 'claimed', claimAttempts: 1, completedAt: null, error: null })
  expect(running.claimExpiresAt! - Date.now() / 1000).toBeGreaterThan(110)

  await client.fulfill(intent.id, intent.claimToken, { text: 'Hello Ada' })
  expect(await client.getResult(intent.id)).toMatchObject({
    status: 'fulfilled',
    result: { text: 'Hello Ada' },
    resultText: '{"text":"Hello Ada"}',
    resultType: 'json',
    completedAt: expect.any(Number)
  })
})

test('every option of a publish arrives', async () => {
  const options = {
    namespace: 'lab',
    visibility: 'public',
    priority: 7,
    delay: 0,
    maxAttempts: 1,
    backoffBase: 2,
    targetWorker: 'w-7',
    requiredCapability: 'gpu'
  } as const
  const { id } = await client.publish('options', null, options)
  expect((await rig.server.admin(`/admin/intents/${id}`)).json).toMatchObject({
    namespace: 'lab',
    visibility: 'public',
    priority: 7,
    max_attempts: 1,
    backoff_base: 2,
    target_worker: 'w-7',
    required_capability: 'gpu',
    payload: null
  })
  expect(await client.claim({ goal: 'options', namespace: 'lab', workerId: 'w-7' })).toBeNull()
  const named = rig.client({ workerId: 'w-7', capabilities: ['cpu', 'gpu'] })
  expect((await named.claim({ goal: 'options', namespace: 'lab', publisher: 'main' }))?.id).toBe(id)
})

test('a worker whose name no header can carry claims all the same', async () => {
  const { id } = await client.publish('named', 1)
  expect(await client.claim({ goal: 'named', workerId: 'Wohnzimmer ä' })).not.toBeNull()
  expect((await rig.server.admin(`/admin/intents/${id}`)).json.worker).toBe('Wohnzimmer ä')
})

test('a text result stays text, and no result is null', async () => {
  const { id } = await client.publish('text', 1)
  const intent = (await client.claim({ goal: 'text' }))!
  expect(await client.getResult(id)).toMatchObject({ status: 'claimed', result: null, resultText: 'null' })
  await client.fulfill(id, intent.claimToken, '42', { resultType: 'text' })
  expect(await client.getResult(id)).toMatchObject({ result: '42', resultType: 'text' })
})

test('a failed intent is open again, a dead one says why', async () => {
  const { id } = await client.publish('fails', 1, { maxAttempts: 1 })
  const intent = (await client.claim({ goal: 'fails' }))!
  await client.fail(id, intent.claimToken, 'no paper')
  expect(await client.getStatus(id)).toMatchObject({ status: 'dead', error: 'no paper' })
})

test('publishAndWait answers with the result, or says what else became of the intent', async () => {
  const answering = (async () => {
    const intent = (await client.claim({ goal: 'ask', wait: 10 }))!
    await client.fulfill(intent.id, intent.claimToken, 'four')
    const other = (await client.claim({ goal: 'ask', wait: 10 }))!
    await client.fail(other.id, other.claimToken, 'too hard')
  })()
  expect(await client.publishAndWait('ask', '2+2')).toMatchObject({ status: 'fulfilled', result: 'four' })
  const failed = await rejection<IntentFailedError>(client.publishAndWait('ask', 'why', { maxAttempts: 1 }))
  expect(failed).toBeInstanceOf(IntentFailedError)
  expect(failed.message).toContain('too hard')
  await answering

  const late = await rejection<WaitTimeoutError>(client.publishAndWait('ask', 'anybody?', { timeout: 0.3 }))
  expect(late).toBeInstanceOf(WaitTimeoutError)
  expect(await client.getStatus(late.intentId)).toMatchObject({ status: 'open' })
})

test('values are kept, and absent ones are null', async () => {
  await client.set('a key/with ä and 100%', { n: [1, null] }, { ttl: 60 })
  expect(await client.get('a key/with ä and 100%')).toEqual({ n: [1, null] })
  expect(await client.get('never set')).toBeNull()
  expect(await client.find('never set')).toBeUndefined()
  await client.set('nothing', null)
  expect(await client.find('nothing')).toEqual({ value: null })
})

test.each(['', '.', '..', '\ud800'])('the name %j is refused before a URL makes another of it', async (name) => {
  expect(await rejection<IntentBusError>(client.get(name))).toMatchObject({ code: 'invalid_key' })
  expect(await rejection<IntentBusError>(client.set(name, 1))).toMatchObject({ code: 'invalid_key' })
})

test('refusals are errors of their own kind, with code, status and request id', async () => {
  const stranger = rig.client({ apiKey: 'nobody' })
  const unknown = await rejection<IntentBusError>(stranger.publish('x', 1))
  expect(unknown).toBeInstanceOf(IntentBusAuthError)
  expect(unknown).toMatchObject({ code: 'unauthorized', status: 401, message: 'Invalid API key.', requestId: expect.any(String) })

  const malformed = await rejection<IntentBusError>(client.publish('x', 1, { priority: 2000 }))
  expect(malformed).toMatchObject({ name: 'IntentBusError', code: 'invalid_priority', status: 400 })

  const lost = await rejection<IntentBusError>(client.fulfill('0'.repeat(32), 'no token'))
  expect(lost).toBeInstanceOf(LeaseLostError)
  for (const call of ['extendClaim', 'fail'] as const) {
    expect(await rejection(client[call]('0'.repeat(32), 't'))).toBeInstanceOf(LeaseLostError)
  }
  const absent = await rejection<IntentBusError>(client.getStatus('0'.repeat(32)))
  expect(absent).toMatchObject({ name: 'IntentBusError', code: 'not_found', status: 404 })

  const reader = rig.client({ apiKey: await rig.server.newKey() })
  const { id } = await client.publish('secret', 1)
  expect(await rejection<IntentBusError>(reader.getResult(id))).toMatchObject({ name: 'IntentBusAuthError', code: 'forbidden' })
})

test.each([7_000, 7_165, 40_000, 2_000_000])('what is too large is told by its size and what is allowed: %i characters', async (length) => {
  const text = `${'x'.repeat(length - 1)}é`
  const error = { code: 'payload_too_large', status: 413, message: `The payload is too large: ${length + 3} bytes of JSON, and 7168 are allowed.` }
  if (length + 3 <= 7_168) await client.publish('fits', text, { visibility: 'private' })
  else expect(await rejection<IntentBusError>(client.publish('large', text))).toMatchObject(error)
})

test('a result and a value that are too large are told so, too', async () => {
  await client.publish('report', null)
  const { id, claimToken } = (await client.claim({ goal: 'report' }))!
  const refused = await rejection<IntentBusError>(client.fulfill(id, claimToken, 'x'.repeat(9_000)))
  expect(refused).toMatchObject({ status: 413, message: 'The result is too large: 9002 bytes of JSON, and 7168 are allowed.' })
  const value = await rejection<IntentBusError>(client.set('large', 'x'.repeat(9_000)))
  expect(value.message).toMatch(/^The request is too large: 90\d\d bytes of JSON, and 8192 are allowed\.$/)
})

test('a key that asks too much is told how long to wait', async () => {
  const busy = rig.client({ apiKey: await rig.server.newKey() })
  await Promise.all(Array.from({ length: 60 }, () => busy.claim()))
  const limited = await rejection<IntentBusError>(busy.claim())
  expect(limited).toBeInstanceOf(IntentBusRateLimitError)
  expect(limited.retryAfter).toBeGreaterThan(0)
})

test('what is no bus is told as such', async () => {
  await using proxy = await FaultyProxy.start(rig.server.url, ({ path }) => {
    if (path === '/claim') return { status: 200, body: '<html>' }
    if (path === '/intent') return { status: 307, headers: { Location: 'https://elsewhere.example/intent' } }
    return { status: 502, body: '<html>Bad gateway' }
  })
  const lost = new IntentClient({ baseUrl: proxy.url, apiKey: MAIN_KEY })
  expect(await rejection(lost.claim())).toMatchObject({ code: 'invalid_answer' })
  const moved = await rejection(lost.publish('x', 1))
  expect(moved).toMatchObject({ code: 'redirected', status: 307 })
  expect(moved.message).toContain('https://elsewhere.example/intent')
  expect(await rejection(lost.fail('a', 'b'))).toMatchObject({ code: 'http_502', status: 502 })
  expect(proxy.seen).toHaveLength(3)
})

test('a bus that is not there, or does not answer, is a network error', async () => {
  const gone = await FaultyProxy.start(rig.server.url)
  const baseUrl = gone.url
  await gone[Symbol.asyncDispose]()
  const refused = await rejection<IntentBusNetworkError>(new IntentClient({ baseUrl, apiKey: MAIN_KEY }).claim())
  expect(refused).toBeInstanceOf(IntentBusNetworkError)
  expect(refused.message).toContain(`${baseUrl} cannot be reached: connect ECONNREFUSED`)

  await using proxy = await FaultyProxy.start(rig.server.url, () => 'hang')
  const slow = new IntentClient({ baseUrl: proxy.url, apiKey: MAIN_KEY, timeout: 0.2 })
  const timedOut = await rejection<IntentBusNetworkError>(slow.claim())
  expect(timedOut).toBeInstanceOf(IntentBusNetworkError)
  expect(timedOut.code).toBe('timeout')
})

test('a call ends with the reason of its signal, while it is under way, waits or pauses', async () => {
  const why = new Error('enough')
  await using proxy = await FaultyProxy.start(rig.server.url, ({ path }) => (path === '/intent' ? { status: 503 } : 'hang'))
  const patient = new IntentClient({ baseUrl: proxy.url, apiKey: MAIN_KEY })
  const calls = [
    (signal: AbortSignal) => patient.claim({ wait: 30, signal }),
    (signal: AbortSignal) => patient.publish('x', 1, { signal }),
    (signal: AbortSignal) => patient.getResult('a', { signal }),
    (signal: AbortSignal) => client.getResult('0'.repeat(32), { signal: AbortSignal.any([signal, AbortSignal.abort(why)]) })
  ]
  for (const call of calls) {
    const controller = new AbortController()
    setTimeout(() => controller.abort(why), 100)
    expect(await rejection(call(controller.signal))).toBe(why)
  }
})

test.each([
  ['http://bus.local/', 'http://bus.local'],
  ['https://bus.local:8443/prefix/', 'https://bus.local:8443/prefix']
])('the address %s is kept as %s', (baseUrl, kept) => {
  expect(new IntentClient({ baseUrl, apiKey: 'k' }).baseUrl).toBe(kept)
})

test.each(['bus.local:7610', 'ftp://bus.local', 'http://user:pass@bus.local', 'http://bus.local/?a=1', ''])(
  'the address %j is refused',
  (baseUrl) => {
    expect(() => new IntentClient({ baseUrl, apiKey: 'k' })).toThrow(TypeError)
  }
)

test('a key that no header can carry is refused without being shown', () => {
  const make = (): IntentClient => new IntentClient({ apiKey: 'secret\n' })
  expect(make).toThrow(IntentBusAuthError)
  expect(make).not.toThrow(/secret/)
})

test('an idempotency key publishes once', async () => {
  const [first, second] = await Promise.all([
    client.publish('once', { b: 1 }, { idempotencyKey: 'order-1' }),
    client.publish('once', { b: 1 }, { idempotencyKey: 'order-1' })
  ])
  expect(second.id).toBe(first.id)
  expect(await rejection(client.publish('once', { b: 2 }, { idempotencyKey: 'order-1' }))).toMatchObject({ status: 422 })
  expect(await rejection(client.publish('once', 1, { idempotencyKey: 'ä' }))).toMatchObject({ code: 'invalid_header' })
})
