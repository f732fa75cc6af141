import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { Signer } from '../../src/shared/client/signer.ts'
import { canonicalPath } from '../../src/shared/signing.ts'
import { MAIN_KEY } from '../support/test-server.ts'
import { ClientRig, rejection } from './rig.ts'

const rig = await ClientRig.start({ requireSignatures: true })
afterAll(() => rig[Symbol.asyncDispose]())
const client = rig.client()

/** Whatever a caller may put into a path, a query or a body. */
const TEXTS = ['plain', 'a b', 'a+b', 'a/b', '100%', '%41', 'ä', '😀', "!'()*~", '?&=#', '"\\', 'a\tb\n', '..a', '\u2028', ';:@,$']

test.each(TEXTS)('a request with %j in path, query and body is signed as the bus has it', async (text) => {
  await client.set(text, { [text]: text })
  expect(await client.get(text)).toEqual({ [text]: text })
  await client.publish(`goal ${text}`, text, { requiredCapability: 'c' })
  const options = { goal: [`goal ${text}`, 'other'], capabilities: ['c'], workerId: `w ${text.replace(/\s/g, '')}` }
  expect((await client.claim(options))!.payload).toBe(text)
})

test('every request carries the three headers', async () => {
  await client.get('x')
  expect(rig.proxy.seen.at(-1)!.headers).toMatchObject({
    'x-timestamp': expect.stringMatching(/^\d{10}$/),
    'x-nonce': expect.stringMatching(/^[0-9a-f]{32}$/),
    'x-signature': expect.stringMatching(/^[0-9a-f]{64}$/)
  })
})

test('without signing there are none, and this bus says that it wants them', async () => {
  const unsigned = rig.client({ sign: false })
  expect(await rejection(unsigned.get('x'))).toMatchObject({ name: 'IntentBusAuthError', code: 'invalid_signature' })
  expect(Object.keys(rig.proxy.seen.at(-1)!.headers)).not.toContain('x-signature')
})

test('where the platform has no cryptography for pages, the error tells the cure', () => {
  const { crypto } = globalThis
  Object.defineProperty(globalThis, 'crypto', { value: { getRandomValues: crypto.getRandomValues.bind(crypto) }, configurable: true })
  try {
    expect(() => rig.client()).toThrow(/https.*localhost.*sign: false/)
    expect(rig.client({ sign: false }).baseUrl).toBe(rig.proxy.url)
  } finally {
    Object.defineProperty(globalThis, 'crypto', { value: crypto, configurable: true })
  }
})

/** Signs as SDKs in Python do, sharing nothing with ours. */
const PYTHON = `
import hashlib, hmac, json, sys
from urllib.parse import parse_qsl, quote, unquote
for line in sys.stdin:
    key, method, path, query, timestamp, nonce, body = json.loads(line)
    pairs = sorted(parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0])
    text = '&'.join(quote(k, safe='-._~') + '=' + quote(v, safe='-._~') for k, v in pairs)
    canonical = unquote(path) + ('?' + text if text else '')
    message = '\\n'.join([method, canonical, timestamp, nonce, body]).encode()
    print(hmac.new(key.encode(), message, hashlib.sha256).hexdigest())
`

test('signatures agree with Python over generated paths, queries and bodies', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 })
  const name = text.filter((value) => !['', '.', '..'].includes(value))
  const cases = fc.sample(
    fc.record({
      method: fc.constantFrom('GET', 'POST'),
      path: name.map((value) => `/set/${encodeURIComponent(value.toWellFormed())}`),
      query: fc.array(fc.tuple(name, text), { maxLength: 4 }),
      body: fc.oneof(fc.constant(''), fc.json())
    }),
    300
  )
  const signer = new Signer(MAIN_KEY)
  const signed = await Promise.all(
    cases.map(async ({ method, path, query, body }) => {
      const headers = await signer.headers(method, path, query, body)
      // Behind the question mark is what the client really sends.
      const sent = canonicalPath('', query).slice(1)
      return { headers, line: JSON.stringify([MAIN_KEY, method, path, sent, headers['X-Timestamp'], headers['X-Nonce'], body]) }
    })
  )
  const input = signed.map(({ line }) => `${line}\n`).join('')
  const python = spawnSync('python3', ['-c', PYTHON], { input, encoding: 'utf8' })
  expect(python.stderr).toBe('')
  expect(signed.map(({ headers }) => headers['X-Signature'])).toEqual(python.stdout.trim().split('\n'))
})
