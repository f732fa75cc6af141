import { afterAll, expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { refusal } from './steps.ts'

const NEEDED = { goal: 'send_notification', payload: { message: 'Hello' } }

/** One bus for all that is accepted, and one on which nothing is ever published. */
const accepting = await TestServer.start()
const server = await TestServer.start()
afterAll(() => Promise.all([accepting[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]))

test.each([
  ['goal of one character', { goal: 'g' }],
  ['goal of 256 characters', { goal: 'g'.repeat(256) }],
  ['goal of 256 characters outside of ASCII', { goal: '🎯'.repeat(256) }],
  ['namespace of 64 characters', { namespace: 'n'.repeat(64) }],
  ['priority 0', { priority: 0 }],
  ['priority 1000', { priority: 1000 }],
  ['max_attempts 1', { max_attempts: 1 }],
  ['max_attempts 20', { max_attempts: 20 }],
  ['backoff_base 1', { backoff_base: 1 }],
  ['backoff_base 3600', { backoff_base: 3600 }],
  ['delay 0.25', { delay: 0.25 }],
  ['target_worker of 64 characters', { target_worker: 'w'.repeat(64) }],
  ['empty target_worker', { target_worker: '' }],
  ['required_capability of 64 characters', { required_capability: 'c'.repeat(64) }],
  ['empty required_capability', { required_capability: '' }],
  ['unknown field', { colour: 'red', id: 'mine', status: 'dead' }]
])('accepted: %s', async (_name, fields) => {
  expect((await accepting.post('/intent', { ...NEEDED, ...fields })).status).toBe(201)
})

test.each([
  ['goal', 7],
  ['goal', ''],
  ['goal', 'g'.repeat(257)],
  ['goal', ['test']],
  ['namespace', ''],
  ['namespace', 'two words'],
  ['namespace', 'a/b'],
  ['namespace', 'ñ'],
  ['namespace', 'n\n'],
  ['namespace', 'n'.repeat(65)],
  ['namespace', 5],
  ['visibility', 'secret'],
  ['visibility', 'Public'],
  ['visibility', ''],
  ['visibility', true],
  ['priority', -1],
  ['priority', 1001],
  ['priority', 1.5],
  ['priority', '100'],
  ['priority', true],
  ['delay', -0.1],
  ['delay', '5'],
  ['delay', []],
  ['max_attempts', 0],
  ['max_attempts', 21],
  ['max_attempts', 2.5],
  ['max_attempts', '3'],
  ['backoff_base', 0.9],
  ['backoff_base', 3600.5],
  ['backoff_base', '5'],
  ['backoff_base', {}],
  ['target_worker', 'two words'],
  ['target_worker', 'w'.repeat(65)],
  ['target_worker', 5],
  ['required_capability', 'a,b'],
  ['required_capability', 'c'.repeat(65)],
  ['required_capability', ['gpu']]
])('refused with a code of its own and nothing published: %s %j', async (field, value) => {
  const answer = await server.post('/intent', { ...NEEDED, [field]: value })
  expect(refusal(answer)).toBe(`400 invalid_${field}`)
  expect((await server.admin('/metrics')).text).not.toContain('intent_bus_intents_total{')
})

test.each(['priority', 'delay', 'max_attempts', 'backoff_base'])('a number too great is refused: %s', async (field) => {
  const answer = await server.post('/intent', `{"goal":"test","payload":1,"${field}":1e400}`)
  expect(refusal(answer)).toBe(`400 invalid_${field}`)
})

test.each([
  ['no goal', '{"payload":1}', 'invalid_request'],
  ['a null goal', '{"goal":null,"payload":1}', 'invalid_request'],
  ['no payload', '{"goal":"test"}', 'invalid_request'],
  ['no body', undefined, 'invalid_request']
])('%s is 400 invalid_request', async (_name, body, code) => {
  expect(refusal(await server.post('/intent', body))).toBe(`400 ${code}`)
})

test.each(['{', 'hello', '{"goal":"a","payload":NaN}', "{'goal':1}", '[]', '"text"', '7', 'null', '{"goal":"a"}x'])(
  'a body that is not a JSON object is 400: %s',
  async (body) => {
      const answer = await server.post('/intent', body)
    expect(refusal(answer)).toMatch(/^400 invalid_/)
  }
)
