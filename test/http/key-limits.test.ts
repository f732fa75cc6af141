import { request } from 'node:http'
import { expect, test } from 'vitest'
import { DESKTOP } from '../../src/main/control/operator.ts'
import { NO_LIMITS, type KeyLimits, type Role, type Scope } from '../../src/shared/scope.ts'
import { settle } from '../support/hand-clock.ts'
import type { HttpAnswer } from '../support/http-client.ts'
import { TestServer } from '../support/test-server.ts'
import { askSigned } from './signed.ts'
import { refusal, refusalWithMessage } from './steps.ts'

async function limitedKey(server: TestServer, scope: Partial<Scope> | null, more: Partial<KeyLimits> = {}): Promise<{ id: string; secret: string }> {
  const full = scope && { roles: null, namespaces: null, goals: null, ...scope }
  const { key, secret } = await server.bus.createKey('pi', { ...NO_LIMITS, scope: full, ...more })
  return { id: key.id, secret }
}

const ID = 'f'.repeat(32)
const TOKEN = { claim_token: 'x' }

/** Every endpoint of clients: the roles that let a key in, how it answers them, and what it may not do else. */
const ENDPOINTS: [method: string, path: string, body: unknown, roles: readonly Role[], status: number, message: string][] = [
  ['POST', '/intent', { goal: 'test', payload: 1 }, ['publish'], 201, 'publish intents'],
  ['POST', '/claim', undefined, ['claim'], 204, 'claim intents'],
  ['POST', `/extend_claim/${ID}`, TOKEN, ['claim'], 404, 'settle or extend claims'],
  ['POST', `/fulfill/${ID}`, TOKEN, ['claim'], 404, 'settle or extend claims'],
  ['POST', `/fail/${ID}`, TOKEN, ['claim'], 404, 'settle or extend claims'],
  ['GET', `/result/${ID}`, undefined, ['read'], 404, 'read results, statuses and events'],
  ['GET', `/status/${ID}`, undefined, ['read'], 404, 'read results, statuses and events'],
  ['POST', '/set/k', { value: 1 }, ['publish', 'claim', 'read'], 200, 'use the key-value store'],
  ['GET', '/get/none', undefined, ['publish', 'claim', 'read'], 404, 'use the key-value store']
]

test.each(ENDPOINTS)('%s %s', async (method, path, body, roles, status, message) => {
  await using server = await TestServer.start()
  const ask = (key: string): Promise<HttpAnswer> => server.ask({ method, path, body, headers: { 'X-API-KEY': key } })
  for (const role of ['publish', 'claim', 'read', 'operate'] as const) {
    const { secret } = await limitedKey(server, { roles: [role] })
    const answer = await ask(secret)
    if (roles.includes(role)) expect([role, answer.status]).toEqual([role, status])
    else expect([role, refusalWithMessage(answer)]).toEqual([role, `403 forbidden: This API key may not ${message}.`])
  }
  const { secret } = await limitedKey(server, null)
  expect((await ask(secret)).status).toBe(status)
})

test('events are for keys that may read', async () => {
  await using server = await TestServer.start()
  const { secret } = await limitedKey(server, { roles: ['claim', 'publish'] })
  const answer = await server.ask({ path: '/events', headers: { 'X-API-KEY': secret } })
  expect(refusalWithMessage(answer)).toBe('403 forbidden: This API key may not read results, statuses and events.')
})

test('a key publishes and claims within its namespaces and goals only', async () => {
  await using server = await TestServer.start()
  const { secret } = await limitedKey(server, { namespaces: ['shop', 'default'], goals: ['resize.*', 'backup'] })
  const publish = (fields: object) => server.post('/intent', { payload: 1, ...fields }, {}, secret)
  const claim = (query: string) => server.post(`/claim?${query}`, undefined, {}, secret)
  expect((await publish({ goal: 'resize.image' })).status).toBe(201)
  expect((await publish({ goal: 'backup', namespace: 'shop' })).status).toBe(201)
  expect(refusalWithMessage(await publish({ goal: 'backup', namespace: 'prod' }))).toMatch(/publish to the namespace prod\.$/)
  expect(refusalWithMessage(await publish({ goal: 'backups' }))).toMatch(/publish the goal backups\.$/)
  expect((await claim('goal=resize.image')).json).toMatchObject({ goal: 'resize.image' })
  expect((await claim('goal=backup&namespace=shop')).json).toMatchObject({ goal: 'backup' })
  expect(refusal(await claim('goal=backup&namespace=prod'))).toBe('403 forbidden')
  expect(refusal(await claim('goal=other'))).toBe('403 forbidden')
  expect(refusal(await claim('goal=backup&goal=other&wait=1'))).toBe('403 forbidden')
  expect(refusalWithMessage(await claim(''))).toMatch(/its claims must name theirs\.$/)
})

test('a claim without goals gets what its key may claim, and waits for that alone', async () => {
  await using server = await TestServer.start()
  const { secret } = await limitedKey(server, { goals: ['resize', 'backup'] })
  const publish = (goal: string, priority = 100) => server.post('/intent', { goal, payload: 1, visibility: 'public', priority })
  await publish('other', 900)
  await publish('backup')
  expect((await server.post('/claim', undefined, {}, secret)).json).toMatchObject({ goal: 'backup' })
  expect((await server.post('/claim', undefined, {}, secret)).status).toBe(204)
  const waiting = server.post('/claim?wait=20', undefined, {}, secret)
  await settle()
  await publish('other', 900)
  await publish('resize')
  expect((await waiting).json).toMatchObject({ goal: 'resize' })
})

