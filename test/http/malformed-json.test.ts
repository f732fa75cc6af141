import { afterAll, expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, refusal, status } from './steps.ts'

const server = await TestServer.start()
afterAll(() => server[Symbol.asyncDispose]())

const CLIENT_BODIES = ['/intent', '/fulfill/x', '/fail/x', '/extend_claim/x', '/set/k']

test.each(CLIENT_BODIES)('a body that is not UTF-8 is 400: %s', async (path) => {
  const body = Buffer.from('{"claim_token":"a","goal":"\xff\xc3(","payload":1,"value":1}', 'latin1')
  const answer = await server.post(path, body)
  expect(refusal(answer)).toMatch(/^400 invalid_/)
})

test.each(['{', '[]', '"x"', '1', 'null', '{"a":1}}', '\ufeff{}', '{"a":01}', '{"a":"\n"}', '{"a":"\\x"}', '\0'])(
  'a body that is not a JSON object is 400 everywhere: %j',
  async (body) => {
    for (const path of CLIENT_BODIES) expect(refusal(await server.post(path, body))).toMatch(/^400 invalid_/)
    for (const path of ['/admin/generate_key', '/admin/revoke_key', '/admin/purge']) {
      expect(refusal(await server.admin(path, body))).toMatch(/^400 invalid_/)
    }
  }
)

test.each([
  ['lists', '['.repeat(3_584) + ']'.repeat(3_584)],
  ['objects', '{"":'.repeat(1_430) + '0' + '}'.repeat(1_430)],
  ['both', '[{"":'.repeat(1_020) + '0' + '}]'.repeat(1_020)]
])('JSON as deep as the limit allows goes in and comes out: %s', async (_name, deep) => {
  const once = { 'Idempotency-Key': 'deep' + deep.slice(0, 3) }
  const body = `{"goal":"deep","payload":${deep}}`
  const published = await server.post('/intent', body, once)
  expect(published.status).toBe(201)
  expect((await server.post('/intent', body, once)).text).toBe(published.text)
  const claimed = await server.post('/claim?goal=deep')
  expect(claimed.text).toContain(`"payload":${deep}`)
  const { id, claim_token } = claimed.json
  expect((await server.post(`/fulfill/${id}`, `{"claim_token":"${claim_token}","result":${deep}}`)).status).toBe(200)
  expect((await server.get(`/result/${id}`)).text).toContain(`"result":${deep}`)
  expect((await server.post('/set/deep', `{"value":${deep}}`, once)).status).toBe(200)
  expect((await server.get('/get/deep')).text).toBe(`{"value":${deep}}`)
})

test('unknown fields may be as deep as the body is long', async () => {
  const deep = '['.repeat(4_050) + ']'.repeat(4_050)
  const once = { 'Idempotency-Key': 'unknown deep' }
  const answer = await server.post('/intent', `{"goal":"g9","payload":1,"x":${deep}}`, once)
  expect(answer.status).toBe(201)
})

test.each([
  ['a great exponent', '1e99999999999999999999'],
  ['an exponent of 4,000 digits', `1e${'9'.repeat(4_000)}`],
  ['a small exponent of 4,000 digits', `-1E-${'9'.repeat(4_000)}`],
  ['4,000 zeros after the point', `0.${'0'.repeat(4_000)}1`],
  ['7,000 digits', '9'.repeat(7_000)]
])('a number with %s keeps its digits', async (name, digits) => {
  const once = { 'Idempotency-Key': name }
  const body = `{"goal":"huge","payload":${digits}}`
  const published = await server.post('/intent', body, once)
  expect(published.status).toBe(201)
  expect((await server.post('/intent', body, once)).text).toBe(published.text)
  expect((await server.post('/claim?goal=huge')).text).toContain(`"payload":${digits}`)
})

test.each(['\\ud800', '\\udc00\\ud800', '\\u0000', '\\u0000\\ud83d', '\\\\ud800'])(
  'texts with %s in them go in and come out as they were',
  async (escape) => {
    const text = `"a${escape}b"`
    const published = await server.post('/intent', `{"goal":"odd","payload":{${text}:${text}}}`)
    expect(published.status).toBe(201)
    const claimed = await server.post('/claim?goal=odd')
    expect(claimed.json.payload).toEqual(JSON.parse(`{${text}:${text}}`))
    const { id, claim_token } = claimed.json
    await server.post(`/fulfill/${id}`, `{"claim_token":"${claim_token}","result":${text}}`)
    expect((await server.get(`/result/${id}`)).json.result).toBe(JSON.parse(text))
    await server.post('/set/odd', `{"value":${text}}`)
    expect((await server.get('/get/odd')).json.value).toBe(JSON.parse(text))
  }
)

test('an error text with NUL and half a character is kept as text', async () => {
  await server.publish({ goal: 'odd-error' })
  const { id, claim_token } = await claim(server, '?goal=odd-error')
  const body = `{"claim_token":"${claim_token}","error":"a\\u0000b\\ud800c"}`
  expect((await server.post(`/fail/${id}`, body)).status).toBe(200)
  expect((await status(server, id)).error).toMatch(/^a.?b.c$/s)
})

test('a goal may hold any characters, and is found by them', async () => {
  const goals = ['a\0b', 'a\nb', 'a\tb', '   ', '%', '_', "'; DROP TABLE intents; --", '\u202e', '🎯', 'a\u0308']
  for (const goal of goals) {
    const id = await server.publish({ goal })
    expect((await claim(server, `?goal=${encodeURIComponent(goal)}`)).id).toBe(id)
  }
})

test('fields with the names of what every object has are only fields', async () => {
  const payload = '{"__proto__":{"a":1},"constructor":2,"toString":3}'
  const answer = await server.post('/intent', `{"__proto__":{"priority":5},"goal":"proto","payload":${payload}}`)
  expect(answer.status).toBe(201)
  const claimed = await server.post('/claim?goal=proto')
  expect(claimed.json.priority).toBe(100)
  expect(claimed.text).toContain(`"payload":${payload}`)
  expect(refusal(await server.post('/intent', '{"__proto__":{"goal":"g","payload":1}}'))).toBe('400 invalid_request')
  expect((await server.get('/get/__proto__')).status).toBe(404)
})
