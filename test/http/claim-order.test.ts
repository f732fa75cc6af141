import { expect, test } from 'vitest'
import { TestServer } from '../support/test-server.ts'
import { claim, claimed, extend, fail } from './steps.ts'

/** The ids of all that can be claimed, in the order in which it is. */
async function drain(server: TestServer): Promise<string[]> {
  const ids: string[] = []
  for (let id = await claimed(server); typeof id === 'string'; id = await claimed(server)) ids.push(id)
  return ids
}

test('a claim answers with the intent, a claim token and the length of the lease', async () => {
  await using server = await TestServer.start({ claimTimeout: 90 })
  const fields = { goal: 'resize', payload: { w: 1 }, namespace: 'ns', priority: 9, target_worker: 'w1' }
  const id = await server.publish(fields)
  const answer = await server.post('/claim?namespace=ns', undefined, { 'X-Worker-ID': 'w1' })
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  expect(answer.json).toEqual({
    id,
    namespace: 'ns',
    goal: 'resize',
    payload: { w: 1 },
    claim_attempts: 1,
    priority: 9,
    target_worker: 'w1',
    required_capability: null,
    claim_token: expect.stringMatching(/^[0-9a-f]{32}$/),
    claim_timeout: 90
  })
})

test('with nothing to claim the answer is an empty 204 with Retry-After: 1', async () => {
  await using server = await TestServer.start()
  const answer = await server.post('/claim')
  expect(answer.status).toBe(204)
  expect(answer.text).toBe('')
  expect(answer.headers['retry-after']).toBe('1')
})

test('the highest priority comes first', async () => {
  await using server = await TestServer.start()
  const low = await server.publish({ priority: 0 })
  const high = await server.publish({ priority: 1000 })
  const middle = await server.publish()
  expect(await drain(server)).toEqual([high, middle, low])
})

test('a due intent of low priority comes before one of high priority that is not due', async () => {
  await using server = await TestServer.start()
  const later = await server.publish({ priority: 1000, delay: 60 })
  const now = await server.publish({ priority: 1 })
  expect(await drain(server)).toEqual([now])
  await server.clock.advance(60)
  expect(await claimed(server)).toBe(later)
})

test('within a priority the earliest run_at comes first', async () => {
  await using server = await TestServer.start()
  const third = await server.publish({ delay: 3 })
  const first = await server.publish({ delay: 1 })
  const second = await server.publish({ delay: 2 })
  await server.clock.advance(5)
  expect(await drain(server)).toEqual([first, second, third])
})

test('with the same run_at the fewest attempts come first', async () => {
  await using server = await TestServer.start()
  const first = await server.publish()
  const second = await server.publish()
  expect(await claimed(server)).toBe(first)
  await server.clock.advance(60)
  expect(await drain(server)).toEqual([second, first])
})

test('an earlier run_at counts more than fewer attempts', async () => {
  await using server = await TestServer.start()
  const tried = await server.publish()
  await server.clock.advance(1)
  const fresh = await server.publish()
  expect(await claimed(server)).toBe(tried)
  await server.clock.advance(60)
  expect(await drain(server)).toEqual([tried, fresh])
})

test('with the same run_at and attempts the oldest comes first', async () => {
  await using server = await TestServer.start()
  const older = await server.publish({ delay: 10 })
  await server.clock.advance(10)
  const younger = await server.publish()
  expect(await drain(server)).toEqual([older, younger])
})

test('with all else the same the lowest id comes first', async () => {
  await using server = await TestServer.start()
  const ids: string[] = []
  for (let i = 0; i < 12; i++) ids.push(await server.publish({ goal: `goal-${i % 5}` }))
  expect(await drain(server)).toEqual(ids.toSorted())
})

test('the order spans private, public, targeted and capability-bound intents', async () => {
  await using server = await TestServer.start()
  const d = await server.publish({ priority: 1 })
  const a = await server.publish({ priority: 4, required_capability: 'gpu' })
  const c = await server.publish({ priority: 2, target_worker: 'w1' })
  const b = await server.publish({ priority: 3, visibility: 'public', goal: 'other' })
  const worker = { 'X-Worker-ID': 'w1', 'X-Worker-Capabilities': 'gpu' }
  const order = []
  for (let i = 0; i < 4; i++) order.push(await claimed(server, '', undefined, worker))
  expect(order).toEqual([a, b, c, d])
})

test('many claims at once never get the same intent', async () => {
  await using server = await TestServer.start()
  const published = await Promise.all(Array.from({ length: 40 }, () => server.publish()))
  const taken = await Promise.all(Array.from({ length: 60 }, () => claimed(server)))
  const ids = taken.filter((id) => typeof id === 'string')
  expect(ids.toSorted()).toEqual(published.toSorted())
  expect(taken.filter((answer) => answer === 204)).toHaveLength(20)
})

test('every claim has a token of its own and one attempt more', async () => {
  await using server = await TestServer.start()
  await server.publish({ max_attempts: 20 })
  const leases = []
  for (let i = 0; i < 3; i++) {
    leases.push(await claim(server))
    await server.clock.advance(60)
  }
  expect(leases.map(({ claim_attempts }) => claim_attempts)).toEqual([1, 2, 3])
  expect(new Set(leases.map(({ claim_token }) => claim_token)).size).toBe(3)
})

test('a claimed intent is not claimed again while its lease runs', async () => {
  await using server = await TestServer.start()
  await server.publish()
  const lease = await claim(server)
  await extend(server, lease, { seconds: 300 })
  await server.clock.advance(299)
  expect(await claimed(server)).toBe(204)
})

test('a failed intent is not claimed again before its backoff is over', async () => {
  await using server = await TestServer.start()
  await server.publish()
  await fail(server, await claim(server))
  expect(await claimed(server)).toBe(204)
})
