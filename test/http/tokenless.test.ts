import { expect, test } from 'vitest'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claim, claimed, lease, refusal, refusalWithMessage, status } from './steps.ts'

const ROUTES = ['fulfill', 'fail', 'extend_claim']
const TOKENLESS = { allowTokenless: true }

test.each(ROUTES)('a worker without tokens is refused by default: %s', async (route) => {
  await using server = await TestServer.start()
  const { id } = await lease(server)
  expect(refusalWithMessage(await server.post(`/${route}/${id}`))).toBe('400 invalid_request: Missing claim_token.')
})

test.each(ROUTES)('where tokenless workers are allowed the holder of the lease needs no token: %s', async (route) => {
  await using server = await TestServer.start(TOKENLESS)
  const { id } = await lease(server)
  expect((await server.post(`/${route}/${id}`)).json).toMatchObject({ ok: true, id })
})

test('a tokenless worker may send its fields', async () => {
  await using server = await TestServer.start(TOKENLESS)
  const { id } = await lease(server)
  await server.post(`/extend_claim/${id}`, { seconds: 600 })
  expect(await status(server, id)).toMatchObject({ claim_expires_at: server.clock.now() + 600 })
  await server.post(`/fulfill/${id}`, { result: 'done', result_type: 'text' })
  const stored = { status: 'fulfilled', result: 'done', result_type: 'text' }
  expect((await server.get(`/result/${id}`)).json).toMatchObject(stored)
})

test.each(ROUTES)('where tokenless workers are allowed a token that is sent still counts: %s', async (route) => {
  await using server = await TestServer.start(TOKENLESS)
  const { id, claim_token } = await lease(server)
  expect(refusal(await server.post(`/${route}/${id}`, { claim_token: '0'.repeat(32) }))).toBe('404 not_found')
  expect((await server.post(`/${route}/${id}`, { claim_token })).status).toBe(200)
})

test.each(ROUTES)('another key cannot settle without a token: %s', async (route) => {
  await using server = await TestServer.start(TOKENLESS)
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  await server.publish({ visibility: 'public' }, alice)
  const { id } = await claim(server, '', bob)
  for (const key of [alice, MAIN_KEY]) {
    expect(refusal(await server.post(`/${route}/${id}`, undefined, {}, key))).toBe('404 not_found')
  }
  expect((await server.post(`/${route}/${id}`, undefined, {}, bob)).status).toBe(200)
})

test.each(ROUTES)('another address cannot settle without a token: %s', async (route) => {
  await using server = await TestServer.start({ ...TOKENLESS, trustProxy: true })
  await server.publish()
  const here = { 'X-Forwarded-For': '198.51.100.1' }
  const elsewhere = { 'X-Forwarded-For': '198.51.100.2' }
  const { id, claim_token } = await claim(server, '', MAIN_KEY, here)
  expect(refusal(await server.post(`/${route}/${id}`, undefined, elsewhere))).toBe('404 not_found')
  expect((await server.post(`/${route}/${id}`, undefined, here)).status).toBe(200)
  if (route === 'extend_claim') {
    expect((await server.post(`/${route}/${id}`, { claim_token }, elsewhere)).status).toBe(200)
  }
})

test.each(ROUTES)('a lease that has ended cannot be settled without a token either: %s', async (route) => {
  await using server = await TestServer.start(TOKENLESS)
  const { id } = await lease(server)
  await server.clock.advance(60)
  expect(refusal(await server.post(`/${route}/${id}`))).toBe('404 not_found')
  expect(await claimed(server)).toBe(id)
})
