import { createHmac } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { DESKTOP } from '../../src/main/control/operator.ts'
import type { Key, Keys } from '../../src/main/bus/keys.ts'
import type { Exchange } from '../../src/main/http/exchange.ts'
import { SignatureFailures } from '../../src/main/http/signatures/failures.ts'
import { SignatureRefusal } from '../../src/main/http/signatures/refusal.ts'
import type { SignatureFailureView } from '../../src/shared/control/network-views.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { askSigned } from './signed.ts'
import { refusalWithMessage } from './steps.ts'

const server = await TestServer.start()
afterAll(() => server[Symbol.asyncDispose]())

const BODY = '{"goal":"test","payload":{"b":1,"a":"grüße/x"}}'
const PUBLISH = { method: 'POST', path: '/intent', body: BODY } as const

let count = 0

interface Sent {
  readonly method?: string
  readonly path: string
  readonly body?: string
  readonly key?: string
  readonly timestamp?: string
  /** What the client signs; by default what it should. */
  sign?(fields: { method: string; path: string; timestamp: string; nonce: string; body: string }): string
  /** What it makes of the digest. */
  write?(digest: Buffer): string
}

/** As operators see them. */
async function failures(): Promise<readonly SignatureFailureView[]> {
  const envelope = await server.control.call(DESKTOP, 'signatures.failures', {})
  return (envelope as { value: readonly SignatureFailureView[] }).value
}

/** Sends a request with a signature of its own making; the answer is what the bus remembers of it. */
async function fail(sent: Sent): Promise<SignatureFailureView> {
  const { method = 'POST', path, body = '', key = MAIN_KEY, sign, write = (digest) => digest.toString('hex') } = sent
  const { timestamp = String(Math.floor(server.clock.now())) } = sent
  // A new second: only some failures in each are looked into.
  await server.clock.advance(1)
  const nonce = `nonce-${++count}`
  const fields = { method, path, timestamp, nonce, body }
  const text = sign?.(fields) ?? `${method}\n${path}\n${timestamp}\n${nonce}\n${body}`
  const signature = write(createHmac('sha256', key).update(text).digest())
  const headers = { 'X-API-KEY': key, 'X-Timestamp': timestamp, 'X-Nonce': nonce, 'X-Signature': signature }
  const answer = await server.ask({ method, path, headers, ...(body !== '' && { body }) })
  expect(answer.status).toBe(403)
  const [failure] = await failures()
  expect(failure!.expected[3]).toBe(nonce)
  return failure!
}

/** The character at which two lists of lines begin to differ, as `line:column`. */
function place({ difference }: SignatureFailureView): string | null {
  return difference && `${difference.line}:${difference.column}`
}

const sha = (hex: string) => new RegExp(`^\\d+ bytes, sha256 ${hex}`)

test('what the bus signed over is told line by line, the body as its size and digest', async () => {
  const failure = await fail({ ...PUBLISH, sign: ({ timestamp }) => `POST\n/claim\n${timestamp}\nother\n` })
  expect(failure).toMatchObject({ key: 'main', method: 'POST', path: '/intent', address: '127.0.0.1', message: 'Bad signature', at: server.clock.now() })
  expect(failure.expected.slice(0, 3)).toEqual(['POST', '/intent', String(server.clock.now() - 1)])
  expect(failure.expected[4]).toMatch(sha('[0-9a-f]{64}$'))
  expect(failure).toMatchObject({ found: null, difference: null })
  expect(failure.text).toMatch(/^None of the usual mistakes explains this signature/)
})

type Fields = Parameters<NonNullable<Sent['sign']>>[0]

/** Signs as it should be, but for some of the fields. */
const withFields = (change: (fields: Fields) => Partial<Fields>) => (fields: Fields) => {
  const { method, path, timestamp, nonce, body } = { ...fields, ...change(fields) }
  return `${method}\n${path}\n${timestamp}\n${nonce}\n${body}`
}
const withPath = (path: string) => withFields(() => ({ path }))
const withBody = (body: string) => withFields(() => ({ body }))

