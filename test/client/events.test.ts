import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { IntentEvent } from '../../src/main/client/index.ts'
import { EventStreamReader } from '../../src/shared/client/event-stream.ts'
import { ClientRig, rejection } from './rig.ts'

const STREAM = [
  ': hello\n\n',
  'id: 1\nevent: change\ndata: {"a":1}\n\n',
  'data:no space\r\ndata: two lines\r\n\r\n',
  'id: 2\r\revent: left out, it has no data\n\n',
  'data\nunknown: field\ndata: x: y\n\n',
  'id: 3\ndata: ä😀\n\ndata: never ended'
].join('')

const EVENTS = [
  { event: 'change', data: '{"a":1}', lastEventId: '1' },
  { event: 'message', data: 'no space\ntwo lines', lastEventId: '1' },
  { event: 'message', data: '\nx: y', lastEventId: '2' },
  { event: 'message', data: 'ä😀', lastEventId: '3' }
]

test('a stream means the same, however it is cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: STREAM.length })), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), STREAM.length]
      const reader = new EventStreamReader()
      const events = places.slice(1).flatMap((end, i) => reader.read(STREAM.slice(places[i], end)))
      expect(events).toEqual(EVENTS)
    })
  )
})

/** Reads so many events, and leaves. */
async function take(events: AsyncIterable<IntentEvent>, count: number): Promise<IntentEvent[]> {
  const taken: IntentEvent[] = []
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

/** Resolves when the bus has let a follower in. */
async function followed(rig: ClientRig, times = 1): Promise<void> {
  while (rig.proxy.to('/events').length < times) await new Promise((resolve) => setTimeout(resolve, 5))
  await new Promise((resolve) => setTimeout(resolve, 100))
}

test('what happens to own intents is told in its order', async () => {
  await using rig = await ClientRig.start({ requireSignatures: true })
  const client = rig.client()
  const following = take(client.events(), 4)
  await followed(rig)
  const { id } = await client.publish('told', 1)
  const intent = (await client.claim({ workerId: 'w1' }))!
  await client.extendClaim(id, intent.claimToken, 100)
  await client.fail(id, intent.claimToken, 'broken')
  const events = await following
  expect(events).toMatchObject([
    { type: 'change', id, event: 'published', status: 'open', goal: 'told', namespace: 'default', at: expect.any(Number) },
    { event: 'claimed', status: 'claimed', claimedBy: 'main', worker: 'w1', attempts: 1, leaseEndsAt: expect.any(Number) },
    { event: 'extended', status: 'claimed' },
    { event: 'failed', status: 'open', error: 'broken', runAt: expect.any(Number) }
  ])
  expect(Object.keys(events[0]!).filter((name) => name.includes('_'))).toEqual([])
})

test('a stream that breaks goes on where it broke', async () => {
  await using rig = await ClientRig.start()
  const client = rig.client()
  const following = take(client.events(), 3)
  await followed(rig)
  const first = await client.publish('a', 1)
  await new Promise((resolve) => setTimeout(resolve, 100))
  rig.proxy.breakConnections()
  const [second, third] = [await client.publish('b', 1), await client.publish('c', 1)]
  expect((await following).map((event) => event.type === 'change' && event.id)).toEqual([first.id, second.id, third.id])
  const [, again] = rig.proxy.to('/events')
  expect(again!.headers['last-event-id']).toMatch(/./)
})

test('a stream that breaks before its first event misses nothing', async () => {
  await using rig = await ClientRig.start()
  const client = rig.client()
  const following = take(client.events(), 2)
  await followed(rig)
  rig.proxy.breakConnections()
  await client.publish('missed', 1)
  await followed(rig, 2)
  await client.publish('told', 1)
  expect(await following).toMatchObject([{ type: 'change', goal: 'missed' }, { type: 'change', goal: 'told' }])
})

test('an id that the bus does not know any more is answered with a gap', async () => {
  await using rig = await ClientRig.start()
  const [gap] = await take(rig.client().events({ lastEventId: 'abcdef012345-7' }), 1)
  expect(gap).toEqual({ type: 'gap', lastEventId: expect.any(String) })
})

test('following ends with its signal, and with a refusal', async () => {
  await using rig = await ClientRig.start()
  const why = new Error('enough')
  const controller = new AbortController()
  const following = take(rig.client().events({ signal: controller.signal }), 1)
  await followed(rig)
  controller.abort(why)
  expect(await rejection(following)).toBe(why)
  expect(await rejection(take(rig.client({ apiKey: 'nobody' }).events(), 1))).toMatchObject({ name: 'IntentBusAuthError' })
})

test('who leaves closes the connection', async () => {
  await using rig = await ClientRig.start()
  const client = rig.client()
  const following = take(client.events(), 1)
  await followed(rig)
  await client.publish('a', 1)
  await following
  while (rig.server.bus.clientEvents.countOf('main') > 0) await new Promise((resolve) => setTimeout(resolve, 5))
})
