import { createServer, type ServerOptions } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { request as forward } from 'node:http'
import { createServer as createTlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { IntentBusNetworkError, IntentClient, tlsFetch, type TlsOptions } from '../../src/main/client/index.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { CERTIFICATE, CERTIFICATE_OF_ANOTHER_NAME, KEY, PIN } from './certificate.ts'
import { rejection, until } from './rig.ts'

const OTHER_PIN = `sha256//${'A'.repeat(43)}=`

type Listener = (req: IncomingMessage, res: ServerResponse) => void

/** An HTTPS server that shows the certificate of the tests. */
class SecureServer implements AsyncDisposable {
  readonly seen: IncomingMessage[] = []
  connections = 0
  readonly #server

  private constructor(listener: Listener, options: ServerOptions) {
    this.#server = createServer({ key: KEY, cert: CERTIFICATE, ...options }, (req, res) => {
      this.seen.push(req)
      listener(req, res)
    })
    this.#server.on('secureConnection', () => this.connections++)
  }

  static async start(listener: Listener, options: ServerOptions = {}): Promise<SecureServer> {
    const secure = new SecureServer(listener, options)
    await new Promise<void>((resolve) => secure.#server.listen(0, '127.0.0.1', resolve))
    return secure
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function reverseProxy(target: string): Listener {
  return (req, res) => {
    const outgoing = forward(target + req.url, { method: req.method!, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(res)
    })
    outgoing.on('error', () => res.destroy())
    res.on('close', () => outgoing.destroy())
    req.pipe(outgoing)
  }
}

test.each<[string, TlsOptions]>([
  ['the certificate itself', { ca: CERTIFICATE }],
  ['its pin', { pin: PIN }],
  ['its pin without the prefix', { pin: PIN.replace('sha256//', '') }],
  ['one of several pins', { pin: [OTHER_PIN, PIN] }],
  ['both', { ca: [CERTIFICATE], pin: PIN }]
])('a bus is trusted by %s; its connections are used again', async (_name, tls) => {
  await using bus = await TestServer.start({ isClockReal: true, requireSignatures: true })
  await using secure = await SecureServer.start(reverseProxy(bus.url))
  const client = new IntentClient({ baseUrl: secure.url, apiKey: MAIN_KEY, tls, tracing: false })
  const { id } = await client.publish('secret', { text: 'ä' })
  const intent = (await client.claim({ goal: 'secret', wait: 5 }))!
  expect(intent.payload).toEqual({ text: 'ä' })
  expect(await client.claim({ goal: 'secret' })).toBeNull()
  await client.fulfill(id, intent.claimToken, 'ö')
  expect((await client.getResult(id, { wait: 5 })).result).toBe('ö')
  expect(secure.connections).toBe(1)

  const events = client.events()[Symbol.asyncIterator]()
  const next = events.next()
  await until(() => bus.bus.clientEvents.countOf('main') === 1)
  await client.publish('secret', 2)
  expect((await next).value).toMatchObject({ event: 'published' })
  await events.return!()
  await until(() => bus.bus.clientEvents.countOf('main') === 0)
})

test.each<[string, TlsOptions | undefined]>([
  ['a pin of another key', { pin: OTHER_PIN }],
  ['a pin of another key, whatever the authorities say', { ca: CERTIFICATE, pin: OTHER_PIN }],
  ['authorities that do not know it', {}],
  ['the platform', undefined]
])('a bus is not trusted by %s, and sees no request', async (_name, tls) => {
  await using secure = await SecureServer.start((_req, res) => void res.end('{}'))
  const client = new IntentClient({ baseUrl: secure.url, apiKey: MAIN_KEY, tls, tracing: false })
  const error = await rejection(client.claim())
  expect(error).toBeInstanceOf(IntentBusNetworkError)
  expect(error.message).toMatch(tls?.pin === undefined ? /self[- ]signed/ : /public key sha256.*not the pinned one/)
  expect(secure.seen).toHaveLength(0)
})

test('a name that is not in the certificate counts for authorities, not for pins', async () => {
  await using secure = await SecureServer.start((_req, res) => void res.end('fine'), { cert: CERTIFICATE_OF_ANOTHER_NAME })
  const byAuthority = tlsFetch({ ca: CERTIFICATE_OF_ANOTHER_NAME })
  expect(String((await rejection(byAuthority(secure.url))))).toContain('altnames')
  expect(await rejection(tlsFetch({ ca: CERTIFICATE_OF_ANOTHER_NAME, pin: PIN })(secure.url))).toBeInstanceOf(Error)
  expect(await (await tlsFetch({ pin: PIN })(secure.url)).text()).toBe('fine')
})

test('redirects are not followed, and bodies of any size arrive whole', async () => {
  const large = 'ä'.repeat(3_000_000)
  await using secure = await SecureServer.start((req, res) => {
    if (req.url === '/moved') res.writeHead(302, { Location: 'https://elsewhere.example/' }).end()
    else if (req.url === '/nothing') res.writeHead(204).end()
    else req.pipe(res.writeHead(200, { 'X-Twice': ['a', 'b'] }))
  })
  const fetch = tlsFetch({ pin: PIN })
  const moved = await fetch(`${secure.url}/moved`)
  expect([moved.status, moved.headers.get('location')]).toEqual([302, 'https://elsewhere.example/'])
  expect((await fetch(`${secure.url}/nothing`)).body).toBeNull()
  const echoed = await fetch(secure.url, { method: 'POST', body: large })
  expect(echoed.headers.get('x-twice')).toBe('a, b')
  expect(await echoed.text()).toBe(large)
})

test('a signal ends a request before, during and behind its answer, and the handshake', async () => {
  const why = new Error('enough')
  await using secure = await SecureServer.start((req, res) => {
    if (req.url === '/half') res.writeHead(200).write('half')
  })
  const fetch = tlsFetch({ pin: PIN })
  expect(await rejection(fetch(secure.url, { signal: AbortSignal.abort(why) }))).toBe(why)

  const soon = (): AbortSignal => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(why), 100)
    return controller.signal
  }
  expect(await rejection(fetch(secure.url, { signal: soon() }))).toBe(why)
  const half = await fetch(`${secure.url}/half`, { signal: soon() })
  expect(await rejection(half.text())).toBe(why)

  const silent = createTcpServer(() => {}).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo
  expect(await rejection(fetch(`https://127.0.0.1:${port}`, { signal: soon() }))).toBe(why)
  silent.close()
})

