import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, claimed, DAY, deadIntent, fail, fulfill, lease, refusal, status } from './steps.ts'

/** An intent in each state that clients can see. */
const IN_STATE: [state: string, make: (server: TestServer) => Promise<string>][] = [
  ['open', (server) => server.publish({ payload: { a: 1 } })],
  ['claimed', async (server) => (await lease(server, { payload: { a: 1 } })).id],
  [
    'fulfilled',
    async (server) => {
      const taken = await lease(server, { payload: { a: 1 } })
      await fulfill(server, taken, { result: 'done', result_type: 'text' })
      return taken.id
    }
  ],
  ['dead', (server) => deadIntent(server, { payload: { a: 1 } })]
]

const cancel = (server: TestServer, id: string) => server.admin(`/admin/intents/${id}/cancel`, undefined, 'POST')
const retry = (server: TestServer, id: string) => server.admin(`/admin/intents/${id}/retry`, undefined, 'POST')

test('the detail of an intent has everything, the payload included', async () => {
  await using server = await TestServer.start()
  const createdAt = server.clock.now()
  const taken = await lease(server, { goal: 'resize', payload: { w: [1] } })
  await server.clock.advance(2)
  await fulfill(server, taken, { result: { ok: true } })
  const answer = await server.admin(`/admin/intents/${taken.id}`)
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({
    id: taken.id,
    goal: 'resize',
    payload: { w: [1] },
    namespace: 'default',
    visibility: 'private',
    priority: 100,
    max_attempts: 3,
    backoff_base: 5,
    target_worker: null,
    required_capability: null,
    status: 'fulfilled',
    claim_attempts: 1,
    claimed_by: 'main',
    claimed_at: createdAt,
    claim_expires_at: null,
    run_at: createdAt,
    created_at: createdAt,
    expires_at: createdAt + DAY,
    last_error: null,
    result: { ok: true },
    result_type: 'json',
    completed_at: createdAt + 2
  })
})

test('the detail of a claimed intent tells of the lease but not its token', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  const { json, text } = await server.admin(`/admin/intents/${taken.id}`)
  const now = server.clock.now()
  expect(json).toMatchObject({ status: 'claimed', claimed_by: 'main', claimed_at: now, claim_expires_at: now + 60 })
  expect(text).not.toContain(taken.claim_token)
})

test('the detail of a failed intent has its last error', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await fail(server, taken, { error: 'no such file' })
  expect((await server.admin(`/admin/intents/${taken.id}`)).json).toMatchObject({ last_error: 'no such file' })
})

test.each(IN_STATE)('a cancel makes an intent that is %s dead and a dead letter', async (_state, make) => {
  await using server = await TestServer.start()
  const id = await make(server)
  const answer = await cancel(server, id)
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ ok: true, id, status: 'dead' })
  expect(await status(server, id)).toMatchObject({ status: 'dead', claim_expires_at: null })
  expect((await server.admin('/admin/dead')).json).toMatchObject([{ intent_id: id, goal: 'test' }])
  expect((await server.admin(`/admin/dead/${id}`)).json).toMatchObject({ intent_id: id, payload: { a: 1 } })
  await server.clock.advance(120)
  expect(await claimed(server)).toBe(204)
})

test.each(IN_STATE)('a retry opens an intent that is %s as good as new', async (_state, make) => {
  await using server = await TestServer.start()
  const id = await make(server)
  await server.clock.advance(3)
  const now = server.clock.now()
  const answer = await retry(server, id)
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ ok: true, id, status: 'open' })
  expect((await server.admin(`/admin/intents/${id}`)).json).toMatchObject({
    status: 'open',
    claim_attempts: 0,
    run_at: now,
    expires_at: now + DAY,
    claimed_by: null,
    claimed_at: null,
    claim_expires_at: null,
    last_error: null,
    result: null,
    result_type: 'json',
    completed_at: null,
    payload: { a: 1 }
  })
  expect((await server.get(`/result/${id}`)).json).not.toHaveProperty('error')
  expect((await server.admin('/admin/dead')).json).toEqual([])
  expect(refusal(await server.admin(`/admin/dead/${id}`))).toBe('404 not_found')
  expect(await claim(server)).toMatchObject({ id, claim_attempts: 1 })
})

test.each([
  ['cancel', cancel],
  ['retry', retry]
])('a %s ends the lease that runs', async (_name, act) => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await act(server, taken.id)
  expect(refusal(await fulfill(server, taken))).toBe('404 not_found')
  expect(refusal(await fail(server, taken))).toBe('404 not_found')
})

test('the token of before a retry does not fit the claim after it', async () => {
  await using server = await TestServer.start()
  const before = await lease(server)
  await retry(server, before.id)
  const after = await claim(server)
  expect(refusal(await fulfill(server, before))).toBe('404 not_found')
  expect((await fulfill(server, after)).status).toBe(200)
})

test('a retried intent has all its attempts again', async () => {
  await using server = await TestServer.start()
  const id = await deadIntent(server)
  await retry(server, id)
  await fail(server, await claim(server), { error: 'again' })
  expect(await status(server, id)).toMatchObject({ status: 'dead', claim_attempts: 1, error: 'again' })
  expect((await server.admin('/admin/dead')).json).toMatchObject([{ intent_id: id, reason: 'again' }])
})

test('a retry of an intent that waits to be due makes it due', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ delay: 3600 })
  expect(await claimed(server)).toBe(204)
  await retry(server, id)
  expect(await claimed(server)).toBe(id)
})

test('a retried intent lives for 24 hours from then', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  await server.clock.advance(DAY - 10)
  await retry(server, id)
  await server.clock.advance(DAY - 1)
  expect(await status(server, id)).toMatchObject({ status: 'open' })
  await server.clock.advance(1)
  expect((await server.get(`/status/${id}`)).status).toBe(404)
})

test('cancelling twice leaves one dead letter', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  await cancel(server, id)
  expect((await cancel(server, id)).json).toEqual({ ok: true, id, status: 'dead' })
  expect((await server.admin('/admin/dead')).json).toHaveLength(1)
})

test('an unknown intent is 404', async () => {
  await using server = await TestServer.start()
  for (const id of ['0'.repeat(32), 'x', '%00']) {
    expect(refusal(await server.admin(`/admin/intents/${id}`))).toBe('404 not_found')
    expect(refusal(await cancel(server, id))).toBe('404 not_found')
    expect(refusal(await retry(server, id))).toBe('404 not_found')
  }
})
