import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { HttpAnswer } from '../support/http-client.ts'
import { ADMIN_TOKEN, MAIN_KEY, TestServer } from '../support/test-server.ts'
import { refusal, sendRaw, SPEC_HEADERS } from './steps.ts'

const server = await TestServer.start()
afterAll(() => server[Symbol.asyncDispose]())

const PARAMETERS = { numRuns: 120, interruptAfterTimeLimit: 4_000 }
const CREDENTIALS = { 'X-API-KEY': MAIN_KEY, 'X-Admin-Token': ADMIN_TOKEN }

/** Purge and cleanup are left out: they wait for a clock that stands still here. */
const ROUTES = [
  'POST /intent',
  'POST /claim',
  'POST /extend_claim/x',
  'POST /fulfill/x',
  'POST /fail/x',
  'GET /result/x',
  'GET /status/x',
  'POST /set/k',
  'GET /get/k',
  'POST /admin/generate_key',
  'POST /admin/revoke_key',
  'POST /admin/intents/x/retry',
  'GET /admin/dead/x',
  'GET /health'
] as const

const route = fc.constantFrom(...ROUTES).map((text) => text.split(' ') as [method: string, path: string])
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND', 'TRACE', 'PURGE')

/** Whatever was asked: no 5xx, every header, and every refusal in its one shape. */
function checkAnswer(answer: HttpAnswer, isHead = false): void {
  expect(answer.status).toBeGreaterThanOrEqual(200)
  expect(answer.status).toBeLessThan(500)
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
  if (answer.status >= 400 && !isHead) refusal(answer)
}

/** JSON texts that go beyond what JSON.stringify writes. */
const oddJson: fc.Arbitrary<string> = fc.oneof(
  fc.json({ maxDepth: 5, stringUnit: 'binary' }),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\ud800"', '"\\u0000"', '1e400', '-1e-400', '1E+99999999999', '-0', '{"a":1,"a":2}'),
  fc.integer({ min: 1, max: 3_000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth))
)

const FIELDS = [
  'goal',
  'payload',
  'namespace',
  'visibility',
  'priority',
  'delay',
  'max_attempts',
  'backoff_base',
  'target_worker',
  'required_capability',
  'claim_token',
  'seconds',
  'result',
  'result_type',
  'error',
  'value',
  'ttl',
  'owner',
  'api_key'
]

/** Objects with the fields of requests, some of them twice, and anything in them. */
const oddRequest = fc
  .array(fc.tuple(fc.constantFrom(...FIELDS), oddJson), { minLength: 1, maxLength: 8 })
  .map((members) => `{"goal":"g","payload":1,${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`)

const body = fc.oneof(
  { weight: 3, arbitrary: oddRequest },
  oddJson,
  fc.string({ unit: 'binary' }),
  fc.uint8Array({ maxLength: 9_000 }).map((bytes) => Buffer.from(bytes))
)

test('no body makes the bus stumble', async () => {
  await fc.assert(
    fc.asyncProperty(route, body, fc.boolean(), async ([verb, path], sent, isIdempotent) => {
      const headers = isIdempotent ? { ...CREDENTIALS, 'Idempotency-Key': 'same' } : CREDENTIALS
      checkAnswer(await server.ask({ method: verb, path, headers, body: sent }))
    }),
    PARAMETERS
  )
})

const pathPiece = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => text.replace(/[^!-~]/g, '')),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
  fc.constantFrom('%', '%2', '%zz', '%FF', '%ED%A0%80', '%00', '%2F', '..', '.', ';', '//', '*', '%E2%82%AC', '#', '+')
)
const target = fc
  .tuple(
    fc.constantFrom('/', '/get/', '/set/', '/status/', '/fulfill/', '/admin/', '/admin/intents/', '/admin/dead/'),
    fc.array(pathPiece, { maxLength: 4 }),
    fc.option(fc.array(fc.tuple(pathPiece, pathPiece), { maxLength: 4 }))
  )
  .map(([start, pieces, query]) => {
    const path = start + pieces.join('')
    return query === null ? path : `${path}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`
  })

