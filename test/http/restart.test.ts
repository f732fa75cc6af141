import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, signatureHeaders } from '../support/http-client.ts'

const BODY = '{"goal":"g","payload":12345678901234567890}'

test('a restart forgets nothing: intents, leases, keys, values, nonces, Idempotency-Keys and the pause', async () => {
  using folder = temporaryFolder()
  const env = { BUS_ADMIN_SECRET: 'admin-secret-of-this-test' }
  const admin = { 'X-Admin-Token': env.BUS_ADMIN_SECRET }
  let bus = await BusProcess.start(folder.path, env)
  const main = { 'X-API-KEY': bus.mainKey }
  const post = (path: string, body?: unknown, headers: Record<string, string> = main) =>
    ask(bus.url, { method: 'POST', path, body, headers })
  const get = (path: string) => ask(bus.url, { path, headers: main })

  const once = { ...main, 'Idempotency-Key': 'one' }
  const signed = signatureHeaders(bus.mainKey, 'POST', '/intent', BODY)
  const signedGet = signatureHeaders(bus.mainKey, 'GET', '/get/k', '')
  const first = await post('/intent', BODY, once)
  const second = await post('/intent', BODY, signed)
  const { json: taken } = await post('/claim')
  await post('/set/k', { value: 1.5 })
  expect((await ask(bus.url, { path: '/get/k', headers: signedGet })).status).toBe(200)
  const key = (await post('/admin/generate_key', { owner: 'alice' }, admin)).json.api_key as string
  expect((await post('/admin/pause', undefined, admin)).status).toBe(200)

  expect(await bus.kill('SIGTERM')).toMatchObject({ code: 0 })
  bus = await BusProcess.start(folder.path, env)
  await using _ = bus

  expect((await post('/claim')).status).toBe(204)
  await post('/admin/resume', undefined, admin)
  expect((await post('/intent', BODY, once)).text).toBe(first.text)
  expect((await post('/intent', BODY, signed)).json).toMatchObject({ error: { message: 'Replay detected' } })
  expect((await ask(bus.url, { path: '/get/k', headers: signedGet })).json).toMatchObject({
    error: { message: 'Replay detected' }
  })
  expect((await get('/get/k')).json).toEqual({ value: 1.5 })
  expect((await post('/claim', undefined, { 'X-API-KEY': key })).status).toBe(204)
  const { claim_token } = taken
  expect((await post(`/fulfill/${taken.id}`, { claim_token })).json).toEqual({ ok: true, id: taken.id })
  const other = await post('/claim')
  expect([first.json.id, second.json.id].toSorted()).toEqual([taken.id, other.json.id].toSorted())
  expect(other.text).toContain('"payload":12345678901234567890')
})
