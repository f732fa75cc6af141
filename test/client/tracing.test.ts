import { afterAll, expect, test } from 'vitest'
import { ClientRig, rejection } from './rig.ts'
import { recorder, type Context, type RecordedSpan } from './span-recorder.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())

test('a trace goes from the publisher to the worker', async () => {
  const { api, spans, active } = recorder()
  const client = rig.client({ tracing: api, workerId: 'w1' })
  let inHandler: Context | undefined
  const worker = client.worker({
    goal: 'traced',
    handler: () => {
      inHandler = active()
    }
  })
  const running = worker.run()
  const { id } = await client.publishAndWait('traced', 1)
  await worker.stop()
  await running

  const [published, processed] = spans as [RecordedSpan, RecordedSpan]
  const { hostname, port } = new URL(rig.proxy.url)
  const common = {
    'messaging.system': 'intent_bus',
    'messaging.destination.name': 'traced',
    'messaging.message.id': id,
    'server.address': hostname,
    'server.port': Number(port),
    'intent_bus.namespace': 'default'
  }
  expect(published).toMatchObject({ name: 'publish traced', kind: 3, parentId: undefined, isEnded: true })
  expect(published.attributes).toEqual({ ...common, 'messaging.operation.name': 'publish', 'messaging.operation.type': 'send' })
  expect(processed).toMatchObject({
    name: 'process traced',
    kind: 4,
    traceId: published.traceId,
    parentId: published.spanId,
    isEnded: true
  })
  expect(processed.attributes).toEqual({
    ...common,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.client.id': 'w1',
    'intent_bus.attempt': 1
  })
  expect(inHandler?.spanContext?.spanId).toBe(processed.spanId)
  expect(rig.proxy.to('/intent')[0]!.headers.traceparent).toBe(`00-${published.traceId}-${published.spanId}-01`)
})

test('what goes wrong is in the spans', async () => {
  const { api, spans } = recorder()
  const client = rig.client({ tracing: api })
  const worker = client.worker({
    goal: 'breaks',
    handler: () => {
      throw new TypeError('no')
    }
  })
  const running = worker.run()
  await rejection(client.publishAndWait('breaks', 1, { maxAttempts: 1 }))
  await worker.stop()
  await running
  await rejection(client.publish('breaks', 1, { priority: -1 }))
  expect(spans.map(({ name, error, attributes }) => [name, error, attributes['error.type']])).toEqual([
    ['publish breaks', undefined, undefined],
    ['process breaks', 'no', 'TypeError'],
    ['publish breaks', expect.stringContaining('priority'), 'IntentBusError']
  ])
  expect(spans.every(({ isEnded }) => isEnded)).toBe(true)
})

test('the API is looked for once, at the first span, and need not be there', async () => {
  let count = 0
  const client = rig.client({
    tracing: async () => {
      count++
      return undefined
    }
  })
  expect(count).toBe(0)
  await client.publish('untraced', 1)
  await client.publish('untraced', 2)
  expect(count).toBe(1)
  expect(rig.proxy.to('/intent').at(-1)!.headers.traceparent).toBeUndefined()
  expect((await client.claim({ goal: 'untraced' }))!.traceparent).toBeNull()
  // Here, where OpenTelemetry is not installed, that is the default.
  await rig.client({ tracing: undefined }).publish('untraced', 3)
})