test('no method and no path makes the bus stumble', async () => {
  await fc.assert(
    fc.asyncProperty(method, target, async (verb, path) => {
      checkAnswer(await server.ask({ method: verb, path, headers: CREDENTIALS }), verb === 'HEAD')
    }),
    PARAMETERS
  )
})

const queryText = fc.oneof(pathPiece, fc.constantFrom('', 'a,b', ',,,', 'main', 'key_1', 'x'.repeat(300)))

test('no query of a claim makes the bus stumble', async () => {
  const name = fc.constantFrom('goal', 'namespace', 'publisher', 'worker_id', 'capabilities', 'capability', 'other')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, queryText), { maxLength: 6 }), async (pairs) => {
      const query = pairs.map(([key, value]) => `${key}=${value}`).join('&')
      checkAnswer(await server.post(`/claim?${query}`))
    }),
    PARAMETERS
  )
})

const HEADERS = [
  'X-API-KEY',
  'X-Admin-Token',
  'Authorization',
  'X-Timestamp',
  'X-Nonce',
  'X-Signature',
  'X-Worker-ID',
  'X-Worker-Capabilities',
  'Idempotency-Key',
  'X-Request-ID',
  'Origin',
  'Sec-Fetch-Site',
  'Sec-Fetch-Mode',
  'X-Forwarded-For',
  'Content-Type',
  'Content-Encoding',
  'Accept',
  'Cookie'
]
/** What HTTP lets a header hold, bytes beyond ASCII included. */
const headerByte = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f)
const headerValue = fc.oneof(
  fc.array(headerByte, { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom(MAIN_KEY, ADMIN_TOKEN, 'Basic ', 'Basic OjpB', 'Bearer x', '1790000000', 'null', 'x'.repeat(5_000))
)

const headerList = fc.array(fc.tuple(fc.constantFrom(...HEADERS), headerValue), { maxLength: 5 })

test('no header makes the bus stumble', async () => {
  await fc.assert(
    fc.asyncProperty(route, headerList, async ([verb, path], list) => {
      const lines = list.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      const head = `${verb} ${path} HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: ${MAIN_KEY}\r\n`
      const bytes = Buffer.from(`${head}${lines}Connection: close\r\n\r\n`, 'latin1')
      checkAnswer(await sendRaw(server.url, bytes))
    }),
    { ...PARAMETERS, numRuns: 80 }
  )
})

const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 40 })
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits.map((text) => text.replace(/^0+(?=\d)/, '')),
    fc.option(digits),
    fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-', 'E+', 'E-'), digits))
  )
  .map(([sign, whole, fraction, exponent]) => {
    return sign + whole + (fraction === null ? '' : `.${fraction}`) + (exponent === null ? '' : exponent.join(''))
  })

test('numbers come out of payloads, results and values with exactly the digits they went in with', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(numberText, { minLength: 1, maxLength: 8 }), async (numbers) => {
      const text = `{"list":[${numbers.join(',')}],"n":${numbers[0]}}`
      expect((await server.post('/intent', `{"goal":"digits","payload":${text}}`)).status).toBe(201)
      const claimed = await server.post('/claim?goal=digits')
      expect(claimed.text).toContain(`"payload":${text}`)
      const { id, claim_token } = claimed.json
      await server.post(`/fulfill/${id}`, `{"claim_token":"${claim_token}","result":${text}}`)
      expect((await server.get(`/result/${id}`)).text).toContain(`"result":${text}`)
      await server.post('/set/digits', `{"value":${text}}`)
      expect((await server.get('/get/digits')).text).toBe(`{"value":${text}}`)
    }),
    { ...PARAMETERS, numRuns: 60 }
  )
})
