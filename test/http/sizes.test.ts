import { afterAll, expect, test } from 'vitest'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claim, refusal, sendRaw } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

/** A body for POST /intent with a payload of that JSON text. */
function bodyWith(payload: string): string {
  return `{"goal":"g","payload":${payload}}`
}

/** A JSON string that takes that many bytes with its quotes. */
function textOf(bytes: number): string {
  return JSON.stringify('p'.repeat(bytes - 2))
}

test('a payload of 7,168 bytes is taken and one more is 413 payload_too_large', async () => {
  await using server = await TestServer.start()
  expect(refusal(await server.post('/intent', bodyWith(textOf(7_169))))).toBe('413 payload_too_large')
  expect((await server.post('/intent', bodyWith(textOf(7_168)))).status).toBe(201)
  expect((await claim(server)).payload).toHaveLength(7_166)
})

test('a payload is measured in bytes of UTF-8, not in characters', async () => {
  await using server = await TestServer.start()
  const euros = (count: number, rest: string) => bodyWith(`"${'€'.repeat(count)}${rest}"`)
  expect((await server.post('/intent', euros(2_388, 'aa'))).status).toBe(201)
  expect(refusal(await server.post('/intent', euros(2_388, 'aaa')))).toBe('413 payload_too_large')
})

test('whitespace between the parts of a payload does not count, whitespace in its texts does', async () => {
  await using server = await TestServer.start()
  const spaces = ' '.repeat(7_500)
  expect((await server.post('/intent', bodyWith(`[1,${spaces}2]`))).status).toBe(201)
  expect((await claim(server)).payload).toEqual([1, 2])
  expect(refusal(await server.post('/intent', bodyWith(`"${spaces}"`)))).toBe('413 payload_too_large')
})

test('a body of 8,192 bytes is taken and one more is 413', async () => {
  await using server = await TestServer.start()
  const filled = (bytes: number) => bodyWith('1').padEnd(bytes, ' ')
  expect((await server.post('/intent', filled(8_192))).status).toBe(201)
  expect(refusal(await server.post('/intent', filled(8_193)))).toMatch(/^413 /)
})

test('a body that is too large is 413 before it is parsed', async () => {
  await using server = await TestServer.start()
  expect(refusal(await server.post('/intent', '{'.repeat(9_000)))).toMatch(/^413 /)
})

const ROUTES = ['/intent', '/claim', '/fulfill/x', '/fail/x', '/extend_claim/x', '/set/k']

test.each(ROUTES)('the limit holds for %s', async (path) => {
  expect(refusal(await shared.post(path, 'x'.repeat(8_193)))).toMatch(/^413 /)
})

test('a body in chunks has the same limit', async () => {
  await using server = await TestServer.start()
  const head = [
    'POST /intent HTTP/1.1',
    'Host: localhost',
    `X-API-KEY: ${MAIN_KEY}`,
    'Transfer-Encoding: chunked',
    'Connection: close'
  ].join('\r\n')
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`
  const filled = (bytes: number) => {
    const body = bodyWith('1').padEnd(bytes, ' ')
    return `${head}\r\n\r\n${chunk(body.slice(0, 4_000))}${chunk(body.slice(4_000))}0\r\n\r\n`
  }
  expect((await sendRaw(server.url, filled(8_192))).status).toBe(201)
  expect(refusal(await sendRaw(server.url, filled(8_193)))).toMatch(/^413 /)
})

test('a refused large body does not break the connection for the next request', async () => {
  await using server = await TestServer.start()
  const body = 'x'.repeat(100_000)
  const key = `Host: localhost\r\nX-API-KEY: ${MAIN_KEY}`
  const both =
    `POST /intent HTTP/1.1\r\n${key}\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
    `GET /health HTTP/1.1\r\n${key}\r\nConnection: close\r\n\r\n`
  const { text } = await sendRaw(server.url, both)
  expect(text).toContain('payload_too_large')
  expect(text).toContain('HTTP/1.1 200 OK')
})