test('what is refused leaves nothing behind', async () => {
  await using server = await TestServer.start()
  const { secret } = await limitedKey(server, { roles: ['read'] })
  const publish = () => server.post('/intent', { goal: 'test', payload: 1 }, { 'Idempotency-Key': 'once' }, secret)
  expect(refusal(await publish())).toBe('403 forbidden')
  expect(refusal(await server.post('/claim', undefined, { 'X-Worker-ID': 'pi4' }, secret))).toBe('403 forbidden')
  const [stored] = await Promise.all([server.control.call(DESKTOP, 'workers.list', {}), server.clock.advance(1)])
  expect(stored).toMatchObject({ ok: true, value: { workers: [] } })
  expect(server.bus.counts.open).toBe(0)
})

test('limits are asked only after key and signature: a stranger learns nothing', async () => {
  await using server = await TestServer.start({ requireSignatures: true })
  const { secret } = await limitedKey(server, { roles: ['read'] })
  const body = '{"goal":"test","payload":1}'
  expect(refusal(await server.post('/intent', body, {}, secret))).toBe('403 invalid_signature')
  expect(refusal(await askSigned(server, { path: '/intent', body, key: secret, signedBody: 'x' }))).toBe('403 invalid_signature')
  expect(refusal(await askSigned(server, { path: '/intent', body, key: secret }))).toBe('403 forbidden')
  expect(refusal(await askSigned(server, { path: '/intent', body, key: `${secret}0` }))).toBe('401 unauthorized')
})

test('an expired key is refused everywhere, and is no failed login', async () => {
  await using server = await TestServer.start()
  const { secret } = await limitedKey(server, null, { expiresAt: server.clock.now() + 10 })
  await server.clock.advance(10)
  for (const [method, path, body] of ENDPOINTS) {
    const answer = await server.ask({ method, path, body, headers: { 'X-API-KEY': secret } })
    expect([path, refusalWithMessage(answer)]).toEqual([path, '401 unauthorized: This API key has expired.'])
  }
  const startedAt = performance.now()
  for (let i = 0; i < 10; i++) await server.get('/get/k', {}, secret)
  expect(performance.now() - startedAt).toBeLessThan(250)
})

test('a worker whose key expires while it waits is told at once; its lease cannot be settled and ends by itself', async () => {
  await using server = await TestServer.start()
  const { secret } = await limitedKey(server, null, { expiresAt: server.clock.now() + 10 })
  const id = await server.publish({ visibility: 'public' })
  const lease = (await server.post('/claim', undefined, {}, secret)).json
  const waiting = server.post('/claim?wait=30', undefined, {}, secret)
  const result = server.get(`/result/${id}?wait=30`, {}, secret)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await server.clock.advance(10)
  for (const answer of [await waiting, await result]) expect(refusalWithMessage(answer)).toBe('401 unauthorized: This API key has expired.')
  expect(refusal(await server.post(`/fulfill/${id}`, { claim_token: lease.claim_token }, {}, secret))).toBe('401 unauthorized')
  await server.clock.advance(49)
  expect((await server.get(`/status/${id}`)).json.status).toBe('claimed')
  await server.clock.advance(1)
  expect((await server.get(`/status/${id}`)).json.status).toBe('open')
})

test('waiting claims and streams of events end when the limits of their key change', async () => {
  await using server = await TestServer.start()
  const { id, secret } = await limitedKey(server, null)
  const waiting = server.post('/claim?wait=30', undefined, {}, secret)
  const streamEnd = new Promise<number>((resolve) => {
    request(`${server.url}/events`, { headers: { 'X-API-KEY': secret } }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode!))
    }).end()
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  await server.bus.limitKey(id, { ...NO_LIMITS, scope: { roles: ['publish'], namespaces: null, goals: null } })
  expect([(await waiting).status, await streamEnd]).toEqual([204, 200])
  expect(refusal(await server.post('/claim', undefined, {}, secret))).toBe('403 forbidden')
})

test('limits that change while a body is on its way count for it', async () => {
  await using server = await TestServer.start()
  const { id, secret } = await limitedKey(server, null)
  const body = '{"goal":"test","payload":1}'
  const { hostname, port } = new URL(server.url)
  const answer = new Promise<number>((resolve) => {
    const req = request({ hostname, port, method: 'POST', path: '/intent', headers: { 'X-API-KEY': secret, 'Content-Length': body.length } }, (res) => {
      res.resume()
      resolve(res.statusCode!)
    })
    req.write(body.slice(0, 5))
    setTimeout(() => {
      void server.bus.limitKey(id, { ...NO_LIMITS, scope: { roles: ['read'], namespaces: null, goals: null } }).then(() => req.end(body.slice(5)))
    }, 100)
  })
  expect(await answer).toBe(403)
  expect(server.bus.counts.open).toBe(0)
})

test('a key has the rate that it was given', async () => {
  await using server = await TestServer.start()
  const [few, many] = [await limitedKey(server, null, { rateLimit: 2 }), await limitedKey(server, null, { rateLimit: 100 })]
  const statuses = async (key: string, count: number) => {
    const answers = []
    for (let i = 0; i < count; i++) answers.push(await server.get('/get/k', {}, key))
    return answers.map(({ status }) => status)
  }
  expect(await statuses(few.secret, 3)).toEqual([404, 404, 429])
  expect(new Set(await statuses(many.secret, 100))).toEqual(new Set([404]))
  expect(await statuses(many.secret, 1)).toEqual([429])
})
