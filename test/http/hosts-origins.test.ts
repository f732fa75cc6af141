import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { ADMIN_TOKEN, MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claimed, refusal, SPEC_HEADERS } from './steps.ts'

const ORIGIN = 'https://app.example'
const ALLOWED = { allowedOrigins: new Set([ORIGIN]) }
const BODY = { goal: 'g', payload: 1 }

test.each([
  'localhost',
  'LocalHost',
  'localhost:1',
  '127.0.0.1',
  '127.0.0.1:7610',
  '[::1]',
  '[::1]:7610',
  hostname(),
  `${hostname()}:7610`,
  `${hostname().split('.')[0]}.local`,
  'bus.example',
  'BUS.example:443'
])('the bus answers to the name %s', async (host) => {
  await using server = await TestServer.start({ allowedHosts: ['bus.example'] })
  expect((await server.ask({ path: '/health', headers: { Host: host } })).status).toBe(200)
})

test.each([
  'evil.example',
  'evil.example:7610',
  'localhost.evil.example',
  'evil-localhost',
  '127.0.0.1.evil.example',
  '127.evil.example:7610',
  'sub.bus.example',
  '203.0.113.5',
  '[2001:db8::1]',
  'user@localhost',
  'localhost:port',
  'localhost, evil.example'
])('the foreign name %j is refused, for every address', async (host) => {
  await using server = await TestServer.start({ allowedHosts: ['bus.example'] })
  const headers = { Host: host, 'X-API-KEY': MAIN_KEY, 'X-Admin-Token': ADMIN_TOKEN }
  for (const path of ['/', '/health', '/get/k', '/admin/dead', '/metrics', '/nowhere']) {
    expect(refusal(await server.ask({ path, headers }))).toBe('403 invalid_host')
  }
  expect(refusal(await server.ask({ method: 'POST', path: '/intent', headers, body: BODY }))).toBe('403 invalid_host')
})

test('an allowed origin may call from a browser and read the answer', async () => {
  await using server = await TestServer.start(ALLOWED)
  const answer = await server.post('/intent', BODY, { Origin: ORIGIN, 'Sec-Fetch-Site': 'cross-site' })
  expect(answer.status).toBe(201)
  expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN)
  const read = await server.get('/get/k', { Origin: ORIGIN, 'Sec-Fetch-Site': 'cross-site' })
  expect(refusal(read)).toBe('404 not_found')
  expect(read.headers['access-control-allow-origin']).toBe(ORIGIN)
})

test('a browser at an allowed origin may ask first, for all that clients send', async () => {
  await using server = await TestServer.start(ALLOWED)
  const wanted = [
    'content-type',
    'idempotency-key',
    'x-api-key',
    'x-nonce',
    'x-request-id',
    'x-signature',
    'x-timestamp',
    'x-worker-capabilities',
    'x-worker-capability',
    'x-worker-id'
  ]
  const answer = await server.ask({
    method: 'OPTIONS',
    path: '/intent',
    headers: {
      Origin: ORIGIN,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': wanted.join(',')
    }
  })
  expect(answer.status).toBe(204)
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
  expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN)
  expect(answer.headers['access-control-allow-methods']).toContain('POST')
  const allowed = answer.headers['access-control-allow-headers']!.toLowerCase().split(/, */)
  expect(wanted.filter((name) => !allowed.includes(name))).toEqual([])
})

test.each([
  'https://evil.example',
  'http://app.example',
  'https://app.example:8443',
  'https://sub.app.example',
  'https://app.example.evil.example',
  'null'
])('the origin %s may not call, and its browser is not told otherwise', async (origin) => {
  await using server = await TestServer.start(ALLOWED)
  const headers = { Origin: origin }
  const answer = await server.post('/intent', BODY, headers)
  expect(refusal(answer)).toMatch(/^403 /)
  expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  expect(await claimed(server)).toBe(204)
  const asking = { ...headers, 'Access-Control-Request-Method': 'POST' }
  const preflight = await server.ask({ method: 'OPTIONS', path: '/intent', headers: asking })
  expect(preflight.headers).not.toHaveProperty('access-control-allow-origin')
  expect((await server.get('/get/k', headers)).headers).not.toHaveProperty('access-control-allow-origin')
})

test('by default no origin may call', async () => {
  await using server = await TestServer.start()
  expect(refusal(await server.post('/intent', BODY, { Origin: ORIGIN }))).toMatch(/^403 /)
})

test('another page cannot use the password that a browser remembers', async () => {
  await using server = await TestServer.start(ALLOWED)
  const id = await server.publish()
  const sites = ['cross-site', 'same-site'].map((site) => ({ 'Sec-Fetch-Site': site }))
  for (const headers of [{ Origin: 'https://evil.example' }, ...sites]) {
    const credentials = { ...headers, 'X-Admin-Token': ADMIN_TOKEN }
    const answer = await server.ask({ method: 'POST', path: `/admin/intents/${id}/cancel`, headers: credentials })
    expect(refusal(answer)).toMatch(/^403 /)
  }
  expect(await claimed(server)).toBe(id)
})

test('a page of the bus itself may call', async () => {
  await using server = await TestServer.start()
  const own = { Origin: server.url }
  expect((await server.post('/intent', BODY, own)).status).toBe(201)
  expect((await server.post('/intent', BODY, { ...own, 'Sec-Fetch-Site': 'same-origin' })).status).toBe(201)
})

test('programs that are no browsers send no origin and may call', async () => {
  await using server = await TestServer.start()
  expect((await server.post('/intent', BODY)).status).toBe(201)
})
