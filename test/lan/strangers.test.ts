import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { tlsFetch } from '../../src/main/client/index.ts'
import { CLIENT_PACKAGE_PATH } from '../../src/main/http/client-package.ts'
import { ROOT_CERTIFICATE_PATH } from '../../src/main/http/root-certificate.ts'
import { DESKTOP } from '../../src/main/control/control.ts'
import { CONTROL_PATH } from '../../src/main/http/exchange.ts'
import { INTERFACE_PATH } from '../../src/main/http/routes/client.ts'
import { HANDSHAKES } from '../../src/main/net/handshake-limit.ts'
import { PATIENCE } from '../../src/main/net/http-server.ts'
import type { SessionView } from '../../src/shared/control/network-views.ts'
import { ROOT } from '../support/bus-process.ts'
import { HomeNetwork, type NetworkHost } from '../support/home-network.ts'
import { MAIN_KEY, PASSWORD, TestServer } from '../support/test-server.ts'
import { SharedBus } from './shared-bus.ts'

/** Somebody on the network who has neither key nor password. */

/** What is open to everybody, and how it answers a body of nobody's. */
const OPEN: Readonly<Record<string, number>> = {
  'GET /': 200,
  'GET /health': 200,
  [`GET ${CLIENT_PACKAGE_PATH}`]: 200,
  [`GET ${ROOT_CERTIFICATE_PATH}`]: 200,
  'GET /pair': 404,
  'POST /pair': 403,
  'POST /pair/wait': 404,
  'GET /admin': 303,
  [`GET ${INTERFACE_PATH}`]: 200,
  [`GET ${INTERFACE_PATH}assets/x`]: 404,
  [`POST ${CONTROL_PATH}logout`]: 204,
  [`GET ${CONTROL_PATH}session`]: 200,
  [`POST ${CONTROL_PATH}pair`]: 403,
  [`POST ${CONTROL_PATH}pair/wait`]: 404
}

const BODY = { code: 'K7QF-92MX', name: 'nobody', request: '0', token: '0', password: 'a guess', goal: 'g', payload: 1 }

