import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claimed, refusal } from './steps.ts'

/** The public id by which answers speak of a key, as an intent that it published shows it. */
async function publicId(server: TestServer, key: string): Promise<string> {
  const id = await server.publish({ namespace: 'to-learn-the-id' }, key)
  return (await server.admin(`/admin/intents/${id}`)).json.publisher as string
}

function manyCapabilities(count: number): string {
  return Array.from({ length: count }, (_, i) => `c${i}`).join(',')
}

test('an intent stays in its namespace, and a claim without one means default', async () => {
  await using server = await TestServer.start()
  const inDefault = await server.publish()
  const inOther = await server.publish({ namespace: 'other', priority: 1000, visibility: 'public' })
  expect(await claimed(server, '?namespace=empty')).toBe(204)
  expect(await claimed(server)).toBe(inDefault)
  expect(await claimed(server)).toBe(204)
  expect(await claimed(server, '?namespace=other')).toBe(inOther)
})

test('namespaces that differ in case only are different', async () => {
  await using server = await TestServer.start()
  await server.publish({ namespace: 'Team' })
  expect(await claimed(server, '?namespace=team')).toBe(204)
})

test('a private intent is claimed with the key of its publisher only', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  const id = await server.publish({}, alice)
  expect(await claimed(server, '', bob)).toBe(204)
  expect(await claimed(server, '', alice)).toBe(id)
})

test('not even the main key claims a private intent of another key without naming the publisher', async () => {
  await using server = await TestServer.start()
  await server.publish({}, await server.newKey('alice'))
  expect(await claimed(server)).toBe(204)
})

test('a public intent is claimed with any key', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  const first = await server.publish({ visibility: 'public' }, alice)
  const second = await server.publish({ visibility: 'public' })
  expect(await claimed(server, '', bob)).toBe(first)
  expect(await claimed(server, '', alice)).toBe(second)
})

test('a claim with a goal gets that goal only', async () => {
  await using server = await TestServer.start()
  await server.publish({ goal: 'a', priority: 1000 })
  const b = await server.publish({ goal: 'b & more', priority: 1 })
  expect(await claimed(server, '?goal=c')).toBe(204)
  expect(await claimed(server, '?goal=b+%26%20more')).toBe(b)
})

test('a worker may ask for the intents of its own key, by the key or its public id', async () => {
  await using server = await TestServer.start()
  const alice = await server.newKey('alice')
  await server.publish({ visibility: 'public', priority: 1000 })
  const first = await server.publish({}, alice)
  const second = await server.publish({ visibility: 'public' }, alice)
  const third = await server.publish({}, alice)
  expect(await claimed(server, `?publisher=${alice}`, alice)).toBe(first)
  expect(await claimed(server, `?publisher=${await publicId(server, alice)}`, alice)).toBe(second)
  expect(await claimed(server, `?publisher=${alice}&goal=test`, alice)).toBe(third)
  expect(await claimed(server, `?publisher=${alice}`, alice)).toBe(204)
})

test('a generated key that asks for another publisher is refused', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  const bobsId = await publicId(server, bob)
  for (const publisher of [bob, bobsId, 'main', 'nobody']) {
    const answer = await server.post(`/claim?publisher=${publisher}`, undefined, {}, alice)
    expect(refusal(answer)).toBe('403 forbidden')
  }
})

test('the main key may ask for any publisher, and then claims its private intents, too', async () => {
  await using server = await TestServer.start()
  const [alice, bob] = [await server.newKey('alice'), await server.newKey('bob')]
  await server.publish({ priority: 1000 })
  const first = await server.publish({}, alice)
  const second = await server.publish({ visibility: 'public' }, alice)
  const third = await server.publish({}, bob)
  expect(await claimed(server, `?publisher=${alice}`)).toBe(first)
  expect(await claimed(server, `?publisher=${await publicId(server, alice)}`)).toBe(second)
  expect(await claimed(server, `?publisher=${alice}`)).toBe(204)
  expect(await claimed(server, `?publisher=${bob}`)).toBe(third)
  expect(await claimed(server, '?publisher=nobody')).toBe(204)
})

test.each(['nobody', '*', 'tk_unknown', 'key_', '%0A'])('an unknown publisher has no intents: %s', async (name) => {
  await using server = await TestServer.start()
  await server.publish({ visibility: 'public' })
  await server.publish({ visibility: 'public' }, await server.newKey('alice'))
  expect(await claimed(server, `?publisher=${name}`)).toBe(204)
})

