import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, claimed, fulfill, purge, refusal } from './steps.ts'

/** A fulfilled, a dead and an open intent. */
async function threeIntents(server: TestServer, namespace: string): Promise<string[]> {
  const fulfilled = await server.publish({ namespace })
  await fulfill(server, await claim(server, `?namespace=${namespace}`))
  const dead = await server.publish({ namespace })
  await server.admin(`/admin/intents/${dead}/cancel`, {})
  return [fulfilled, dead, await server.publish({ namespace })]
}

test('a purge of everything leaves no intents and no dead letters', async () => {
  await using server = await TestServer.start()
  const ids = [...(await threeIntents(server, 'default')), ...(await threeIntents(server, 'other'))]
  const answer = await purge(server, { confirm: true })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ ok: true })
  for (const id of ids) expect(refusal(await server.get(`/status/${id}`))).toBe('404 not_found')
  expect((await server.admin('/admin/dead')).json).toEqual([])
  expect((await server.admin('/metrics')).text).toContain('intent_bus_dead_letters_total 0\n')
  expect(await claimed(server)).toBe(204)
})

test('a purge of a namespace leaves the others alone', async () => {
  await using server = await TestServer.start()
  const kept = await threeIntents(server, 'default')
  const gone = await threeIntents(server, 'my-ns')
  expect((await purge(server, { confirm: true, namespace: 'my-ns' })).json).toEqual({ ok: true })
  for (const id of gone) expect((await server.get(`/status/${id}`)).status).toBe(404)
  for (const id of kept) expect((await server.get(`/status/${id}`)).status).toBe(200)
  expect((await server.admin('/admin/dead')).json).toMatchObject([{ intent_id: kept[1] }])
  expect(await claimed(server, '?namespace=my-ns')).toBe(204)
  expect(await claimed(server)).toBe(kept[2])
})

test('a purge takes many intents', async () => {
  await using server = await TestServer.start()
  await Promise.all(Array.from({ length: 450 }, (_, i) => server.publish({ namespace: i % 2 ? 'odd' : 'even' })))
  await purge(server, { confirm: true, namespace: 'odd' })
  const text = (await server.admin('/metrics')).text
  expect(text).toContain('intent_bus_intents_total{status="open",namespace="even"} 225\n')
  expect(text).not.toMatch(/namespace="odd"} [1-9]/)
  await purge(server, { confirm: true })
  expect((await server.admin('/metrics')).text).not.toMatch(/^intent_bus_intents_total.* [1-9]/m)
})

test.each([
  undefined,
  {},
  { confirm: false },
  { confirm: 'true' },
  { confirm: 1 },
  { confirm: null },
  { namespace: 'default' }
])(
  'a purge that is not confirmed is refused and deletes nothing: %j',
  async (body) => {
    await using server = await TestServer.start()
    const id = await server.publish()
    expect(refusal(await server.admin('/admin/purge', body, 'POST'))).toMatch(/^400 invalid_/)
    expect(await claimed(server)).toBe(id)
  }
)

test.each(['two words', '', 5])('a purge of the namespace %j is refused', async (namespace) => {
  await using server = await TestServer.start()
  expect(refusal(await server.admin('/admin/purge', { confirm: true, namespace }))).toBe('400 invalid_namespace')
})

test('a purge of everything clears Idempotency-Keys and rate limits', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  const once = { 'Idempotency-Key': 'one' }
  await server.post('/intent', { goal: 'a', payload: 1 }, once, key)
  await Promise.all(Array.from({ length: 59 }, () => server.get('/get/k', {}, key)))
  expect((await server.get('/get/k', {}, key)).status).toBe(429)
  await purge(server, { confirm: true })
  expect((await server.post('/intent', { goal: 'b', payload: 2 }, once, key)).status).toBe(201)
})

test('a purge of a namespace leaves Idempotency-Keys', async () => {
  await using server = await TestServer.start()
  const once = { 'Idempotency-Key': 'one' }
  await server.post('/intent', { goal: 'a', payload: 1 }, once)
  await purge(server, { confirm: true, namespace: 'default' })
  expect((await server.post('/intent', { goal: 'b', payload: 2 }, once)).status).toBe(422)
})

test('keys go on working after a purge', async () => {
  await using server = await TestServer.start()
  const key = await server.newKey()
  await purge(server, { confirm: true })
  const id = await server.publish({}, key)
  expect(await claimed(server, '', key)).toBe(id)
})
