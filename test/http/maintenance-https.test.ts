import { expect, test } from 'vitest'
import { ADMIN_TOKEN, BASIC, MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claim, claimed, extend, fail, fulfill, refusal, status } from './steps.ts'

const CLIENT_ROUTES: [method: string, path: string][] = [
  ['POST', '/intent'],
  ['POST', '/claim'],
  ['POST', '/fulfill/x'],
  ['POST', '/fail/x'],
  ['POST', '/extend_claim/x'],
  ['GET', '/result/x'],
  ['GET', '/status/x'],
  ['POST', '/set/k'],
  ['GET', '/get/k']
]

test.each(CLIENT_ROUTES)('in maintenance mode %s %s is 503', async (method, path) => {
  await using server = await TestServer.start({ maintenanceMode: true })
  expect(refusal(await server.ask({ method, path, headers: { 'X-API-KEY': MAIN_KEY } }))).toBe('503 maintenance')
})

test('in maintenance mode health and the root are 503, too', async () => {
  await using server = await TestServer.start({ maintenanceMode: true })
  for (const path of ['/health', '/']) expect(refusal(await server.ask({ path }))).toBe('503 maintenance')
})

test('in maintenance mode operators go on', async () => {
  await using server = await TestServer.start({ maintenanceMode: true })
  expect((await server.admin('/admin/generate_key', { owner: 'alice' })).status).toBe(201)
  expect((await server.admin('/admin/dead')).json).toEqual([])
  expect((await server.ask({ path: '/admin/dashboard', headers: { Authorization: BASIC } })).status).toBe(200)
  expect(refusal(await server.ask({ path: '/admin/dead' }))).toBe('401 unauthorized')
})

/** As a proxy on this machine passes a request on. */
function forwarded(address: string, scheme: string) {
  const credentials = { 'X-API-KEY': MAIN_KEY, 'X-Admin-Token': ADMIN_TOKEN }
  return { 'X-Forwarded-For': address, 'X-Forwarded-Proto': scheme, ...credentials }
}

test.each([...CLIENT_ROUTES, ['GET', '/admin/dead'], ['GET', '/metrics']])(
  'where HTTPS is enforced %s %s over plain HTTP is refused',
  async (method, path) => {
    await using server = await TestServer.start({ enforceHttps: true, trustProxy: true })
    const answer = await server.ask({ method, path, headers: forwarded('203.0.113.5', 'http') })
    expect(refusal(answer)).toBe('403 https_required')
  }
)

test('where HTTPS is enforced the root and health are open to plain HTTP', async () => {
  await using server = await TestServer.start({ enforceHttps: true, trustProxy: true })
  const headers = forwarded('203.0.113.5', 'http')
  expect((await server.ask({ path: '/', headers })).text).toBe('Intent Bus V7.61')
  expect((await server.ask({ path: '/health', headers })).json).toMatchObject({ ok: true })
})

test('where HTTPS is enforced a request that reached the proxy over HTTPS is taken', async () => {
  await using server = await TestServer.start({ enforceHttps: true, trustProxy: true })
  expect((await server.ask({ path: '/get/k', headers: forwarded('203.0.113.5', 'https') })).status).toBe(404)
})

test('where HTTPS is enforced this machine itself may use plain HTTP', async () => {
  await using server = await TestServer.start({ enforceHttps: true })
  await using behindProxy = await TestServer.start({ enforceHttps: true, trustProxy: true })
  expect((await server.get('/get/k')).status).toBe(404)
  for (const address of ['127.0.0.1', '::1']) {
    expect((await behindProxy.ask({ path: '/get/k', headers: forwarded(address, 'http') })).status).toBe(404)
  }
})

test('what a client itself claims to be does not count before what the proxy says', async () => {
  await using server = await TestServer.start({ enforceHttps: true, trustProxy: true })
  const address = await server.ask({ path: '/get/k', headers: forwarded('127.0.0.1, 203.0.113.5', 'http') })
  const scheme = await server.ask({ path: '/get/k', headers: forwarded('203.0.113.5', 'https, http') })
  expect([refusal(address), refusal(scheme)]).toEqual(['403 https_required', '403 https_required'])
})

test('without a trusted proxy nothing that a client forwards is believed', async () => {
  await using server = await TestServer.start({ enforceHttps: true })
  expect((await server.ask({ path: '/get/k', headers: forwarded('203.0.113.5', 'http') })).status).toBe(404)
})

test('where HTTPS is not enforced plain HTTP is taken from anywhere', async () => {
  await using server = await TestServer.start({ trustProxy: true })
  expect((await server.ask({ path: '/get/k', headers: forwarded('203.0.113.5', 'http') })).status).toBe(404)
})

test('while the bus is paused claims get nothing and all else goes on', async () => {
  await using server = await TestServer.start()
  const [first, second, third] = [await server.publish(), await server.publish(), await server.publish()]
  const leases = [await claim(server), await claim(server), await claim(server)] as const
  expect((await server.admin('/admin/pause', undefined, 'POST')).status).toBe(200)

  const late = await server.publish()
  const refused = await server.post('/claim')
  expect([refused.status, refused.headers['retry-after']]).toEqual([204, '1'])
  expect((await extend(server, leases[0], { seconds: 300 })).status).toBe(200)
  expect((await fulfill(server, leases[0])).status).toBe(200)
  expect((await fail(server, leases[1])).status).toBe(200)
  await server.clock.advance(60)
  expect(await status(server, third)).toMatchObject({ status: 'open' })
  expect(await claimed(server)).toBe(204)

  expect((await server.admin('/admin/resume', undefined, 'POST')).status).toBe(200)
  const after = [await claimed(server), await claimed(server), await claimed(server)]
  expect(after.toSorted()).toEqual([second, third, late].toSorted())
  expect(await status(server, first)).toMatchObject({ status: 'fulfilled' })
})
