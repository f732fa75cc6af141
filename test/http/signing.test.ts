import { afterAll, expect, test } from 'vitest'
import { signatureHeaders } from '../support/http-client.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { askSigned } from './signed.ts'
import { claimed, refusal, refusalWithMessage } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

const BODY = '{"goal":"test","payload":1}'
const PUBLISH = { path: '/intent', body: BODY }

test('a properly signed request is taken', async () => {
  await using server = await TestServer.start()
  expect((await askSigned(server, PUBLISH)).status).toBe(201)
  expect((await askSigned(server, { method: 'POST', path: '/claim' })).status).toBe(200)
  expect((await askSigned(server, { path: '/get/nothing' })).status).toBe(404)
})

test('a generated key signs with itself', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  expect((await askSigned(server, { ...PUBLISH, key })).status).toBe(201)
})

test.each(['X-Timestamp', 'X-Nonce', 'X-Signature'])('a part of a signature is refused: %s', async (name) => {
  await using server = await TestServer.start()
  expect(refusal(await askSigned(server, { ...PUBLISH, headers: { [name]: undefined } }))).toBe('403 invalid_signature')
  for (const value of ['1', '']) {
    expect(refusal(await server.post('/intent', BODY, { [name]: value }))).toBe('403 invalid_signature')
    expect(refusal(await askSigned(server, { ...PUBLISH, headers: { [name]: '' } }))).toBe('403 invalid_signature')
  }
  expect(await claimed(server)).toBe(204)
})

test.each(['yesterday', '', '0x65', '1e9', 'NaN', 'Infinity', '-1', '1790000000 1790000000'])(
  'the malformed timestamp %j is refused',
  async (timestamp) => {
    expect(refusal(await askSigned(shared, { ...PUBLISH, timestamp }))).toBe('403 invalid_signature')
  }
)

test.each([
  [-300, 201],
  [300, 201],
  [-301, 403],
  [301, 403]
])('a timestamp %i seconds off the clock of the bus is answered %i', async (offset, expected) => {
  const timestamp = String(shared.clock.now() + offset)
  expect((await askSigned(shared, { ...PUBLISH, timestamp })).status).toBe(expected)
})

test('a request that was signed in time is stale later', async () => {
  await using server = await TestServer.start()
  const timestamp = String(server.clock.now())
  await server.clock.advance(301)
  expect(refusal(await askSigned(server, { ...PUBLISH, timestamp }))).toBe('403 invalid_signature')
})

test.each([
  ['another body', { signedBody: '{"goal":"test","payload":2}' }],
  ['the same JSON in other bytes', { signedBody: '{"goal": "test", "payload": 1}' }],
  ['another path', { canonicalPath: '/claim' }],
  ['another key', { headers: { 'X-API-KEY': MAIN_KEY }, key: 'some other key' }],
  ['another nonce', { headers: { 'X-Nonce': 'other' } }],
  ['another timestamp', { headers: { 'X-Timestamp': '1790000001' } }],
  ['no HMAC at all', { headers: { 'X-Signature': 'f'.repeat(64) } }],
  ['something short', { headers: { 'X-Signature': 'ab' } }]
])('a signature over %s is refused', async (_name, wrong) => {
  await using server = await TestServer.start()
  const answer = await askSigned(server, { ...PUBLISH, ...wrong })
  expect(refusalWithMessage(answer)).toBe('403 invalid_signature: Bad signature')
  expect(await claimed(server)).toBe(204)
})

test('the digest must be lowercase', async () => {
  await using server = await TestServer.start()
  const timestamp = String(server.clock.now())
  const signed = signatureHeaders(MAIN_KEY, 'POST', '/intent', BODY, { timestamp, nonce: 'n' })
  const upper = { ...signed, 'X-Signature': signed['X-Signature']!.toUpperCase() }
  expect(refusal(await server.post('/intent', BODY, upper))).toBe('403 invalid_signature')
  expect((await server.post('/intent', BODY, signed)).status).toBe(201)
})

test('the body is signed as the bytes that are sent, whitespace and all', async () => {
  await using server = await TestServer.start()
  const body = ' {\r\n\t"goal" : "gruß", "payload": 1.10 }\n'
  expect((await askSigned(server, { path: '/intent', body })).status).toBe(201)
})

test('a nonce is taken once', async () => {
  await using server = await TestServer.start()
  const request = { ...PUBLISH, nonce: 'once' }
  expect((await askSigned(server, request)).status).toBe(201)
  expect(refusalWithMessage(await askSigned(server, request))).toBe('403 invalid_signature: Replay detected')
  const other = { ...request, body: '{"goal":"other","payload":1}' }
  expect(refusalWithMessage(await askSigned(server, other))).toBe('403 invalid_signature: Replay detected')
})

