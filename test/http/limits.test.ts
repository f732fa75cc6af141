import { afterAll, expect, test } from 'vitest'
import { ADMIN_TOKEN, MAIN_KEY, TestServer } from '../support/test-server.ts'
import { claim, fulfill, refusal, refusalWithMessage } from './steps.ts'

/** For requests that leave nothing behind. */
const shared = await TestServer.start()
afterAll(() => shared[Symbol.asyncDispose]())

/** The statuses of that many requests of a key. */
async function ask(server: TestServer, times: number, key: string, path = '/get/k'): Promise<Set<number>> {
  const answers = await Promise.all(Array.from({ length: times }, () => server.get(path, {}, key)))
  return new Set(answers.map(({ status }) => status))
}

test('a generated key has 60 requests a minute, and the next is 429 with Retry-After', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  expect(await ask(server, 60, key)).toEqual(new Set([404]))
  const answer = await server.get('/get/k', {}, key)
  expect(refusalWithMessage(answer)).toBe('429 rate_limited: Too many requests.')
  expect(answer.headers['retry-after']).toBe('60')
})

test('the minute starts at the first request and then starts anew', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  await server.clock.advance(100)
  await ask(server, 1, key)
  await server.clock.advance(40)
  expect(await ask(server, 59, key)).toEqual(new Set([404]))
  const answer = await server.get('/get/k', {}, key)
  expect(refusal(answer)).toBe('429 rate_limited')
  expect(answer.headers['retry-after']).toBe('20')
  await server.clock.advance(19)
  expect(await ask(server, 1, key)).toEqual(new Set([429]))
  await server.clock.advance(1)
  expect(await ask(server, 60, key)).toEqual(new Set([404]))
  expect(await ask(server, 1, key)).toEqual(new Set([429]))
})

test.each([
  ['POST', '/intent'],
  ['POST', '/claim'],
  ['POST', '/fulfill/x'],
  ['POST', '/fail/x'],
  ['POST', '/extend_claim/x'],
  ['GET', '/result/x'],
  ['GET', '/status/x'],
  ['POST', '/set/k'],
  ['GET', '/get/k']
])('the limit holds for %s %s', async (method, path) => {
  const key = await shared.newKey()
  await ask(shared, 60, key)
  const answer = await shared.ask({ method, path, headers: { 'X-API-KEY': key } })
  expect(refusal(answer)).toBe('429 rate_limited')
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
})

test('every key has a rate of its own', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  await ask(server, 61, alice)
  expect(await ask(server, 60, bob)).toEqual(new Set([404]))
})

test('the main key, admin requests and health have no limit', async () => {
  await using server = await TestServer.start()
  expect(await ask(server, 150, MAIN_KEY)).toEqual(new Set([404]))
  expect(await ask(server, 150, MAIN_KEY, '/health')).toEqual(new Set([200]))
  const admin = Array.from({ length: 150 }, () => server.admin('/admin/intents/x'))
  expect(new Set((await Promise.all(admin)).map(({ status }) => status))).toEqual(new Set([404]))
})

test('a key over its limit does not keep an operator from its intents', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const id = await server.publish({}, key)
  await ask(server, 61, key)
  expect((await server.ask({ path: `/status/${id}`, headers: { 'X-Admin-Token': ADMIN_TOKEN } })).status).toBe(200)
})

test('a generated key has at most 2,000 intents open or claimed', { timeout: 60_000 }, async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const publish = () => server.post('/intent', { goal: 'g', payload: 1, max_attempts: 1 }, {}, key)
  for (let done = 0; done < 2_000; done += 50) {
    const answers = await Promise.all(Array.from({ length: 50 }, publish))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
    await server.clock.advance(60)
  }
  const refused = await publish()
  expect(refusal(refused)).toBe('429 limit_exceeded')
  expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)

  const taken = await claim(server, '', key)
  expect(refusal(await publish())).toBe('429 limit_exceeded')
  await fulfill(server, taken, {}, key)
  expect((await publish()).status).toBe(201)
  expect(refusal(await publish())).toBe('429 limit_exceeded')

  // The operator and other keys are not held up by it.
  expect((await server.admin(`/admin/intents/${taken.id}/retry`, {})).status).toBe(200)
  expect((await server.post('/intent', { goal: 'g', payload: 1 })).status).toBe(201)
  expect((await server.post('/intent', { goal: 'g', payload: 1 }, {}, await server.newKey())).status).toBe(201)
})

test('the main key may have more than 2,000 open intents', { timeout: 60_000 }, async () => {
  await using server = await TestServer.start()
  for (let done = 0; done < 2_010; done += 67) {
    const batch = Array.from({ length: 67 }, () => server.post('/intent', { goal: 'g', payload: 1 }))
    expect(new Set((await Promise.all(batch)).map(({ status }) => status))).toEqual(new Set([201]))
  }
})
