import { afterAll, describe, expect, test } from 'vitest'
import { ADMIN_TOKEN, BASIC, MAIN_KEY, PASSWORD, TestServer } from '../support/test-server.ts'
import { refusal, refusalWithMessage, sessionHeaders } from './steps.ts'

const server = await TestServer.start()
/** Behind a proxy on this machine, which tells where requests come from. */
const proxied = await TestServer.start({ trustProxy: true, allowedOrigins: new Set(['https://app.example']) })
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await proxied[Symbol.asyncDispose]()
})

const OPERATORS: [method: string, path: string][] = [
  ['GET', '/metrics'],
  ['GET', '/admin'],
  ['GET', '/admin/'],
  ['GET', '/admin/dashboard'],
  ['GET', '/admin/dead'],
  ['POST', '/admin/generate_key'],
  ['POST', '/admin/control/login'],
  ['POST', '/admin/control/status.get'],
  ['GET', '/admin/control/events'],
  ['POST', '/admin/control/pair'],
  ['GET', '/pair'],
  ['POST', '/pair'],
  ['POST', '/pair/wait']
]

const CREDENTIALS = { 'X-Admin-Token': ADMIN_TOKEN, 'X-API-KEY': MAIN_KEY }
const from = (address: string, scheme: string) => ({ 'X-Forwarded-For': address, 'X-Forwarded-Proto': scheme, ...CREDENTIALS })

describe('what operators do', () => {
  test.each(OPERATORS)('%s %s is not done in clear from another machine', async (method, path) => {
    const far = await proxied.ask({ method, path, headers: from('192.168.0.9', 'http') })
    expect(refusalWithMessage(far)).toBe('403 https_required: From another machine the bus is operated and paired with over HTTPS only.')
    for (const headers of [from('192.168.0.9', 'https'), from('127.0.0.1', 'http'), from('::1', 'http')]) {
      const { json, headers: answered } = await proxied.ask({ method: method === 'GET' && path.endsWith('events') ? 'HEAD' : method, path, headers })
      expect([path, json?.error?.code]).not.toEqual([path, 'https_required'])
      expect(answered['x-intent-version']).toBe('2.1')
    }
  })

  test('clients may go on in clear, as SPEC has it where HTTPS is not enforced', async () => {
    const headers = from('192.168.0.9', 'http')
    expect((await proxied.ask({ method: 'POST', path: '/intent', body: { goal: 'g', payload: 1 }, headers })).status).toBe(201)
    expect((await proxied.ask({ path: '/health', headers })).status).toBe(200)
    // Names that only begin alike are no operators' addresses.
    expect(refusal(await proxied.ask({ path: '/administration', headers }))).toBe('404 not_found')
    expect(refusal(await proxied.ask({ path: '/pairs', headers }))).toBe('404 not_found')
  })

  test.each(['/admin/dead', '/metrics', '/pair'])('%s is not for other origins, not even allowed ones', async (path) => {
    const headers = { ...from('127.0.0.1', 'http'), Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
    expect((await proxied.ask({ method: 'OPTIONS', path, headers })).headers).not.toHaveProperty('access-control-allow-origin')
    expect(refusal(await proxied.ask({ method: 'POST', path, headers }))).toBe('403 cross_site')
  })
})

/** Browsers say nothing of Sec-Fetch on addresses that they do not trust, and remember Basic credentials. */
describe('a browser without Sec-Fetch headers', () => {
  const purge = (headers: Readonly<Record<string, string>>, target = server) =>
    target.ask({ method: 'POST', path: '/admin/purge', body: 'confirm=true', headers: { Authorization: BASIC, ...headers } })
  const FORM = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'Content-Type': 'application/x-www-form-urlencoded' }

  test.each<[name: string, headers: Readonly<Record<string, string>>]>([
    ['a form of another site', { ...FORM, Origin: 'http://evil.example' }],
    ['a form of a page that hides its origin', { ...FORM, Origin: 'null' }],
    ['a form of another site, told by Referer alone', { ...FORM, Referer: 'http://evil.example/page' }],
    ['a form of another port of this machine', { ...FORM, Referer: 'http://127.0.0.1:1/' }],
    ['a form whose Referer is nonsense', { ...FORM, Referer: 'nonsense' }],
    ['a form that names no origin', FORM],
    ['a script of another site', { Origin: 'http://evil.example', Accept: '*/*' }],
    ['another scheme of this host', { ...FORM, Origin: server.url.replace('http:', 'https:') }]
  ])('%s is refused', async (_name, headers) => {
    expect(refusal(await purge(headers))).toBe('403 cross_site')
    const jsonForm = { ...headers, 'Content-Type': 'text/plain' }
    expect(refusal(await server.ask({ method: 'POST', path: '/admin/purge', body: { confirm: true }, headers: { Authorization: BASIC, ...jsonForm } }))).toBe('403 cross_site')
  })

  test.each<[name: string, headers: Readonly<Record<string, string>>]>([
    ['a page of the bus itself', { Accept: '*/*', Origin: server.url }],
    ['a page of the bus itself, told by Referer alone', { Accept: 'text/html', Referer: `${server.url}/admin/` }],
    ['curl', { Accept: '*/*' }],
    ['a program that sends no Accept', {}]
  ])('%s is let in', async (_name, headers) => {
    const answer = await server.ask({ method: 'POST', path: '/admin/generate_key', body: { owner: 'x' }, headers: { Authorization: BASIC, ...headers } })
    expect(answer.status).toBe(201)
  })

  test('clients are not held up by what they accept', async () => {
    const headers = { Accept: 'text/html' }
    expect((await server.post('/intent', { goal: 'g', payload: 1 }, headers)).status).toBe(201)
    expect(refusal(await server.post('/intent', { goal: 'g', payload: 1 }, { Referer: 'http://evil.example/' }))).toBe('403 cross_site')
  })

  test('opening pages by their address goes on', async () => {
    expect((await server.ask({ path: '/admin/dashboard', headers: { Authorization: BASIC, ...FORM } })).status).toBe(200)
  })
})

describe('calls by a session', () => {
  test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp'])(
    'must be JSON and say so, not %s',
    async (type) => {
      const login = await server.ask({ method: 'POST', path: '/admin/control/login', body: { password: PASSWORD } })
      const call = (contentType: string | undefined) => {
        const headers = { ...sessionHeaders(login), ...(contentType !== undefined && { 'Content-Type': contentType }) }
        return server.ask({ method: 'POST', path: '/admin/control/status.get', body: {}, headers })
      }
      expect(refusalWithMessage(await call(type))).toBe(
        '415 unsupported_media_type: Send the body as JSON, with Content-Type: application/json.'
      )
      for (const fine of ['application/json', 'application/json; charset=utf-8', 'Application/JSON']) expect((await call(fine)).status).toBe(200)
    }
  )

  test('programs with the admin token need not say so', async () => {
    const answer = await server.ask({ method: 'POST', path: '/admin/control/status.get', body: {}, headers: { 'X-Admin-Token': ADMIN_TOKEN } })
    expect(answer.status).toBe(200)
  })
})
