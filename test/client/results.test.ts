import { expect, test } from 'vitest'
import {
  IntentBusError,
  IntentBusNetworkError,
  IntentFailedError,
  WaitTimeoutError,
  type IntentClient
} from '../../src/main/client/index.ts'
import type { Fault, Plan } from './faulty-proxy.ts'
import { ClientRig, rejection } from './rig.ts'

/** The questions for results meet these faults, in their order; behind the last one stays the last. */
function results(...faults: readonly Fault[]): Plan {
  return ({ path }, count) => (path.startsWith('/result') ? (faults[count] ?? faults.at(-1)!) : 'pass')
}

/** A worker that has done its work after `seconds`. */
async function workLater(client: IntentClient, seconds: number): Promise<void> {
  const intent = (await client.claim({ goal: 'ask', wait: 10 }))!
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  await client.fulfill(intent.id, intent.claimToken, 'done')
}

async function secondsOf(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await run()
  return (performance.now() - startedAt) / 1000
}

const PASSING: readonly (readonly [name: string, fault: Fault])[] = [
  ['broken connections', 'drop'],
  ['a proxy in trouble', { status: 502 }],
  ['too many requests', { status: 429 }],
  ['too many requests, and when to come back', { status: 429, headers: { 'Retry-After': '1' } }],
  ['a request that took too long', { status: 408 }],
  ['a server that does not know yet', { status: 501 }]
]

test.concurrent.each(PASSING)('publishAndWait outlasts %s', async (_name, fault) => {
  await using rig = await ClientRig.start({}, results(fault, fault, fault, 'pass'))
  const client = rig.client()
  const working = workLater(client, 0)
  expect(await client.publishAndWait('ask', 1, { timeout: 30 })).toMatchObject({ status: 'fulfilled', result: 'done' })
  await working
  expect(rig.proxy.to('/intent')).toHaveLength(1)
  expect(rig.proxy.to('/result')).toHaveLength(4)
})

test.concurrent('a bus that is away while a result is waited for is asked again when it is back', async () => {
  await using rig = await ClientRig.start()
  const client = rig.client()
  const waiting = client.publishAndWait('ask', 1, { timeout: 30 })
  await expect.poll(() => rig.proxy.to('/result').length, { timeout: 20_000 }).toBe(1)
  rig.proxy.plan = results('drop', 'drop', 'drop', 'pass')
  rig.proxy.breakConnections()
  const working = workLater(client, 1)
  expect((await waiting).result).toBe('done')
  await working
})

test.concurrent('when the time is up, it is up: publishAndWait says what is the matter, and of which intent', async () => {
  await using rig = await ClientRig.start({}, results('drop'))
  const client = rig.client()
  let error: WaitTimeoutError | undefined
  const took = await secondsOf(async () => (error = await rejection(client.publishAndWait('ask', 1, { timeout: 2 }))))
  expect(took).toBeGreaterThanOrEqual(1.95)
  expect(took).toBeLessThan(3)
  expect(error).toBeInstanceOf(WaitTimeoutError)
  expect(error!.cause).toBeInstanceOf(IntentBusNetworkError)
  expect(error!.message).toContain('cannot be reached')
  rig.proxy.plan = () => 'pass'
  expect(await client.getStatus(error!.intentId)).toMatchObject({ status: 'open', goal: 'ask' })
})

test.concurrent('getResult that waits outlasts trouble, too, and rejects with it when the time is up', async () => {
  await using rig = await ClientRig.start({}, results('drop', 'drop', 'pass'))
  const client = rig.client()
  const { id } = await client.publish('ask', 1)
  const working = workLater(client, 0)
  expect((await client.getResult(id, { wait: 30 })).result).toBe('done')
  await working
  rig.proxy.plan = results({ status: 503 })
  let error: Error | undefined
  const took = await secondsOf(async () => (error = await rejection(client.getResult(id, { wait: 1.5 }))))
  expect(error).toMatchObject({ name: 'IntentBusError', status: 503 })
  expect(took).toBeGreaterThanOrEqual(1.45)
  expect(took).toBeLessThan(2.5)
})

test.concurrent('a Retry-After beyond the time to wait does not lengthen it', async () => {
  await using rig = await ClientRig.start({}, results({ status: 503, headers: { 'Retry-After': '60' } }))
  const took = await secondsOf(() => rejection(rig.client().publishAndWait('ask', 1, { timeout: 1 })))
  expect(took).toBeLessThan(2)
})

test.concurrent.each<[string, Fault, object]>([
  ['a refusal', { status: 403 }, { name: 'IntentBusAuthError', status: 403 }],
  ['what is no bus', { status: 200, body: '<html>' }, { name: 'IntentBusError', code: 'invalid_answer' }],
  ['a redirect', { status: 302, headers: { Location: '/login' } }, { name: 'IntentBusError', code: 'redirected' }]
])('%s behind the publish ends the waiting at once, and names the intent', async (_name, fault, expected) => {
  await using rig = await ClientRig.start({}, results(fault))
  const client = rig.client()
  const error = await rejection<IntentBusError>(client.publishAndWait('ask', 1, { timeout: 30 }))
  expect(error).toMatchObject(expected)
  expect(rig.proxy.to('/result')).toHaveLength(1)
  expect(await client.getStatus(error.intentId!)).toMatchObject({ goal: 'ask' })
})

test.concurrent('every error about an intent that was published names it, others name none', async () => {
  await using rig = await ClientRig.start()
  const client = rig.client()
  const failing = (async () => {
    const intent = (await client.claim({ goal: 'ask', wait: 10 }))!
    await client.fail(intent.id, intent.claimToken, 'no')
    return intent.id
  })()
  const failed = await rejection<IntentFailedError>(client.publishAndWait('ask', 1, { maxAttempts: 1 }))
  expect(failed).toBeInstanceOf(IntentFailedError)
  expect(failed.intentId).toBe(await failing)
  const refused = await rejection<IntentBusError>(client.publishAndWait('ask', 1, { priority: -1 }))
  expect(refused).toMatchObject({ code: 'invalid_priority', intentId: undefined })
})

test.concurrent('a signal ends the waiting and its pauses with its own reason', async () => {
  await using rig = await ClientRig.start({}, results('drop'))
  for (const why of [new Error('enough'), new IntentBusError('enough of another', { code: 'other' })]) {
    const controller = new AbortController()
    setTimeout(() => controller.abort(why), 300)
    const took = await secondsOf(async () => {
      expect(await rejection(rig.client().publishAndWait('ask', 1, { signal: controller.signal }))).toBe(why)
    })
    expect(took).toBeLessThan(1)
    expect(why).not.toHaveProperty('intentId', expect.any(String))
  }
})