describe('the path', () => {
  const QUERY = '/claim?namespace=a%20b&goal=x/y'
  test.each<[name: string, sent: Sent, text: RegExp, place: string]>([
    ['unsorted', { path: QUERY, sign: withPath('/claim?namespace=a%20b&goal=x%2Fy') }, /in the order it is sent/, '2:8'],
    ['as it is sent', { path: QUERY, sign: withPath(QUERY) }, /as they are sent|as it is sent/, '2:8'],
    ['sorted, but not encoded alike', { path: QUERY, sign: withPath('/claim?goal=x/y&namespace=a%20b') }, /sorted, but encoded otherwise|slashes/, '2:14'],
    ['without the query', { path: QUERY, sign: withPath('/claim') }, /without its query/, '2:7'],
    ['with + for spaces', { path: '/claim?goal=a+b', sign: withPath('/claim?goal=a+b') }, /as they are sent|as it is sent|\+ for spaces/, '2:14'],
    ['with + for spaces, where %20 is sent', { path: '/claim?goal=a%20b', sign: withPath('/claim?goal=a+b') }, /\+ for spaces/, '2:14'],
    ['without percent-encoding', { path: '/claim?goal=a%20b', sign: withPath('/claim?goal=a b') }, /without percent-encoding/, '2:14'],
    ['with escapes in lower case', { path: '/claim?goal=x%2Fy', sign: withPath('/claim?goal=x%2fy') }, /as they are|lower case/, '2:16'],
    ['with !* as they are', { path: '/claim?goal=a%21', sign: withPath('/claim?goal=a!') }, /not percent-encoded|without percent/, '2:14'],
    ['percent-encoded', { method: 'GET', path: '/get/a%20b', sign: withPath('/get/a%20b') }, /as it is sent, percent-encoded/, '2:7'],
    ['as a whole address', { ...PUBLISH, sign: ({ timestamp, nonce }) => withAddress(timestamp, nonce) }, /the whole address/, '2:1'],
    ['without its first slash', { ...PUBLISH, sign: withPath('intent') }, /first slash/, '2:1'],
    ['with a slash at its end', { ...PUBLISH, sign: withPath('/intent/') }, /another slash at its end/, '2:8']
  ])('%s', async (_name, sent, text, expected) => {
    const failure = await fail(sent)
    expect(failure.text).toMatch(text)
    expect(place(failure)).toBe(expected)
    expect(failure.next).toMatch(/^Sign the decoded path/)
    expect(failure.found).toHaveLength(5)
  })

  function withAddress(timestamp: string, nonce: string): string {
    return `POST\n${server.url}/intent\n${timestamp}\n${nonce}\n${BODY}`
  }
})

