import { afterAll, expect, test } from 'vitest'
import type { HttpAnswer } from '../support/http-client.ts'
import { ADMIN_TOKEN, BASIC, MAIN_KEY, METRICS_TOKEN, PASSWORD, TestServer } from '../support/test-server.ts'
import { refusal, refusalWithMessage } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

const ADMIN_ROUTES: [method: string, path: string][] = [
  ['GET', '/admin/dashboard'],
  ['POST', '/admin/generate_key'],
  ['POST', '/admin/revoke_key'],
  ['POST', '/admin/purge'],
  ['POST', '/admin/cleanup'],
  ['GET', '/admin/intents/x'],
  ['POST', '/admin/intents/x/cancel'],
  ['POST', '/admin/intents/x/retry'],
  ['GET', '/admin/dead'],
  ['GET', '/admin/dead/x'],
  ['GET', '/metrics']
]

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** Milliseconds that the quickest of some answers took: one may be slow for reasons of the machine. */
async function fastest(times: number, expected: number, ask: () => Promise<HttpAnswer>): Promise<number> {
  let best = Infinity
  for (let i = 0; i < times; i++) {
    const startedAt = performance.now()
    expect((await ask()).status).toBe(expected)
    best = Math.min(best, performance.now() - startedAt)
  }
  return best
}

test.each(ADMIN_ROUTES)('%s %s asks a browser for the password', async (method, path) => {
  const answer = await shared.ask({ method, path })
  expect(refusalWithMessage(answer)).toBe('401 unauthorized: Authentication required.')
  expect(answer.headers['www-authenticate']).toBe('Basic realm="IntentBus Admin"')
})

test.each(ADMIN_ROUTES)('%s %s does not take the main key for an operator', async (method, path) => {
  await using server = await TestServer.start()
  const asPassword = { Authorization: basic('admin', MAIN_KEY) }
  for (const headers of [{ 'X-API-KEY': MAIN_KEY }, { 'X-Admin-Token': MAIN_KEY }, asPassword]) {
    expect(refusal(await server.ask({ method, path, headers }))).toBe('401 unauthorized')
  }
})

test('the admin token and the dashboard password let an operator in', async () => {
  await using server = await TestServer.start()
  const path = '/admin/dead'
  expect((await server.ask({ path, headers: { 'X-Admin-Token': ADMIN_TOKEN } })).status).toBe(200)
  expect((await server.ask({ path, headers: { Authorization: BASIC } })).status).toBe(200)
})

test.each([
  ['a wrong token', { 'X-Admin-Token': 'wrong' }],
  ['an empty token', { 'X-Admin-Token': '' }],
  ['the password as a token', { 'X-Admin-Token': PASSWORD }],
  ['a wrong password', { Authorization: basic('admin', 'wrong') }],
  ['an empty password', { Authorization: basic('admin', '') }],
  ['the token as a password', { Authorization: basic('admin', ADMIN_TOKEN) }],
  ['another user', { Authorization: basic('root', PASSWORD) }],
  ['no user', { Authorization: basic('', PASSWORD) }],
  ['Basic without credentials', { Authorization: 'Basic' }],
  ['credentials that are no base64', { Authorization: 'Basic !!!' }],
  ['credentials without a colon', { Authorization: `Basic ${Buffer.from(PASSWORD).toString('base64')}` }],
  ['the metrics token', { Authorization: `Bearer ${METRICS_TOKEN}` }],
  ['the password as a bearer', { Authorization: `Bearer ${PASSWORD}` }]
])('%s does not let an operator in', async (_name, headers: Record<string, string>) => {
  await using server = await TestServer.start()
  const answer = await server.ask({ path: '/admin/dead', headers })
  expect(refusalWithMessage(answer)).toBe('401 unauthorized: Authentication required.')
})

test('the token takes precedence over the password', async () => {
  await using server = await TestServer.start()
  const right = { 'X-Admin-Token': ADMIN_TOKEN, Authorization: basic('admin', 'wrong') }
  const wrong = { 'X-Admin-Token': 'wrong', Authorization: BASIC }
  expect((await server.ask({ path: '/admin/dead', headers: right })).status).toBe(200)
  expect((await server.ask({ path: '/admin/dead', headers: wrong })).status).toBe(401)
})

test('operators need no API key, and an unknown one does no harm', async () => {
  await using server = await TestServer.start()
  const headers = { 'X-Admin-Token': ADMIN_TOKEN, 'X-API-KEY': 'tk_unknown' }
  expect((await server.ask({ path: '/admin/dead', headers })).status).toBe(200)
})

test('an operator is no client: publishing with the admin token alone is 401', async () => {
  await using server = await TestServer.start()
  const body = { goal: 'g', payload: 1 }
  const answer = await server.ask({ method: 'POST', path: '/intent', body, headers: { 'X-Admin-Token': ADMIN_TOKEN } })
  expect(refusalWithMessage(answer)).toBe('401 unauthorized: Missing API key.')
})

test('many wrong credentials in a row stay 401 without a long wait, and a right one is answered at once', async () => {
  await using server = await TestServer.start()
  for (let i = 0; i < 12; i++) {
    const startedAt = performance.now()
    expect((await server.ask({ path: '/admin/dead', headers: { 'X-Admin-Token': `wrong ${i}` } })).status).toBe(401)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  }
  expect(await fastest(3, 404, () => server.admin('/admin/intents/x'))).toBeLessThan(200)
  expect(await fastest(3, 404, () => server.get('/get/k'))).toBeLessThan(200)
})

test('missing credentials do not count as failed logins', async () => {
  await using server = await TestServer.start()
  for (let i = 0; i < 15; i++) {
    expect((await server.ask({ path: '/admin/dead' })).status).toBe(401)
    expect((await server.ask({ path: '/get/k' })).status).toBe(401)
  }
  expect(await fastest(3, 401, () => server.get('/get/k', {}, 'wrong'))).toBeLessThan(200)
})
