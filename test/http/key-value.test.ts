import { afterAll, expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { DAY, refusal, refusalWithMessage } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

test('a value that was set can be got', async () => {
  await using server = await TestServer.start()
  const set = await server.post('/set/greeting', { value: 'hello', ttl: 600 })
  expect(set.status).toBe(200)
  expect(set.json).toEqual({ ok: true })
  const got = await server.get('/get/greeting')
  expect(got.status).toBe(200)
  expect(got.json).toEqual({ value: 'hello' })
})

test('a key that was never set is 404', async () => {
  await using server = await TestServer.start()
  expect(refusal(await server.get('/get/nothing'))).toBe('404 not_found')
})

test.each([null, true, 0, -1.5, '', 'ü', [], [1, { a: null }], { nested: { list: [1] } }])(
  'the JSON value given is the one that comes back: %j',
  async (value) => {
    expect((await shared.post('/set/k', { value })).status).toBe(200)
    expect((await shared.get('/get/k')).json).toEqual({ value })
  }
)

test('setting a key again replaces its value and its time', async () => {
  await using server = await TestServer.start()
  await server.post('/set/k', { value: 'old', ttl: 10 })
  await server.clock.advance(9)
  await server.post('/set/k', { value: 'new', ttl: 10 })
  await server.clock.advance(9)
  expect((await server.get('/get/k')).json).toEqual({ value: 'new' })
  await server.clock.advance(1)
  expect((await server.get('/get/k')).status).toBe(404)
})

test.each([
  [{ value: 1 }, 600],
  [{ value: 1, ttl: null }, 600],
  [{ value: 1, ttl: 1 }, 1],
  [{ value: 1, ttl: 86_400 }, DAY]
])('%j lives for %d seconds', async (body, seconds) => {
  await using server = await TestServer.start()
  await server.post('/set/k', body)
  await server.clock.advance(seconds - 1)
  expect((await server.get('/get/k')).status).toBe(200)
  await server.clock.advance(1)
  expect(refusal(await server.get('/get/k'))).toBe('404 not_found')
})

test.each([0, -1, 86_401, '600', true, []])('a ttl of %j is refused and nothing is set', async (ttl) => {
  expect(refusal(await shared.post('/set/never', { value: 1, ttl }))).toBe('400 invalid_ttl')
  expect((await shared.get('/get/never')).status).toBe(404)
})

test.each([undefined, {}, { ttl: 5 }])('a set without a value is 400: %j', async (body) => {
  expect(refusal(await shared.post('/set/k', body))).toBe('400 invalid_request')
})

test('keys belong to the API key that set them', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  await server.post('/set/k', { value: 'of alice' }, {}, alice)
  await server.post('/set/k', { value: 'of main' })
  expect((await server.get('/get/k', {}, alice)).json).toEqual({ value: 'of alice' })
  expect((await server.get('/get/k')).json).toEqual({ value: 'of main' })
  expect((await server.get('/get/k', {}, bob)).status).toBe(404)
})

test.each([
  ['plain', 'worker:1.state_a-b'],
  ['a space', 'a%20b'],
  ['a slash', 'a%2Fb'],
  ['a percent sign', '100%25'],
  ['a letter outside of ASCII', '%C3%BC'],
  ['a plus', 'a+b']
])('a key may have %s in it', async (_name, name) => {
  expect((await shared.post(`/set/${name}`, { value: name })).status).toBe(200)
  expect((await shared.get(`/get/${name}`)).json).toEqual({ value: name })
})

test('a plus in a path is no space', async () => {
  await using server = await TestServer.start()
  await server.post('/set/a+b', { value: 1 })
  expect((await server.get('/get/a%20b')).status).toBe(404)
  expect((await server.get('/get/a%2Bb')).json).toEqual({ value: 1 })
})

test('an API key holds 1,000 keys at a time', async () => {
  await using server = await TestServer.start()
  const set = (name: string | number, ttl: number) => server.post(`/set/${name}`, { value: 1, ttl })
  const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => set(i, i === 0 ? 10 : 600)))
  expect(answers.every(({ status }) => status === 200)).toBe(true)
  const refused = await set('one-more', 600)
  expect(refusal(refused)).toBe('429 limit_exceeded')
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  expect((await set(500, 600)).status).toBe(200)
  expect((await server.post('/set/k', { value: 1 }, {}, await server.newKey())).status).toBe(200)
  await server.clock.advance(10)
  expect((await set('one-more', 600)).status).toBe(200)
})

test('a set may carry an Idempotency-Key, under which it happens once', async () => {
  await using server = await TestServer.start()
  const once = { 'Idempotency-Key': 'set-1' }
  expect((await server.post('/set/k', { value: 'first', ttl: 60 }, once)).json).toEqual({ ok: true })
  await server.post('/set/k', { value: 'second' })
  expect((await server.post('/set/k', { ttl: 60, value: 'first' }, once)).json).toEqual({ ok: true })
  expect((await server.get('/get/k')).json).toEqual({ value: 'second' })
  expect(refusal(await server.post('/set/k', { value: 'third' }, once))).toBe('422 idempotency_conflict')
})

test.each([
  ['POST', '/set/k'],
  ['GET', '/get/k']
])('%s %s without a key is 401', async (method, path) => {
  expect(refusalWithMessage(await shared.ask({ method, path }))).toBe('401 unauthorized: Missing API key.')
})
