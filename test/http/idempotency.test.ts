import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claimed, DAY, fulfill, claim, refusal, refusalWithMessage } from './steps.ts'

const ONCE = { 'Idempotency-Key': 'order-4711' }
const BODY = '{"goal":"test","payload":{"a":1,"b":[1,2]},"priority":5}'

test('the same request with the same Idempotency-Key publishes once and gets the same answer', async () => {
  await using server = await TestServer.start()
  const first = await server.post('/intent', BODY, ONCE)
  const again = await server.post('/intent', BODY, ONCE)
  expect([first.status, again.status]).toEqual([201, 201])
  expect(again.text).toBe(first.text)
  expect(await claimed(server)).toBe(first.json.id)
  expect(await claimed(server)).toBe(204)
})

test.each([
  ['another order of keys', '{"priority":5,"payload":{"b":[1,2],"a":1},"goal":"test"}'],
  ['more whitespace', '{ "goal" : "test",\n\t"payload": {"a": 1, "b": [1, 2]}, "priority":5 }\r\n'],
  ['escapes', '{"goal":"\\u0074est","payl\\u006fad":{"a":1,"b":[1,2]},"priority":5}']
])('a body with %s is the same request', async (_name, body) => {
  await using server = await TestServer.start()
  const first = await server.post('/intent', BODY, ONCE)
  const again = await server.post('/intent', body, ONCE)
  expect(again.status).toBe(201)
  expect(again.text).toBe(first.text)
})

test.each([
  ['another payload', '{"goal":"test","payload":{"a":2,"b":[1,2]},"priority":5}'],
  ['another order of a list', '{"goal":"test","payload":{"a":1,"b":[2,1]},"priority":5}'],
  ['another goal', '{"goal":"other","payload":{"a":1,"b":[1,2]},"priority":5}'],
  ['another priority', '{"goal":"test","payload":{"a":1,"b":[1,2]},"priority":6}'],
  ['a field less', '{"goal":"test","payload":{"a":1,"b":[1,2]}}'],
  ['a text in place of a number', '{"goal":"test","payload":{"a":"1","b":[1,2]},"priority":5}']
])('a body with %s is 422 and publishes nothing', async (_name, body) => {
  await using server = await TestServer.start()
  await server.post('/intent', BODY, ONCE)
  const answer = await server.post('/intent', body, ONCE)
  expect(refusalWithMessage(answer)).toBe('422 idempotency_conflict: Key reused with different payload.')
  expect(await claimed(server)).not.toBe(204)
  expect(await claimed(server)).toBe(204)
})

test('numbers that only differ beyond the precision of a double are different', async () => {
  await using server = await TestServer.start()
  const body = (digits: string) => `{"goal":"test","payload":${digits}}`
  expect((await server.post('/intent', body('12345678901234567890'), ONCE)).status).toBe(201)
  expect((await server.post('/intent', body('12345678901234567891'), ONCE)).status).toBe(422)
})

test('an Idempotency-Key belongs to the API key that used it', async () => {
  await using server = await TestServer.start()
  const alice = await server.newKey('alice')
  const ofMain = await server.post('/intent', BODY, ONCE)
  const ofAlice = await server.post('/intent', { goal: 'other', payload: 1 }, ONCE, alice)
  expect(ofAlice.status).toBe(201)
  expect(ofAlice.json.id).not.toBe(ofMain.json.id)
})

test('different Idempotency-Keys are different requests', async () => {
  await using server = await TestServer.start()
  const first = await server.post('/intent', BODY, ONCE)
  const second = await server.post('/intent', BODY, { 'Idempotency-Key': 'order-4712' })
  expect(second.json.id).not.toBe(first.json.id)
})

test('without an Idempotency-Key every request publishes', async () => {
  await using server = await TestServer.start()
  expect((await server.post('/intent', BODY)).json.id).not.toBe((await server.post('/intent', BODY)).json.id)
})

test('the same answer also comes once the intent is done', async () => {
  await using server = await TestServer.start()
  const first = await server.post('/intent', BODY, ONCE)
  await fulfill(server, await claim(server))
  expect((await server.post('/intent', BODY, ONCE)).text).toBe(first.text)
  expect(await claimed(server)).toBe(204)
})

test('a refused request does not use the Idempotency-Key up', async () => {
  await using server = await TestServer.start()
  expect((await server.post('/intent', { goal: '', payload: 1 }, ONCE)).status).toBe(400)
  expect((await server.post('/intent', BODY, ONCE)).status).toBe(201)
})

test('the same request many times at once publishes once', async () => {
  await using server = await TestServer.start()
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.post('/intent', BODY, ONCE)))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(answers.every(({ status }) => status === 201)).toBe(true)
})

test('an Idempotency-Key is kept for 24 hours', async () => {
  await using server = await TestServer.start()
  const first = await server.post('/intent', BODY, ONCE)
  await server.clock.advance(DAY - 1)
  expect(refusal(await server.post('/intent', { goal: 'other', payload: 1 }, ONCE))).toBe('422 idempotency_conflict')
  expect((await server.post('/intent', BODY, ONCE)).text).toBe(first.text)
  await server.clock.advance(1)
  const later = await server.post('/intent', { goal: 'other', payload: 1 }, ONCE)
  expect(later.status).toBe(201)
  expect(later.json.id).not.toBe(first.json.id)
})