test('an intent with a target worker is claimed by the worker of that id only', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ target_worker: 'laptop' })
  const attempts: [query: string, headers: Record<string, string>][] = [
    ['', {}],
    ['', { 'X-Worker-ID': 'desktop' }],
    ['', { 'X-Worker-ID': 'Laptop' }],
    ['?worker_id=desktop', {}],
    ['?worker_id=laptop', { 'X-Worker-ID': 'desktop' }]
  ]
  for (const [query, headers] of attempts) expect(await claimed(server, query, undefined, headers)).toBe(204)
  expect(await claimed(server, '', undefined, { 'X-Worker-ID': 'laptop' })).toBe(id)
})

test('the worker id may come in the query', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ target_worker: 'laptop' })
  expect(await claimed(server, '?worker_id=laptop')).toBe(id)
})

test('a worker with an id also gets intents without a target', async () => {
  await using server = await TestServer.start()
  const id = await server.publish()
  expect(await claimed(server, '?worker_id=laptop')).toBe(id)
})

test('a worker id is cut to 64 characters', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ target_worker: 'w'.repeat(64) })
  expect(await claimed(server, '', undefined, { 'X-Worker-ID': 'w'.repeat(63) })).toBe(204)
  expect(await claimed(server, '', undefined, { 'X-Worker-ID': 'w'.repeat(90) })).toBe(id)
})

test.each([
  ['none', '', {}],
  ['another one', '', { 'X-Worker-Capabilities': 'cpu' }],
  ['another case', '', { 'X-Worker-Capabilities': 'GPU' }],
  ['a longer token', '', { 'X-Worker-Capabilities': 'gpu2,xgpu' }],
  ['it in the query behind a header', '?capabilities=gpu', { 'X-Worker-Capabilities': 'cpu' }],
  ['it in the second header behind the first', '', { 'X-Worker-Capabilities': 'cpu', 'X-Worker-Capability': 'gpu' }],
  ['it in the query behind the second header', '?capabilities=gpu', { 'X-Worker-Capability': 'cpu' }],
  ['it in the second parameter behind the first', '?capabilities=cpu&capability=gpu', {}]
])('an intent that requires a capability is not claimed by a worker with %s', async (_name, query, headers) => {
  await using server = await TestServer.start()
  await server.publish({ required_capability: 'gpu' })
  expect(await claimed(server, query, undefined, headers)).toBe(204)
})

test.each([
  ['the header', '', { 'X-Worker-Capabilities': 'gpu' }],
  ['a list in the header', '', { 'X-Worker-Capabilities': 'cpu, gpu ,disk' }],
  ['the singular header', '', { 'X-Worker-Capability': 'cpu,gpu' }],
  ['the query', '?capabilities=cpu,gpu', {}],
  ['the query, percent-encoded', '?capabilities=cpu%2C%20gpu', {}],
  ['the singular query', '?capability=gpu', {}],
  ['a header before the query', '?capabilities=cpu', { 'X-Worker-Capabilities': 'gpu' }],
  ['32 of them', '', { 'X-Worker-Capabilities': `${manyCapabilities(31)},gpu` }]
])('a worker advertises a capability by %s', async (_name, query, headers: Record<string, string>) => {
  await using server = await TestServer.start()
  const id = await server.publish({ required_capability: 'gpu' })
  expect(await claimed(server, query, undefined, headers)).toBe(id)
})

test('target worker and capability must both fit', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ target_worker: 'laptop', required_capability: 'gpu' })
  expect(await claimed(server, '?worker_id=laptop')).toBe(204)
  expect(await claimed(server, '?capabilities=gpu')).toBe(204)
  expect(await claimed(server, '?worker_id=laptop&capabilities=gpu')).toBe(id)
})

test('an empty target or capability binds nobody', async () => {
  await using server = await TestServer.start()
  const id = await server.publish({ target_worker: '', required_capability: '' })
  expect(await claimed(server)).toBe(id)
})

test('more than 32 capabilities are refused', async () => {
  await using server = await TestServer.start()
  const list = manyCapabilities(33)
  const headers = { 'X-Worker-Capabilities': list }
  expect(refusal(await server.post('/claim', undefined, headers))).toBe('400 invalid_capabilities')
  expect(refusal(await server.post(`/claim?capabilities=${list}`))).toBe('400 invalid_capabilities')
})

test.each([
  ['a namespace with a space', '?namespace=a%20b', 'invalid_namespace'],
  ['a namespace of 65 characters', `?namespace=${'n'.repeat(65)}`, 'invalid_namespace'],
  ['a goal of 257 characters', `?goal=${'g'.repeat(257)}`, 'invalid_goal']
])('a claim with %s is refused', async (_name, query, code) => {
  await using server = await TestServer.start()
  expect(refusal(await server.post(`/claim${query}`))).toBe(`400 ${code}`)
})