test('many copies of a signed request at once are taken once', async () => {
  await using server = await TestServer.start()
  const request = { ...PUBLISH, nonce: 'once' }
  const answers = await Promise.all(Array.from({ length: 20 }, () => askSigned(server, request)))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array<number>(19).fill(403)])
})

test('a replayed GET is refused, too', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  for (const path of [`/status/${id}`, `/result/${id}`, '/get/k']) {
    const request = { path, nonce: `of ${path}` }
    expect((await askSigned(server, request)).status).toBeOneOf([200, 404])
    expect(refusalWithMessage(await askSigned(server, request))).toBe('403 invalid_signature: Replay detected')
  }
})

test('a claim that got nothing has spent its nonce', async () => {
  await using server = await TestServer.start()
  const request = { method: 'POST', path: '/claim', nonce: 'once' }
  expect((await askSigned(server, request)).status).toBe(204)
  expect(refusalWithMessage(await askSigned(server, request))).toBe('403 invalid_signature: Replay detected')
})

test('keys have their nonces each for itself', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  expect((await askSigned(server, { ...PUBLISH, nonce: 'shared' })).status).toBe(201)
  expect((await askSigned(server, { ...PUBLISH, nonce: 'shared', key })).status).toBe(201)
})

test('a wrong signature spends no nonce', async () => {
  await using server = await TestServer.start()
  const wrong = await askSigned(server, { ...PUBLISH, nonce: 'mine', signedBody: 'x' })
  const stale = await askSigned(server, { ...PUBLISH, nonce: 'mine', timestamp: String(server.clock.now() - 400) })
  expect([wrong.status, stale.status]).toEqual([403, 403])
  expect((await askSigned(server, { ...PUBLISH, nonce: 'mine' })).status).toBe(201)
})

test('a nonce stays spent as long as any timestamp that it came with can be in time', async () => {
  await using server = await TestServer.start()
  const timestamp = String(server.clock.now() + 300)
  expect((await askSigned(server, { ...PUBLISH, nonce: 'early', timestamp })).status).toBe(201)
  await server.clock.advance(599)
  const replayed = await askSigned(server, { ...PUBLISH, nonce: 'early', timestamp })
  expect(refusalWithMessage(replayed)).toMatch(/Replay detected$/)
})

test('a nonce is kept for 600 seconds and may then be used again', async () => {
  await using server = await TestServer.start()
  expect((await askSigned(server, { ...PUBLISH, nonce: 'again' })).status).toBe(201)
  await server.clock.advance(599)
  expect(refusalWithMessage(await askSigned(server, { ...PUBLISH, nonce: 'again' }))).toMatch(/Replay detected$/)
  await server.clock.advance(2)
  expect((await askSigned(server, { ...PUBLISH, nonce: 'again' })).status).toBe(201)
})

test('unsigned requests are taken where signatures are not required', async () => {
  await using server = await TestServer.start()
  expect((await server.post('/intent', BODY)).status).toBe(201)
})

test('where signatures are required every client request must be signed', async () => {
  await using server = await TestServer.start({ requireSignatures: true })
  const id = (await askSigned(server, PUBLISH)).json.id as string
  const requests: [method: string, path: string][] = [
    ['POST', '/intent'],
    ['POST', '/claim'],
    ['POST', `/fulfill/${id}`],
    ['POST', `/fail/${id}`],
    ['POST', `/extend_claim/${id}`],
    ['GET', `/result/${id}`],
    ['GET', `/status/${id}`],
    ['POST', '/set/k'],
    ['GET', '/get/k']
  ]
  for (const [method, path] of requests) {
    const answer = await server.ask({ method, path, headers: { 'X-API-KEY': MAIN_KEY } })
    expect(refusal(answer)).toBe('403 invalid_signature')
  }
  expect((await askSigned(server, { path: `/status/${id}` })).json).toMatchObject({ status: 'open' })
})

test('where signatures are required health, admin and metrics need none', async () => {
  await using server = await TestServer.start({ requireSignatures: true })
  expect((await server.ask({ path: '/health' })).status).toBe(200)
  expect((await server.admin('/admin/dead')).status).toBe(200)
  expect((await server.admin('/metrics')).status).toBe(200)
})

test('a wrong key is 401 before any signature counts', async () => {
  await using server = await TestServer.start({ requireSignatures: true })
  expect(refusal(await askSigned(server, { ...PUBLISH, key: 'wrong' }))).toBe('401 unauthorized')
})
