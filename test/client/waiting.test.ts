import { afterAll, expect, test } from 'vitest'
import type { IntentClient } from '../../src/main/client/index.ts'
import { ClientRig, until } from './rig.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())
const client = rig.client()

/** Seconds that something takes. */
async function duration(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await run()
  return (performance.now() - startedAt) / 1000
}

/** Publishes, and fulfils, a little later. */
async function later(publisher: IntentClient, goal: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300))
  await publisher.publish(goal, 1)
}

test('a claim that waits is answered when there is an intent, with one request', async () => {
  const publishing = later(client, 'soon')
  const took = await duration(async () => expect(await client.claim({ goal: 'soon', wait: 10 })).not.toBeNull())
  expect(took).toBeGreaterThan(0.25)
  expect(took).toBeLessThan(1)
  await publishing
  const claims = rig.proxy.to('/claim').filter(({ query }) => query.get('goal') === 'soon')
  expect(claims).toHaveLength(1)
  expect(Number(claims[0]!.query.get('wait'))).toBeCloseTo(10, 1)
})

test('a claim that waits in vain is over in time', async () => {
  const took = await duration(async () => expect(await client.claim({ goal: 'never', wait: 1 })).toBeNull())
  expect(took).toBeGreaterThan(0.95)
  expect(took).toBeLessThan(1.6)
})

test('a claim for several goals takes whichever comes', async () => {
  const publishing = later(client, 'second')
  expect((await client.claim({ goal: ['first', 'second'], wait: 10 }))!.goal).toBe('second')
  await publishing
  await client.publish('second', 2)
  expect((await client.claim({ goal: ['first', 'second'] }))!.payload).toBe(2)
})

test('a result that is waited for comes when the worker is done', async () => {
  const { id } = await client.publish('slow', 1)
  const intent = (await client.claim({ goal: 'slow' }))!
  const before = rig.proxy.to('/result').length
  setTimeout(() => void client.fulfill(id, intent.claimToken, 'done'), 300)
  const took = await duration(async () => expect((await client.getResult(id, { wait: 10 })).result).toBe('done'))
  expect(took).toBeLessThan(1)
  expect(rig.proxy.to('/result').length - before).toBe(1)
})

test('a bus that answers early, as one that closes, is not stormed', async () => {
  await using early = await ClientRig.start({}, () => ({ status: 204, headers: { 'X-Intent-Wait': '0', 'Retry-After': '1' } }))
  expect(await early.client().claim({ wait: 2.5 })).toBeNull()
  expect(early.proxy.seen.length).toBeLessThanOrEqual(4)
})

// Signatures cover the query, from which an older bus would not take the parameter away.
const OLD = { sign: false } as const

test.concurrent('a bus that cannot hold requests is asked again and again', async () => {
  await using old = await ClientRig.start({}, () => 'old')
  const client = old.client(OLD)
  const publishing = later(client, 'polled')
  const took = await duration(async () => expect(await client.claim({ goal: 'polled', wait: 10 })).not.toBeNull())
  await publishing
  expect(took).toBeLessThan(4)
  expect(old.proxy.to('/claim').length).toBeGreaterThanOrEqual(2)
  expect(old.proxy.to('/claim').length).toBeLessThanOrEqual(3)

  const { id } = await client.publish('polled', 1)
  const intent = (await client.claim({ goal: 'polled' }))!
  setTimeout(() => void client.fulfill(id, intent.claimToken, 'done'), 300)
  expect((await client.getResult(id, { wait: 10 })).result).toBe('done')
  expect(old.proxy.to('/result').length).toBeLessThanOrEqual(3)
  expect((await client.getResult((await client.publish('polled', 2)).id, { wait: 0.2 })).status).toBe('open')
})

test.concurrent('a bus that reads one goal only is asked for each in turn', async () => {
  await using old = await ClientRig.start({}, () => 'old')
  const client = old.client(OLD)
  for (const goal of ['c', 'a', 'b']) {
    await client.publish(goal, 1)
    expect((await client.claim({ goal: ['a', 'b', 'c'] }))!.goal).toBe(goal)
  }
  expect(await client.claim({ goal: ['a', 'b', 'c'] })).toBeNull()

  const worker = client.worker({ goals: { a: () => 'a', b: () => 'b', c: () => 'c' }, pollInterval: 0.5 })
  const running = worker.run()
  const ids = await Promise.all(['a', 'b', 'c'].map(async (goal) => (await client.publish(goal, 1)).id))
  await until(async () => (await Promise.all(ids.map((id) => client.getStatus(id)))).every(({ status }) => status === 'fulfilled'))
  await worker.stop()
  await running
})