describe('the body', () => {
  const value = JSON.parse(BODY) as object
  test.each<[name: string, signed: string, text: RegExp, sent?: string]>([
    ['left out', '', /signed no body/],
    ['pretty-printed', JSON.stringify(value, null, 2), /pretty-printed/],
    ['pretty-printed with four spaces', JSON.stringify(value, null, 4), /pretty-printed/],
    ['parsed and written again', JSON.stringify(value), /parsed and written again/, '{ "goal": "test", "payload": {"b":1,"a":"grüße/x"} }'],
    ['as Python writes it', '{"goal": "test", "payload": {"b": 1, "a": "gr\\u00fc\\u00dfe/x"}}', /Python's json\.dumps writes it/],
    ['as Python writes it sorted', '{"goal": "test", "payload": {"a": "gr\\u00fc\\u00dfe/x", "b": 1}}', /sort_keys/],
    ['with its members sorted', '{"goal":"test","payload":{"a":"grüße/x","b":1}}', /members sorted/],
    ['as PHP writes it', '{"goal":"test","payload":{"b":1,"a":"grüße\\/x"}}', /PHP/],
    ['with a line break', `${BODY}\n`, /with a line break at its end|one line break too many/],
    ['without its line break', BODY, /without the line break/, `${BODY}\n`],
    ['with LF', '{"goal":"test",\n"payload":1}', /LF line breaks/, '{"goal":"test",\r\n"payload":1}'],
    ['with CRLF', '{"goal":"test",\r\n"payload":1}', /CRLF line breaks/, '{"goal":"test",\n"payload":1}'],
    ['where there is none', '{}', /"\{\}" as the body, where none is sent/, '']
  ])('%s', async (_name, signed, text, body = BODY) => {
    const failure = await fail({ method: 'POST', path: '/claim', body, sign: withBody(signed) })
    expect(failure.text).toMatch(text)
    expect(failure.difference?.line).toBe(failure.text.includes('too many') ? 6 : 5)
  })

  test('the same bytes with path and body both wrong', async () => {
    const failure = await fail({ path: '/claim?b=1&a=2', body: BODY, sign: withFields(() => ({ path: '/claim', body: '' })) })
    expect(failure.text).toBe('The client signed the path without its query and no body.')
    expect(failure.next).toMatch(/^Sign the decoded path.*Write the body once/)
  })
})

describe('the rest', () => {
  test.each<[name: string, sent: Sent, text: RegExp, place: string | null]>([
    ['the method in small letters', { ...PUBLISH, sign: withFields(() => ({ method: 'post' })) }, /method in small letters/, '1:1'],
    ['milliseconds', { ...PUBLISH, sign: withFields(({ timestamp }) => ({ timestamp: `${timestamp}000` })) }, /timestamp in milliseconds/, '3:11'],
    ['whole seconds', { ...PUBLISH, timestamp: '1790000000.25', sign: withFields(() => ({ timestamp: '1790000000' })) }, /whole seconds/, '3:11'],
    ['another order', { ...PUBLISH, sign: ({ method, path, timestamp, nonce, body }) => [timestamp, nonce, method, path, body].join('\n') }, /in the order timestamp, nonce, method, path, body/, '1:1'],
    ['another order without a body', { path: '/claim', sign: ({ method, path, timestamp, nonce }) => [nonce, timestamp, method, path].join('\n') }, /in the order nonce, timestamp, method, path/, '1:1'],
    ['colons', { ...PUBLISH, sign: (fields) => Object.values(fields).join(':') }, /joined by colons/, '1:5'],
    ['nothing between', { ...PUBLISH, sign: (fields) => Object.values(fields).join('') }, /joined by nothing/, '1:5'],
    ['CRLF', { ...PUBLISH, sign: (fields) => Object.values(fields).join('\r\n') }, /joined by CRLF/, '1:5'],
    ['no last line break', { path: '/claim', sign: ({ method, path, timestamp, nonce }) => [method, path, timestamp, nonce].join('\n') }, /no line break behind the nonce/, '5:1'],
    ['capital letters', { ...PUBLISH, write: (digest) => digest.toString('hex').toUpperCase() }, /wrote the digest in capital letters/, null],
    ['base64', { ...PUBLISH, write: (digest) => digest.toString('base64') }, /wrote the digest as base64/, null],
    ['base64 for addresses', { ...PUBLISH, write: (digest) => digest.toString('base64url') }, /wrote the digest as base64/, null],
    ['a prefix', { ...PUBLISH, write: (digest) => `sha256=${digest.toString('hex')}` }, /wrote a word before the digest/, null],
    ['too short', { ...PUBLISH, write: (digest) => digest.toString('hex').slice(0, 40) }, /as long as one of SHA-1/, null],
    ['nonsense', { ...PUBLISH, write: () => 'hello' }, /no digest: it has 5 characters/, null]
  ])('%s', async (_name, sent, text, expected) => {
    const failure = await fail(sent)
    expect(failure.text).toMatch(text)
    expect(place(failure)).toBe(expected)
  })

  test('a key with its line break', async () => {
    await server.clock.advance(1)
    const timestamp = String(server.clock.now())
    const signature = createHmac('sha256', `${MAIN_KEY}\n`).update(`POST\n/claim\n${timestamp}\nn\n`).digest('hex')
    await server.post('/claim', undefined, { 'X-Timestamp': timestamp, 'X-Nonce': 'n', 'X-Signature': signature })
    expect((await failures())[0]).toMatchObject({
      text: 'The client signed with a key that ends in a line break or space.',
      next: 'Take spaces and line breaks off the key before signing with it.'
    })
  })

  test.each<[name: string, timestamp: () => number, text: RegExp]>([
    ['slow', () => server.clock.now() - 412, /^The clock of the client is 41[23] s behind the clock of this bus/],
    ['fast', () => server.clock.now() + 1_000, /^The clock of the client is (1000|999) s ahead of the clock of this bus/],
    ['in milliseconds', () => server.clock.now() * 1_000, /^The timestamp is in milliseconds\.$/]
  ])('a clock that is %s', async (_name, timestamp, text) => {
    const failure = await fail({ ...PUBLISH, timestamp: String(Math.floor(timestamp())) })
    expect(failure.text).toMatch(text)
    expect([failure.message, failure.difference]).toEqual([expect.stringMatching(/^Stale timestamp/), { line: 3, column: 1 }])
    if (!text.source.includes('milli')) expect(failure.next).toMatch(/^Set the clocks: this bus's says 2026-\d\d-\d\d \d\d:\d\d:\d\d UTC/)
  })

  test('a replay, a missing header, a timestamp that is none', async () => {
    await server.clock.advance(1)
    const request = { ...PUBLISH, nonce: 'again' }
    expect((await askSigned(server, request)).status).toBe(201)
    await askSigned(server, request)
    expect((await failures())[0]).toMatchObject({ message: 'Replay detected', text: expect.stringContaining('its nonce was used before') as string })
    await askSigned(server, { ...PUBLISH, headers: { 'X-Nonce': undefined } })
    expect((await failures())[0]!.expected[3]).toBe('(missing)')
    await askSigned(server, { ...PUBLISH, timestamp: 'yesterday' })
    expect((await failures())[0]).toMatchObject({ text: 'The timestamp is not Unix time in seconds.' })
  })
})

describe('secrets', () => {
  test('no key, body or value that may be a key is told', async () => {
    const { secret } = await server.bus.createKey('publisher')
    const { secret: revoked } = await server.bus.createKey('revoked')
    await server.bus.revokeKey(revoked)
    const values = [secret, revoked, MAIN_KEY, 'sécret/of mine', 'x!y']
    for (const value of values) {
      for (const encode of [encodeURIComponent, (text: string) => encodeURIComponent(text).toLowerCase(), (text: string) => encodeURIComponent(text).replaceAll('%20', '+')]) {
        for (const name of ['publisher', '%70ublisher']) {
          const path = `/claim?worker_id=w&${name}=${encode(value)}`
          await fail({ path, body: '{"note":"the text of the body"}', sign: withPath(path) })
        }
      }
    }
    await fail({ path: `/get/${secret}`, method: 'GET', sign: withPath('/') })
    await fail({ path: `/claim?goal=${MAIN_KEY}`, sign: withPath('/claim') })
    const told = JSON.stringify(await failures())
    for (const value of [...values, 'the text of the body']) {
      for (const form of [value, encodeURIComponent(value), encodeURIComponent(value).toLowerCase(), value.replaceAll(' ', '+')]) expect(told).not.toContain(form)
    }
    expect(told).toContain('publisher=•••')
  })

  test('a public id is no secret', async () => {
    const { key } = await server.bus.createKey('publisher')
    const failure = await fail({ path: `/claim?publisher=${key.id}`, sign: withPath('/claim') })
    expect(failure.expected[1]).toBe(`/claim?publisher=${key.id}`)
  })

  test('what differs where nothing is shown is pointed at', async () => {
    const path = '/claim?publisher=not%21a%21key'
    const failure = await fail({ path, sign: withPath('/claim?publisher=not!a!key') })
    expect(failure.expected[1]).toBe('/claim?publisher=•••')
    expect(place(failure)).toBe('2:18')
  })
})

describe('costs', () => {
  test('fifty are remembered, the newest first', async () => {
    for (let i = 0; i < 60; i++) await fail({ path: `/claim?goal=g${i}`, sign: withPath('/claim') })
    const remembered = await failures()
    expect(remembered).toHaveLength(50)
    expect([remembered[0]!.expected[1], remembered[49]!.expected[1]]).toEqual(['/claim?goal=g59', '/claim?goal=g10'])
  })

  test('of many at once some are looked into, and all are refused alike', async () => {
    await server.clock.advance(10)
    const before = (await failures())[0]
    const answers = await Promise.all(Array.from({ length: 40 }, () => askSigned(server, { ...PUBLISH, signedBody: 'x' })))
    expect(new Set(answers.map(refusalWithMessage))).toEqual(new Set(['403 invalid_signature: Bad signature']))
    expect((await failures()).indexOf(before!)).toBe(4)
  })

  test.each([
    ['nested as deep as it gets', '['.repeat(4_000) + ']'.repeat(4_000)],
    ['nested and wide', `${'['.repeat(30)}${'1,'.repeat(4_000)}1${']'.repeat(30)}`],
    ['no JSON', 'x'.repeat(8_000)],
    ['no text', '\u0000'.repeat(8_000)]
  ])('a body that is %s takes no longer than others', async (_name, body) => {
    const startedAt = performance.now()
    await fail({ path: `/claim?${'a=b&'.repeat(500)}`, body, sign: () => 'nothing of it' })
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
})

describe('a request that is made to be hard to look into', () => {
  const fill = (piece: (i: number) => string): string => Array.from({ length: 2_000 }, (_, i) => piece(i)).join('&').slice(0, 14_000)
  const CASES: Readonly<Record<string, readonly [query: string, body: string]>> = {
    'many secrets': [fill((i) => `publisher=secret${i.toString(36)}`), ''],
    'many pieces': [`publisher=secret1&${fill(() => 'a')}`, ''],
    'a secret many times': [fill(() => 'publisher=secret1'), ''],
    'many secrets in a short query': [fill((i) => `publisher=secret${i}`).slice(0, 1_500), ''],
    'nested JSON': ['publisher=secret1', '['.repeat(31) + '1,'.repeat(3_900) + '1' + ']'.repeat(31)],
    'a large body': ['publisher=secret1', JSON.stringify({ text: 'ü/ '.repeat(80_000) })]
  }

  test.each(Object.entries(CASES))('is done with soon, and tells no secret: %s', (_name, [query, body]) => {
    let now = 1e9
    const looked = new SignatureFailures({ identify: () => undefined } as unknown as Keys, { now: () => now, after: () => () => {} })
    const headers = { 'x-api-key': 'tk_1', 'x-timestamp': '1', 'x-nonce': 'n', 'x-signature': '0'.repeat(64), host: 'h' }
    const ctx = { req: { method: 'POST', headers }, state: { path: '/status/aa', query, address: '' } } as unknown as Exchange
    const took = Array.from({ length: 15 }, () => {
      now++
      const startedAt = performance.now()
      looked.note(ctx, { id: 'key_1' } as Key, Buffer.from(body), new SignatureRefusal('wrong', 'Bad signature'))
      return performance.now() - startedAt
    })
    // The quickest of them: others use the processor, too.
    expect(Math.min(...took)).toBeLessThan(10)
    expect(looked.list().length).toBe(15)
    expect(JSON.stringify(looked.list())).not.toContain('secret')
  })
})
