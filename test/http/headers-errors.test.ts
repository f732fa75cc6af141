import { afterAll, expect, test } from 'vitest'
import type { HttpAsk } from '../support/http-client.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { refusal, SPEC_HEADERS } from './steps.ts'

const server = await TestServer.start()
afterAll(() => server[Symbol.asyncDispose]())

test('health answers without a key', async () => {
  const answer = await server.ask({ path: '/health' })
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  expect(answer.json).toMatchObject({ ok: true, ts: server.clock.now(), version: '7.61' })
})

test('health also tells the name and version of the app, in a further field', async () => {
  const { ok: _, ts: __, version: ___, ...further } = (await server.ask({ path: '/health' })).json
  expect(JSON.stringify(further)).toMatch(/"\d+\.\d+\.\d+/)
})

test('the root answers a program with a line of text', async () => {
  const answer = await server.ask({ path: '/', headers: { Accept: '*/*' } })
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^text\/plain\b/)
  expect(answer.text).toBe('Intent Bus V7.61')
})

test.each([
  ['that says so', { 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' }],
  ['of the old kind', { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }]
])('the root leads a browser %s to the interface', async (_name, headers) => {
  const answer = await server.ask({ path: '/', headers })
  expect(answer.status).toBe(303)
  expect(answer.headers.location).toMatch(/^\/admin\//)
})

const KEY = { 'X-API-KEY': MAIN_KEY }

test.each<[name: string, status: number, request: HttpAsk]>([
  ['health', 200, { path: '/health' }],
  ['the root', 200, { path: '/' }],
  ['the way to the interface', 303, { path: '/', headers: { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' } }],
  ['a new intent', 201, { method: 'POST', path: '/intent', headers: KEY, body: { goal: 'g', payload: 1 } }],
  ['nothing to claim', 204, { method: 'POST', path: '/claim?goal=none', headers: KEY }],
  ['a malformed body', 400, { method: 'POST', path: '/intent', headers: KEY, body: '{' }],
  ['a missing key', 401, { path: '/get/k' }],
  ['a missing password', 401, { path: '/admin/dashboard' }],
  ['a foreign name', 403, { path: '/health', headers: { Host: 'evil.example' } }],
  ['an unknown address', 404, { path: '/nowhere' }],
  ['an unknown value', 404, { path: '/get/k', headers: KEY }],
  ['a wrong method', 405, { method: 'DELETE', path: '/intent' }],
  ['a large body', 413, { method: 'POST', path: '/intent', headers: KEY, body: 'x'.repeat(9_000) }]
])('the answer to %s is a %i with every header', async (_name, expected, request) => {
  const answer = await server.ask(request)
  expect(answer.status).toBe(expected)
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
  if (expected >= 400) refusal(answer)
})

test.each(['/nowhere', '/Admin', '/admin/nowhere', '/intent/1', '/fulfill', '/Health', '/health/', '//health'])(
  'there is nothing at %s',
  async (path) => {
    expect(refusal(await server.get(path))).toBe('404 not_found')
  }
)

test.each([
  ['GET', '/intent'],
  ['GET', '/claim'],
  ['PUT', '/intent'],
  ['GET', '/fulfill/x'],
  ['POST', '/result/x'],
  ['DELETE', '/get/k'],
  ['GET', '/set/k'],
  ['POST', '/health'],
  ['GET', '/admin/purge'],
  ['PATCH', '/admin/dead'],
  ['POST', '/metrics']
])('%s %s is 405 and names the methods that there are', async (method, path) => {
  const answer = await server.ask({ method, path })
  expect(refusal(answer)).toBe('405 method_not_allowed')
  expect(answer.headers.allow).toMatch(/GET|POST/)
  expect(answer.headers.allow).not.toContain(method)
})

test.each(['a', 'my-request_1.2:3', 'x'.repeat(128)])('a proper X-Request-ID comes back: %s', async (id) => {
  const ok = await server.ask({ path: '/health', headers: { 'X-Request-ID': id } })
  const refused = await server.ask({ path: '/nowhere', headers: { 'X-Request-ID': id } })
  expect([ok.headers['x-request-id'], refused.headers['x-request-id']]).toEqual([id, id])
})

test.each([undefined, '', 'two words', 'x'.repeat(129), 'a/b', 'a;b', 'ä'])(
  'in place of the X-Request-ID %j one is made',
  async (id) => {
    const headers = id === undefined ? {} : { 'X-Request-ID': Buffer.from(id).toString('latin1') }
    const ids = [
      (await server.ask({ path: '/health', headers })).headers['x-request-id'],
      (await server.ask({ path: '/health', headers })).headers['x-request-id']
    ]
    for (const made of ids) expect(made).toMatch(/^[A-Za-z0-9_.:-]{1,128}$/)
    expect(ids[0]).not.toBe(id)
    expect(ids[0]).not.toBe(ids[1])
  }
)

test('a HEAD request has the headers of its GET and no body', async () => {
  const answer = await server.ask({ method: 'HEAD', path: '/health' })
  expect(answer.status).toBe(200)
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
  expect(answer.text).toBe('')
})
