import { afterAll, expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, claimed, extend, fail, fulfill, lease, refusal, status } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

test('extending sets the end of the lease to that many seconds from now', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await server.clock.advance(30)
  const answer = await extend(server, taken, { seconds: 120 })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ ok: true, id: taken.id, extended_by: 120 })
  const end = server.clock.now() + 120
  expect(await status(server, taken.id)).toMatchObject({ status: 'claimed', claim_expires_at: end })
  await server.clock.advance(119)
  expect(await claimed(server)).toBe(204)
  await server.clock.advance(1)
  expect(await claimed(server)).toBe(taken.id)
})

test('extending may also bring the end of the lease forward', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await extend(server, taken, { seconds: 10 })
  await server.clock.advance(9)
  expect(await claimed(server)).toBe(204)
  await server.clock.advance(1)
  expect(await claimed(server)).toBe(taken.id)
})

test.each([{}, { seconds: null }])('extending without a length means 60 seconds: %j', async (fields) => {
  await using server = await TestServer.start({ claimTimeout: 5 })
  const taken = await lease(server)
  expect((await extend(server, taken, fields)).json).toEqual({ ok: true, id: taken.id, extended_by: 60 })
  expect(await status(server, taken.id)).toMatchObject({ claim_expires_at: server.clock.now() + 60 })
})

test.each([10, 3600])('extending by %j seconds is accepted', async (seconds) => {
  expect((await extend(shared, await lease(shared), { seconds })).json).toMatchObject({ extended_by: seconds })
})

test.each([9, 3601, 0, -60, '60', true, []])('extending by %j is refused and changes nothing', async (seconds) => {
  const taken = await lease(shared)
  expect(refusal(await extend(shared, taken, { seconds }))).toBe('400 invalid_seconds')
  expect(await status(shared, taken.id)).toMatchObject({ claim_expires_at: shared.clock.now() + 60 })
})

test('a lease can be extended again and again, and the token stays valid', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  for (let i = 0; i < 5; i++) {
    await server.clock.advance(50)
    expect((await extend(server, taken)).status).toBe(200)
  }
  expect((await fulfill(server, taken)).status).toBe(200)
})

test('fulfilling ends the lease and stores when', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await server.clock.advance(3)
  const answer = await fulfill(server, taken, { result: { status: 'sent' }, result_type: 'json' })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ ok: true, id: taken.id })
  expect(await status(server, taken.id)).toMatchObject({
    status: 'fulfilled',
    claim_expires_at: null,
    completed_at: server.clock.now()
  })
})

test('a fulfilled intent stays fulfilled: its token is spent and nobody claims it again', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await fulfill(server, taken)
  for (const mutate of [fulfill, fail, extend]) expect(refusal(await mutate(server, taken))).toBe('404 not_found')
  await server.clock.advance(120)
  expect(await claimed(server)).toBe(204)
  expect(await status(server, taken.id)).toMatchObject({ status: 'fulfilled' })
})

test.each(['xml', 'JSON', '', 5, true])('the result type %j is refused, and the lease goes on', async (result_type) => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  expect(refusal(await fulfill(server, taken, { result: 'x', result_type }))).toBe('400 invalid_result_type')
  expect(await status(server, taken.id)).toMatchObject({ status: 'claimed' })
})

test('a result of 7,168 bytes is stored and one more is 413, and the lease goes on', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  expect(refusal(await fulfill(server, taken, { result: 'r'.repeat(7_167) }))).toBe('413 result_too_large')
  expect(refusal(await fulfill(server, taken, { result: '€'.repeat(2_389) }))).toBe('413 result_too_large')
  expect(await status(server, taken.id)).toMatchObject({ status: 'claimed' })
  expect((await fulfill(server, taken, { result: 'r'.repeat(7_166) })).status).toBe(200)
  expect((await server.get(`/result/${taken.id}`)).json.result).toHaveLength(7_166)
})

test('failing puts the intent back with its error', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  const answer = await fail(server, taken, { error: 'Connection timed out' })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ ok: true, id: taken.id })
  expect(await status(server, taken.id)).toMatchObject({
    status: 'open',
    claim_attempts: 1,
    claim_expires_at: null,
    error: 'Connection timed out'
  })
  for (const mutate of [fulfill, fail, extend]) expect(refusal(await mutate(server, taken))).toBe('404 not_found')
})

test('failing without an error is fine', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  expect((await fail(server, taken, { error: null })).json).toEqual({ ok: true, id: taken.id })
})

test.each([
  ['an object', '{"code": 1.10}', '{"code":1.10}'],
  ['a number', '42', '42'],
  ['a boolean', 'false', 'false'],
  ['a list', '["a", "b"]', '["a","b"]']
])('the error of a fail may be %s and is made text', async (_name, error, text) => {
  const { id, claim_token } = await lease(shared)
  const answer = await shared.post(`/fail/${id}`, `{"claim_token":"${claim_token}","error":${error}}`)
  expect(answer.status).toBe(200)
  const stored = (await status(shared, id)).error as string
  expect(stored.replaceAll(' ', '')).toBe(text)
})

test('the error of a fail is cut to 500 characters', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await fail(server, taken, { error: `${'e'.repeat(499)}🎯${'f'.repeat(500)}` })
  expect((await status(server, taken.id)).error).toBe(`${'e'.repeat(499)}🎯`)
})

test('the last attempt that fails makes the intent dead, with the error as the reason', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server, { max_attempts: 1, goal: 'resize', payload: { w: 1 } })
  expect((await fail(server, taken, { error: 'no such file' })).json).toEqual({ ok: true, id: taken.id })
  expect(await status(server, taken.id)).toMatchObject({ status: 'dead', claim_attempts: 1, error: 'no such file' })
  const letter = { reason: 'no such file', payload: { w: 1 } }
  expect((await server.admin(`/admin/dead/${taken.id}`)).json).toMatchObject(letter)
  await server.clock.advance(3600)
  expect(await claimed(server)).toBe(204)
})

test('the last error stays readable while the next attempt runs', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await fail(server, taken, { error: 'first try' })
  await server.clock.advance(12)
  const again = await claim(server)
  expect(again).toMatchObject({ id: taken.id, claim_attempts: 2 })
  expect(await status(server, taken.id)).toMatchObject({ status: 'claimed', error: 'first try' })
})
