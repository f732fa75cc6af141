import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { askSigned } from './signed.ts'
import { claimed, cleanup, DAY, deadIntent, fulfill, lease, status } from './steps.ts'

const NOTHING = {
  expired_open_deleted: 0,
  expired_claims_requeued: 0,
  expired_claims_dead: 0,
  fulfilled_deleted: 0,
  dead_deleted: 0,
  dead_letters_deleted: 0,
  store_deleted: 0,
  rate_limits_deleted: 0,
  idempotency_deleted: 0,
  nonces_deleted: 0
}

test('a cleanup with nothing to do says so in every number', async () => {
  await using server = await TestServer.start()
  const answer = await cleanup(server)
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual(NOTHING)
})

test('a cleanup counts the leases that ended since the last one', async () => {
  await using server = await TestServer.start()
  const requeued = await server.publish()
  const dies = await server.publish({ max_attempts: 1, priority: 1 })
  await cleanup(server)
  expect([await claimed(server), await claimed(server)]).toEqual([requeued, dies])
  await server.clock.advance(60)
  expect((await cleanup(server)).json).toEqual({ ...NOTHING, expired_claims_requeued: 1, expired_claims_dead: 1 })
  expect((await cleanup(server)).json).toEqual(NOTHING)
})

test('a cleanup counts the open intents whose lifetime ended', async () => {
  await using server = await TestServer.start()
  await server.publish()
  await server.publish({ delay: 60 })
  await cleanup(server)
  await server.clock.advance(DAY)
  expect((await cleanup(server)).json).toEqual({ ...NOTHING, expired_open_deleted: 1 })
})

test('a cleanup deletes fulfilled and dead intents after 7 days and not before', async () => {
  await using server = await TestServer.start()
  const { id: fulfilled, ...taken } = await lease(server)
  await fulfill(server, { id: fulfilled, ...taken })
  const dead = await deadIntent(server)
  await cleanup(server)
  await server.clock.advance(7 * DAY - 60)
  expect((await cleanup(server)).json).toEqual(NOTHING)
  expect(await status(server, fulfilled)).toMatchObject({ status: 'fulfilled' })
  expect((await server.admin(`/admin/dead/${dead}`)).status).toBe(200)
  await server.clock.advance(60)
  expect((await cleanup(server)).json).toEqual({
    ...NOTHING,
    fulfilled_deleted: 1,
    dead_deleted: 1,
    dead_letters_deleted: 1
  })
  for (const id of [fulfilled, dead]) expect((await server.get(`/status/${id}`)).status).toBe(404)
  expect((await server.admin(`/admin/dead/${dead}`)).status).toBe(404)
  expect((await server.admin('/admin/dead')).json).toEqual([])
})

test('a cleanup never touches what is open or claimed', async () => {
  await using server = await TestServer.start({ claimTimeout: 30 * DAY })
  const { id: held } = await lease(server)
  const waiting = await server.publish({ delay: 30 * DAY })
  await server.clock.advance(8 * DAY)
  expect((await cleanup(server)).json).toEqual(NOTHING)
  expect(await status(server, held)).toMatchObject({ status: 'claimed' })
  expect(await status(server, waiting)).toMatchObject({ status: 'open' })
})

test('a cleanup deletes values, rate windows, Idempotency-Keys and nonces that are over', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const body = '{"goal":"g","payload":1}'
  await server.post('/set/k', { value: 1, ttl: 5 }, {}, key)
  await server.post('/set/later', { value: 1, ttl: 86_400 }, {}, key)
  await server.post('/intent', body, { 'Idempotency-Key': 'one' }, key)
  await askSigned(server, { path: '/intent', body, key })
  await cleanup(server)
  await server.clock.advance(60)
  expect((await cleanup(server)).json).toEqual({ ...NOTHING, store_deleted: 1, rate_limits_deleted: 1 })
  await server.clock.advance(600)
  expect((await cleanup(server)).json).toEqual({ ...NOTHING, nonces_deleted: 1 })
  await server.clock.advance(DAY)
  expect((await cleanup(server)).json).toMatchObject({ store_deleted: 1, idempotency_deleted: 1 })
})

test('old intents also go without an operator, with the traffic', async () => {
  await using server = await TestServer.start()
  const taken = await lease(server)
  await fulfill(server, taken)
  await server.clock.advance(7 * DAY)
  expect(await status(server, taken.id)).toMatchObject({ status: 'fulfilled' })
  await server.publish()
  await server.clock.advance(1)
  expect((await server.get(`/status/${taken.id}`)).status).toBe(404)
})

test('with the traffic a cleanup comes once in six hours at most', async () => {
  await using server = await TestServer.start()
  const first = await lease(server)
  await fulfill(server, first)
  await server.clock.advance(60)
  const second = await lease(server)
  await fulfill(server, second)
  await server.clock.advance(7 * DAY - 60)
  const traffic = async () => {
    await server.publish({ delay: DAY })
    await server.clock.advance(60)
    return Promise.all([first, second].map(async ({ id }) => (await server.get(`/status/${id}`)).status))
  }
  expect(await traffic()).toEqual([404, 200])
  expect(await traffic()).toEqual([404, 200])
  await server.clock.advance(21_600)
  expect(await traffic()).toEqual([404, 404])
})
