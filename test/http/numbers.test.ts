import { afterAll, expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim } from './steps.ts'

const server = await TestServer.start()
afterAll(() => server[Symbol.asyncDispose]())

const NUMBERS = [
  '12345678901234567890',
  '-12345678901234567890123456789',
  '1.10',
  '0.10000000000000000000000001',
  '1e400',
  '1E+5',
  '-0',
  '-0.0',
  '0e0',
  '1e-999999999',
  '100000000000000000000000.000'
]

test.each(NUMBERS)('the number %s comes out with its digits, wherever it went in', async (digits) => {
  const text = `{"n":${digits},"list":[${digits}],"text":"${digits}"}`
  const { json } = await server.post('/intent', `{"goal":"test","payload":${text}}`)
  const claimed = await server.post('/claim')
  expect(claimed.text).toContain(`"payload":${text}`)
  expect((await server.admin(`/admin/intents/${json.id}`)).text).toContain(`"payload":${text}`)

  const token = claimed.json.claim_token as string
  await server.post(`/fulfill/${json.id}`, `{"claim_token":"${token}","result":${text}}`)
  expect((await server.get(`/result/${json.id}`)).text).toContain(`"result":${text}`)
  expect((await server.admin(`/admin/intents/${json.id}`)).text).toContain(`"result":${text}`)

  await server.admin(`/admin/intents/${json.id}/cancel`, {})
  expect((await server.admin(`/admin/dead/${json.id}`)).text).toContain(`"payload":${text}`)

  await server.post('/set/n', `{"value":${text}}`)
  expect((await server.get('/get/n')).text).toBe(`{"value":${text}}`)
})

test('of a key that is repeated the last value counts', async () => {
  await server.post('/intent', '{"payload":1,"goal":"a","payload":{"b":2},"goal":"twice"}')
  expect((await server.post('/claim?goal=twice')).json.payload).toEqual({ b: 2 })
})

test('a payload keeps its order of keys, its escapes and the whitespace in its texts', async () => {
  const text = '{"b":"\\u00e4 \\" \\\\ {[,:","a":"  two  spaces  ","1":[]}'
  await server.post('/intent', `{"goal":"text","payload":${text}}`)
  const lease = await claim(server, '?goal=text')
  expect(lease.payload).toEqual(JSON.parse(text))
})