/** All addresses of the bus, as its table of routes has them; parameters are `x`. */
function allRoutes(): string[] {
  const source = readFileSync(join(ROOT, 'src/main/http/app.ts'), 'utf8')
  const names: Readonly<Record<string, string>> = { CLIENT_PACKAGE_PATH, CONTROL_PATH, INTERFACE_PATH, ROOT_CERTIFICATE_PATH }
  return [...source.matchAll(/^ {4}\['(get|post)', (?:(['`])(.+?)\2|(\w+)), /gm)].map(([, method, , text, name]) => {
    const path = text?.replace(/\$\{(\w+)\}/g, (_, constant: string) => names[constant]!) ?? names[name!]!
    return `${method!.toUpperCase()} ${path.replace(/:\w+/g, 'x')}`
  })
}

describe('a shared bus', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await TestServer.start({ sharedAt: '127.0.0.2' })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  function ask(route: string, headers: Readonly<Record<string, string>> = {}, body: object = BODY): Promise<Response> {
    const [method, path] = route.split(' ') as [string, string]
    const given = { method, redirect: 'manual', headers: { 'Content-Type': 'application/json', ...headers } } as const
    const url = server.sharing.urls[0]! + path
    return tlsFetch({ pin: server.sharing.identity!.pin })(url, method === 'POST' ? { ...given, body: JSON.stringify(body) } : given)
  }

  test.each(allRoutes())('%s tells a stranger nothing', async (route) => {
    const { [route]: open = 401 } = OPEN
    const wrong = { 'X-API-KEY': 'wrong', Authorization: `Basic ${btoa('admin:wrong')}`, Cookie: `intent_bus_${new URL(server.sharing.urls[0]!).port}=wrong` }
    for (const headers of [{}, wrong]) {
      const answer = await ask(route, headers)
      expect([route, answer.status]).toEqual([route, open])
      const text = await answer.text()
      if (open >= 400) expect(Object.keys(JSON.parse(text))).toEqual(['error'])
      for (const secret of [MAIN_KEY, PASSWORD, server.databasePath]) expect(text).not.toContain(secret)
    }
  })

  test('what is open is still there', () => {
    expect(allRoutes()).toEqual(expect.arrayContaining(Object.keys(OPEN)))
  })

  test('gives a session to a browser for HTTPS only', async () => {
    const answer = await ask(`POST ${CONTROL_PATH}login`, {}, { password: PASSWORD })
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, expect.stringMatching(/; HttpOnly; SameSite=Strict; Secure$/)])
  })

  test.each([
    ['TLSv1.1', 'refused'],
    ['TLSv1.2', 'TLSv1.2'],
    ['TLSv1.3', 'TLSv1.3']
  ] as const)('is asked for %s: %s', async (version, outcome) => {
    const { hostname, port } = new URL(server.sharing.urls[0]!)
    const options = { host: hostname, port: Number(port), ca: server.sharing.identity!.rootPem }
    const spoken = await new Promise((resolve) => {
      // Without the lower level OpenSSL itself would not even ask for it.
      const socket = connect({ ...options, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' })
      socket.once('secureConnect', () => (resolve(socket.getProtocol()), socket.destroy()))
      socket.once('error', () => resolve('refused'))
    })
    expect(spoken).toBe(outcome)
  })
})

test('what a proxy would say counts for nothing where the bus is shared, and counts elsewhere', async () => {
  await using server = await TestServer.start({ sharedAt: '127.0.0.2', trustProxy: true })
  const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': '127.0.0.9', 'X-Forwarded-Proto': 'https' }
  const login = { method: 'POST', headers, body: JSON.stringify({ password: PASSWORD }) }
  expect((await tlsFetch({ pin: server.sharing.identity!.pin })(`${server.sharing.urls[0]}${CONTROL_PATH}login`, login)).status).toBe(200)
  expect((await fetch(`${server.url}${CONTROL_PATH}login`, login)).status).toBe(200)
  const answer = await server.control.call(DESKTOP, 'sessions.list', {})
  if (!answer.ok) throw new Error(answer.error.message)
  expect((answer.value as SessionView[]).map(({ address }) => address).sort()).toEqual(['127.0.0.1', '127.0.0.9'])
})

const trouble = HomeNetwork.trouble()

/** Opens connections and says nothing; prints how many of them the other side keeps. */
const HOARDER = `
import socket, sys, time
held = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(int(sys.argv[3]))]
time.sleep(1)
def kept(s):
    s.setblocking(False)
    try: return s.recv(1) != b''
    except BlockingIOError: return True
    except OSError: return False
print(sum(map(kept, held)), flush=True)
sys.stdin.read()
`

test.skipIf(trouble !== undefined)(`a machine that opens connections without end keeps no other one out${trouble ? `: ${trouble}` : ''}`, async () => {
  using network = await HomeNetwork.create(3)
  const [home, hoarder, away] = network.hosts as [NetworkHost, NetworkHost, NetworkHost]
  await using shared = await SharedBus.start(home)
  const { urls, identity } = shared.view
  const { hostname, port } = new URL(urls[0]!)
  const wanted = PATIENCE.maxConnectionsPerClient + 100
  const hoarding = hoarder.spawn('python3', ['-c', HOARDER, hostname, port, String(wanted)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const kept = Number(await new Promise((resolve) => hoarding.stdout!.setEncoding('utf8').once('data', resolve)))
  expect(kept).toBeGreaterThanOrEqual(HANDSHAKES.client.atOnce)
  expect(kept).toBeLessThanOrEqual(PATIENCE.maxConnectionsPerClient)
  const asked = away.attempt('curl', '-sS', '--max-time', '5', '--cacert', identity!.rootPath, `${urls[0]}/health`)
  expect([asked.code, asked.stdout]).toEqual([0, expect.stringContaining('"ok":true')])
  hoarding.kill('SIGKILL')
})

/** Begins handshakes for some seconds, always with the same hello, which costs it nothing; prints how many were answered. */
const HANDSHAKER = `
import socket, ssl, sys, time
out = ssl.MemoryBIO()
tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname='bus')
try: tls.do_handshake()
except ssl.SSLWantReadError: pass
hello = out.read()
answered, end = 0, time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as s:
            s.sendall(hello)
            answered += len(s.recv(1))
    except OSError: pass
print(answered)
`

test.skipIf(trouble !== undefined)(`a machine that begins handshakes over and over is held to its limit, and keeps no other one out${trouble ? `: ${trouble}` : ''}`, async () => {
  using network = await HomeNetwork.create(3)
  const [home, eager, away] = network.hosts as [NetworkHost, NetworkHost, NetworkHost]
  await using shared = await SharedBus.start(home)
  const { urls, identity } = shared.view
  const { hostname, port } = new URL(urls[0]!)
  const seconds = 2
  const beginning = eager.spawn('python3', ['-c', HANDSHAKER, hostname, port, String(seconds)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const printed = new Promise((resolve) => beginning.stdout!.setEncoding('utf8').once('data', resolve))
  const ask = (from: NetworkHost) => from.attempt('curl', '-sS', '--max-time', '5', '--cacert', identity!.rootPath, `${urls[0]}/health`)
  expect(ask(away).code).toBe(0)
  const done = Number(await printed)
  expect(done).toBeGreaterThanOrEqual(HANDSHAKES.client.atOnce)
  expect(done).toBeLessThanOrEqual(HANDSHAKES.client.atOnce + HANDSHAKES.client.perSecond * (seconds + 1))
  await vi.waitFor(() => expect(ask(eager).code).toBe(0))
})

test.skipIf(trouble !== undefined)(`a connection has one handshake, and no more are made on it${trouble ? `: ${trouble}` : ''}`, async () => {
  using network = await HomeNetwork.create(2)
  const [home, away] = network.hosts as [NetworkHost, NetworkHost]
  await using shared = await SharedBus.start(home)
  const { host } = new URL(shared.view.urls[0]!)
  // R asks for another one, which only this version of TLS has.
  const said = away.attempt('sh', '-c', `(sleep 0.5; echo R; sleep 0.5) | openssl s_client -tls1_2 -connect ${host} 2>&1`).stdout
  expect(said).toContain('RENEGOTIATING')
  expect(said).toMatch(/no renegotiation/)
})
