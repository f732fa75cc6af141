import { afterAll, expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, refusal, refusalWithMessage, status } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

const NEEDED = { goal: 'send_notification', payload: { message: 'Hello' } }

test('publishing answers 201 with a new id, the status published and the namespace', async () => {
  await using server = await TestServer.start()
  const first = await server.post('/intent', { ...NEEDED, namespace: 'my-ns' })
  const second = await server.post('/intent', NEEDED)
  expect(first.status).toBe(201)
  expect(first.headers['content-type']).toMatch(/^application\/json\b/)
  expect(first.json).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), status: 'published', namespace: 'my-ns' })
  expect(second.json.namespace).toBe('default')
  expect(second.json.id).not.toBe(first.json.id)
})

test('a missing field takes its default', async () => {
  await using server = await TestServer.start()
  const id = await server.publish(NEEDED)
  const now = server.clock.now()
  expect((await server.admin(`/admin/intents/${id}`)).json).toMatchObject({
    ...NEEDED,
    namespace: 'default',
    visibility: 'private',
    priority: 100,
    max_attempts: 3,
    backoff_base: 5,
    target_worker: null,
    required_capability: null,
    status: 'open',
    claim_attempts: 0,
    created_at: now,
    run_at: now,
    expires_at: now + 86_400
  })
})

test('null counts as missing for every optional field', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({
    ...NEEDED,
    namespace: null,
    visibility: null,
    priority: null,
    delay: null,
    max_attempts: null,
    backoff_base: null,
    target_worker: null,
    required_capability: null
  })
  expect((await server.admin(`/admin/intents/${id}`)).json).toMatchObject({
    namespace: 'default',
    visibility: 'private',
    priority: 100,
    run_at: server.clock.now(),
    max_attempts: 3,
    backoff_base: 5,
    target_worker: null,
    required_capability: null
  })
})

test('every field that a publisher gives is kept', async () => {
  await using server = await TestServer.start()
  const fields = {
    ...NEEDED,
    namespace: 'a.B_c-9',
    visibility: 'public',
    priority: 7,
    max_attempts: 20,
    backoff_base: 1.5,
    target_worker: 'worker:1.a_b-c',
    required_capability: 'gpu:v2'
  }
  const id = await server.publish({ ...fields, delay: 2.5 })
  const run_at = server.clock.now() + 2.5
  expect((await server.admin(`/admin/intents/${id}`)).json).toMatchObject({ ...fields, run_at })
})

test.each([null, true, false, 0, -1.5, '', 'text', [], [1, [2]], {}, { a: { b: [null] } }])(
  'any JSON value is a payload: %j',
  async (payload) => {
    await shared.publish({ payload })
    const lease = await claim(shared)
    expect(lease).toHaveProperty('payload')
    expect(lease.payload).toEqual(payload)
  }
)

test('a JSON body needs no Content-Type, and the one that curl sends does no harm', async () => {
  await using server = await TestServer.start()
  const answer = await server.post('/intent', NEEDED, { 'Content-Type': 'application/x-www-form-urlencoded' })
  expect(answer.status).toBe(201)
})

test('publishing without a key, with an empty one or a wrong one is 401', async () => {
  await using server = await TestServer.start()
  const without = await server.ask({ method: 'POST', path: '/intent', body: NEEDED })
  const empty = await server.post('/intent', NEEDED, {}, '')
  const wrong = await server.post('/intent', NEEDED, {}, 'tk_wrong')
  expect(refusalWithMessage(without)).toBe('401 unauthorized: Missing API key.')
  expect(refusal(empty)).toBe('401 unauthorized')
  expect(refusal(wrong)).toBe('401 unauthorized')
  expect((await server.post('/claim')).status).toBe(204)
})

test('a delayed intent becomes claimable at its run_at and not before', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ delay: 30 })
  expect(await status(server, id)).toMatchObject({ status: 'open', run_at: server.clock.now() + 30 })
  await server.clock.advance(29)
  expect((await server.post('/claim')).status).toBe(204)
  await server.clock.advance(1)
  expect((await claim(server)).id).toBe(id)
})
