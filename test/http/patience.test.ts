import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { clientNetwork } from '../../src/main/net/addresses.ts'
import { waitAfter } from '../../src/main/http/failed-logins.ts'
import { HttpServer, PATIENCE } from '../../src/main/net/http-server.ts'

/** Sends raw bytes and gives everything that comes back until the server closes. */
function converse(port: number, send: (socket: Socket) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = connect(port, '127.0.0.1', () => send(socket))
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
    socket.on('close', () => resolve(received))
    socket.on('error', reject)
  })
}

async function withServer(use: (port: number) => Promise<void>): Promise<void> {
  const server = new HttpServer((_req, res) => res.end('fine'))
  try {
    await use(await server.listen('127.0.0.1', 0))
  } finally {
    await server.close(0)
  }
}

function expectRefusal(answer: string, status: string, code: string): void {
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status}`))
  for (const header of ['X-Frame-Options: DENY', 'Cache-Control: no-store', 'X-Intent-Version: 2.1']) {
    expect(answer).toContain(header)
  }
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual({ error: { code, message: expect.any(String) } })
}

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', '400 Bad Request', 'invalid_request'],
  ['a header without a colon', 'GET / HTTP/1.1\r\nHost: localhost\r\nnonsense\r\n\r\n', '400 Bad Request', 'invalid_request'],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '400 Bad Request', 'invalid_request'],
  ['a length and chunks', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', '400 Bad Request', 'invalid_request'],
  ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431 Request Header Fields Too Large', 'headers_too_large'],
  ['a proxy request', 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', '405 Method Not Allowed', 'method_not_allowed']
])('%s is refused in the protocol’s own shape', async (_name, bytes, status, code) => {
  await withServer(async (port) => {
    expectRefusal(await converse(port, (socket) => socket.write(bytes)), status, code)
  })
})

test('a client that never finishes its headers is told so and cut off', { timeout: 20_000 }, async () => {
  await withServer(async (port) => {
    const started = performance.now()
    const answer = await converse(port, (socket) => socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n'))
    expectRefusal(answer, '408 Request Timeout', 'request_timeout')
    const limit = PATIENCE.headersTimeout + 2 * PATIENCE.checkInterval
    expect(performance.now() - started).toBeLessThan(limit)
  })
})

test('an unknown Expect header is no reason to refuse', async () => {
  await withServer(async (port) => {
    const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nExpect: the-unexpected\r\nConnection: close\r\n\r\n'
    expect(await converse(port, (socket) => socket.write(request))).toContain('fine')
  })
})

test.each([
  [1, true, 0],
  [5, true, 0],
  [6, true, 50],
  [8, true, 200],
  [9, true, 250],
  [100, true, 250],
  [5, false, 0],
  [6, false, 50],
  [12, false, 3_200],
  [1_000, false, 5_000]
])('after %i failures (on loopback: %s) the answer waits %i ms', (failures, isLoopback, wait) => {
  expect(waitAfter(failures, isLoopback)).toBe(wait)
})

test.each([
  ['192.168.1.7', '192.168.1.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64']
])('%s counts as %s', (address, network) => {
  expect(clientNetwork(address)).toBe(network)
})
