import { expect, test } from 'vitest'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { askSigned } from './signed.ts'
import { claim, claimed, cleanup, DAY, lease, refusal } from './steps.ts'

test('a generated key works as an API key', async () => {
  await using server = await TestServer.start()
  const answer = await server.admin('/admin/generate_key', { owner: 'alice' })
  expect(answer.status).toBe(201)
  expect(answer.json).toMatchObject({ api_key: expect.stringMatching(/^tk_.{20,}$/), owner: 'alice' })
  const id = await server.publish({}, answer.json.api_key)
  expect(await claimed(server, '', answer.json.api_key)).toBe(id)
})

test('two keys of one owner are different keys', async () => {
  await using server = await TestServer.start()
  const [first, second] = [await server.newKey('alice'), await server.newKey('alice')]
  expect(first).not.toBe(second)
  await server.publish({}, first)
  expect(await claimed(server, '', second)).toBe(204)
})

test.each([undefined, {}, { owner: null }, { owner: '' }, { owner: 5 }, { owner: ['a'] }])(
  'a key needs an owner: %j',
  async (body) => {
    await using server = await TestServer.start()
    expect(refusal(await server.admin('/admin/generate_key', body, 'POST'))).toMatch(/^400 invalid_/)
  }
)

test('a revoked key is refused everywhere', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const id = await server.publish({}, key)
  const answer = await server.admin('/admin/revoke_key', { api_key: key })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ ok: true })
  const requests: [string, string][] = [
    ['POST', '/intent'],
    ['POST', '/claim'],
    ['GET', `/status/${id}`],
    ['GET', '/get/k']
  ]
  for (const [method, path] of requests) {
    expect(refusal(await server.ask({ method, path, headers: { 'X-API-KEY': key } }))).toBe('401 unauthorized')
  }
})

test('the intents of a revoked key stay', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const id = await server.publish({ visibility: 'public' }, key)
  await server.admin('/admin/revoke_key', { api_key: key })
  expect(await claimed(server)).toBe(id)
})

test('revoking one key leaves the others', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  await server.admin('/admin/revoke_key', { api_key: alice })
  expect((await server.get('/get/k', {}, bob)).status).toBe(404)
})

test('a revoked or unknown key cannot be revoked: 404', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  await server.admin('/admin/revoke_key', { api_key: key })
  expect(refusal(await server.admin('/admin/revoke_key', { api_key: key }))).toBe('404 not_found')
  expect(refusal(await server.admin('/admin/revoke_key', { api_key: 'tk_unknown' }))).toBe('404 not_found')
})

test.each([undefined, {}, { api_key: null }, { api_key: 5 }])('revoking needs a key: %j', async (body) => {
  await using server = await TestServer.start()
  expect(refusal(await server.admin('/admin/revoke_key', body, 'POST'))).toMatch(/^400 invalid_/)
})

test('revoking clears the rate limits, Idempotency-Keys and nonces of a key and of no other', async () => {
  await using server = await TestServer.start()
  const body = '{"goal":"g","payload":1}'
  const keys = [await server.newKey('alice'), await server.newKey('bob'), await server.newKey('carol')]
  for (const key of keys) {
    await server.post('/intent', body, { 'Idempotency-Key': 'one' }, key)
    await askSigned(server, { path: '/intent', body, key, nonce: 'one' })
  }
  // A first pass of cleanup comes with the traffic; its count must not mix with the one below.
  await cleanup(server)
  await server.admin('/admin/revoke_key', { api_key: keys[0] })
  await server.clock.advance(2 * DAY)
  expect((await cleanup(server)).json).toMatchObject({
    rate_limits_deleted: 2,
    idempotency_deleted: 2,
    nonces_deleted: 2
  })
})

test('answers speak of keys by public ids and never by the keys themselves', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  const id = await server.publish({ visibility: 'public' }, alice)
  await claim(server, '', bob)
  const ofAlice = await server.admin(`/admin/intents/${id}`)
  const { id: mainId } = await lease(server)
  const ofMain = await server.admin(`/admin/intents/${mainId}`)
  expect(ofAlice.json).toMatchObject({
    publisher: expect.stringMatching(/^key_./),
    claimed_by: expect.stringMatching(/^key_./)
  })
  expect(ofAlice.json.publisher).not.toBe(ofAlice.json.claimed_by)
  expect(ofMain.json).toMatchObject({ publisher: 'main', claimed_by: 'main' })

  const answers = [ofAlice, ofMain, await server.admin('/admin/dashboard'), await server.admin('/metrics')]
  for (const { text } of [...answers, await server.get(`/result/${id}`), await server.get(`/status/${id}`)]) {
    for (const key of [alice, bob, MAIN_KEY]) expect(text).not.toContain(key)
  }
})