test('a server that breaks off in the middle of its answer is an error, not a short answer', async () => {
  await using secure = await SecureServer.start((_req, res) => {
    res.writeHead(200, { 'Content-Length': '100' }).write('half')
    setTimeout(() => res.destroy(), 50)
  })
  const answer = await tlsFetch({ pin: PIN })(secure.url)
  await expect(answer.text()).rejects.toThrow()
})

test.each([
  ['99', 'HTTP/1.1 99 Odd\r\nContent-Length: 0\r\n\r\n'],
  ['1000', 'HTTP/1.1 1000 Odd\r\nContent-Length: 0\r\n\r\n'],
  ['600', 'HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\n{}'],
  ['101 to who wants no other protocol', 'HTTP/1.1 101 Odd\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\n'],
  ['200 with a reason that is none', 'HTTP/1.1 200 \x01\r\nContent-Length: 2\r\n\r\n{}'],
  ['no kind at all', 'Hello\r\n\r\n']
])('an answer with status %s is an error at once', async (_name, answer) => {
  const odd = createTlsServer({ key: KEY, cert: CERTIFICATE }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.write(answer))
  })
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve))
  const baseUrl = `https://127.0.0.1:${(odd.address() as AddressInfo).port}`
  const client = new IntentClient({ baseUrl, apiKey: MAIN_KEY, tls: { pin: PIN }, tracing: false })
  expect(await rejection(client.claim())).toMatchObject({ name: 'IntentBusNetworkError', code: 'network' })
  await new Promise((resolve) => odd.close(resolve))
})

test.each<TlsOptions>([{ pin: [] }, { ca: [] }, { ca: CERTIFICATE, pin: [] }, { ca: [], pin: PIN }])(
  'an empty list, as in %j, trusts nobody, and is refused',
  (tls) => {
    expect(() => tlsFetch(tls)).toThrow(TypeError)
  }
)

test.each(['', 'sha256//short=', 'md5//AAAA'])('%j is no pin', (pin) => {
  expect(() => tlsFetch({ pin })).toThrow(TypeError)
})

test('tls does not go with plain HTTP, nor with another fetch', () => {
  expect(() => new IntentClient({ baseUrl: 'http://127.0.0.1:1', apiKey: 'k', tls: { pin: PIN } })).toThrow(TypeError)
  expect(() => new IntentClient({ baseUrl: 'https://a', apiKey: 'k', tls: { pin: PIN }, fetch })).toThrow(TypeError)
})
