import { afterAll, expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { refusal, sendRaw, SPEC_HEADERS } from './steps.ts'

/** The bus as users run it: what the HTTP parser refuses is answered by its own listener. */
const folder = temporaryFolder()
const bus = await BusProcess.start(folder.path)
afterAll(async () => {
  await bus[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

const KEY = `X-API-KEY: ${bus.mainKey}\r\n`

/** A request with a proper Host, and what follows its headers. */
function http(line: string, headers = '', rest = ''): string {
  return `${line} HTTP/1.1\r\nHost: localhost\r\n${headers}Connection: close\r\n\r\n${rest}`
}

test.each([
  ['garbage', 'hello\r\n\r\n', /^400 /],
  ['bytes that are no text', Buffer.from([0, 255, 1, 254, 13, 10, 13, 10]), /^400 /],
  ['a TLS greeting', Buffer.from('16030100a5010000a10303', 'hex'), /^400 /],
  ['a method that there is not', http('BREW /intent'), /^4\d\d /],
  ['a version that there is not', 'GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n', /^4\d\d /],
  ['a header without a colon', http('GET /health', 'nonsense\r\n'), /^400 /],
  ['a NUL in a header', http('GET /health', 'X: a\0b\r\n'), /^400 /],
  ['a space in the path', http('GET /get/a b'), /^400 /],
  ['a length that is no number', http('POST /claim', 'Content-Length: x\r\n'), /^400 /],
  ['two lengths', http('POST /claim', 'Content-Length: 1\r\nContent-Length: 2\r\n', 'x'), /^400 /],
  [
    'a length and chunks',
    http('POST /claim', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    /^400 /
  ],
  ['broken chunks', http('POST /claim', `${KEY}Transfer-Encoding: chunked\r\n`, 'zz\r\n'), /^400 /],
  ['headers of 20 kB', http('GET /health', `X: ${'x'.repeat(20_000)}\r\n`), /^431 /],
  ['a path of 20 kB', http(`GET /${'x'.repeat(20_000)}`), /^4\d\d /],
  ['no Host', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', /^403 invalid_host$/],
  ['no Host in HTTP/1.0', `GET /health HTTP/1.0\r\n\r\n`, /^403 invalid_host$/],
  ['an empty Host', 'GET /health HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n', /^403 invalid_host$/],
  ['two Hosts', http('GET /health', 'Host: evil.example\r\n'), /^4\d\d /],
  ['a foreign address as the target', http('GET http://evil.example/health'), /^4\d\d /],
  ['an asterisk as the target', http('OPTIONS *'), /^4\d\d /],
  ['CONNECT', http('CONNECT localhost:80'), /^4\d\d /],
  ['a broken percent-encoding', http('GET /get/%zz', KEY), /^400 invalid_/],
  ['a path that ends in a percent sign', http('GET /get/a%', KEY), /^400 invalid_/],
  ['a path that is not UTF-8', http('GET /get/%FF%FE', KEY), /^400 invalid_/],
  ['a surrogate in UTF-8 in the path', http('GET /get/%ED%A0%80', KEY), /^400 invalid_/],
  ['an encoded body', http('POST /intent', `${KEY}Content-Encoding: gzip\r\nContent-Length: 2\r\n`, '{}'), /^4\d\d /],
  ['an expectation that there is not', http('GET /get/none', `${KEY}Expect: magic\r\n`), /^4\d\d /]
])('%s is refused in the shape of every refusal', async (_name, bytes, expected) => {
  expect(refusal(await sendRaw(bus.url, bytes))).toMatch(expected)
})

test('curl may wait for 100 Continue before it sends a body', async () => {
  const body = '{"goal":"g","payload":1}'
  const headers = `${KEY}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`
  const answer = await sendRaw(bus.url, http('POST /intent', headers, body))
  expect(answer.status).toBe(100)
  expect(answer.text).toContain('HTTP/1.1 201 Created')
})

test('a client of HTTP/1.0 is answered', async () => {
  const answer = await sendRaw(bus.url, 'GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n')
  expect(answer.status).toBe(200)
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
})

test('an upgrade is not made but the request is answered', async () => {
  const head = 'GET /health HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n'
  expect((await sendRaw(bus.url, head)).status).toBe(200)
})

test('after all of this the bus goes on', async () => {
  expect((await sendRaw(bus.url, http('GET /health'))).json).toMatchObject({ ok: true })
  expect(bus.process.exitCode).toBe(null)
})
