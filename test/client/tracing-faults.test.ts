import { afterAll, expect, test } from 'vitest'
import type { OpenTelemetryApi, TracingSource } from '../../src/main/client/index.ts'
import type { Span, SpanContext } from '../../src/shared/client/open-telemetry.ts'
import { ClientRig, rejection } from './rig.ts'
import { recorder } from './span-recorder.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())

function fault(): never {
  throw new Error('a fault of the tracer')
}

/** A tracer whose spans have these members in place of their own. */
function withSpan(members: Partial<Span>): OpenTelemetryApi {
  const { api } = recorder()
  const tracer = api.trace.getTracer('sound')
  return {
    ...api,
    trace: { ...api.trace, getTracer: () => ({ startSpan: (...given) => ({ ...tracer.startSpan(...given), ...members }) }) }
  }
}

function withTrace(members: Partial<OpenTelemetryApi['trace']>): OpenTelemetryApi {
  const { api } = recorder()
  return { ...api, trace: { ...api.trace, ...members } }
}

function withContext(members: Partial<OpenTelemetryApi['context']>): OpenTelemetryApi {
  const { api } = recorder()
  return { ...api, context: { ...api.context, ...members } }
}

const UNFIT: SpanContext = { traceId: 'ä\n', spanId: '1', traceFlags: 1 }

const FAULTY: readonly (readonly [name: string, tracing: TracingSource])[] = [
  ['is looked for in vain', () => Promise.reject(new Error('no such module'))],
  ['is looked for by a function that throws', fault],
  ['is none', {} as OpenTelemetryApi],
  ['has no active context', withContext({ active: fault })],
  ['throws before it runs something in a context', withContext({ with: fault })],
  ['throws behind what it runs in a context', withContext({ with: (_context, run) => (run(), fault()) })],
  ['runs nothing in a context', withContext({ with: () => undefined as never })],
  ['runs everything twice in a context', withContext({ with: (_context, run) => (run(), run()) })],
  ['passes on what runs in a context', withContext({ with: async (_context, run) => await run() } as OpenTelemetryApi['context'])],
  ['makes no tracer', withTrace({ getTracer: fault })],
  ['takes no remote parent', withTrace({ setSpanContext: fault })],
  ['puts no span into a context', withTrace({ setSpan: fault })],
  ['starts no span', withTrace({ getTracer: () => ({ startSpan: fault }) })],
  ['starts spans that are none', withTrace({ getTracer: () => ({ startSpan: () => undefined as unknown as Span }) })],
  ['does not tell its span context', withSpan({ spanContext: fault })],
  ['tells a span context that no header can carry', withSpan({ spanContext: () => UNFIT })],
  ['tells a span context without ids', withSpan({ spanContext: () => ({}) as SpanContext })],
  ['takes no attributes', withSpan({ setAttribute: fault })],
  ['takes no status', withSpan({ setStatus: fault })],
  ['takes no exceptions', withSpan({ recordException: fault })],
  ['ends no span', withSpan({ end: fault })]
]

test.each(FAULTY)('with a tracer that %s everything runs once, and ends as it would without', async (name, tracing) => {
  const client = rig.client({ tracing })
  const goal = `traced by what ${name}`
  const runs: unknown[] = []
  const errors: Error[] = []
  const worker = client.worker({
    goal,
    onError: (error) => void errors.push(error),
    handler: (payload) => {
      runs.push(payload)
      if (payload === 'bad') throw new TypeError('no')
      return 'yes'
    }
  })
  const running = worker.run()
  const published = rig.proxy.to('/intent').length
  expect((await client.publishAndWait(goal, 'good')).result).toBe('yes')
  const failed = await rejection(client.publishAndWait(goal, 'bad', { maxAttempts: 1 }))
  expect(failed.message).toMatch(/is dead: no$/)
  expect(await rejection(client.publish(goal, 1, { priority: -1 }))).toMatchObject({ code: 'invalid_priority' })
  await worker.stop()
  await running
  expect(rig.proxy.to('/intent').length - published).toBe(3)
  expect(runs).toEqual(['good', 'bad'])
  expect(errors).toEqual([])
})

test('a span is ended although everything else about it fails', async () => {
  let ends = 0
  const tracing = withSpan({
    spanContext: fault,
    setAttribute: fault,
    setStatus: fault,
    recordException: fault,
    end: () => void ends++
  })
  await rejection(rig.client({ tracing }).publish('ended', 1, { priority: -1 }))
  expect(ends).toBe(1)
})

test('an API that is never found is not waited for', async () => {
  const client = rig.client({ tracing: () => new Promise(() => {}) })
  const startedAt = performance.now()
  expect((await client.publish('untraced', 1)).status).toBe('published')
  expect((performance.now() - startedAt) / 1000).toBeLessThan(7)
  await client.publish('untraced', 2)
  expect((performance.now() - startedAt) / 1000).toBeLessThan(7)
})
