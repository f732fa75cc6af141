import type { Attributes, OpenTelemetryApi, Span, TracingSource } from './open-telemetry.ts'
import { sleep } from './patience.ts'
import { toError } from './thrown.ts'
import { formatTraceparent, parseTraceparent } from './trace-context.ts'

/** Seconds: an API that is not found by then is not waited for. */
const FINDING_SECONDS = 5

/** What is traced: a publish, or the work on an intent. */
export interface Operation {
  readonly kind: 'publish' | 'process'
  readonly goal: string
  readonly namespace: string
  readonly intentId?: string
  readonly workerId?: string | undefined
  readonly attempt?: number
  /** Trace context of the publisher (W3C `traceparent`). */
  readonly traceparent?: string | null
}

/** What an operation may tell its span. */
export interface Traced {
  /** The span's own trace context; undefined where nothing is traced. */
  readonly traceparent: string | undefined
  /** Names the intent, once it is known. */
  noteIntent(id: string): void
  /** Says that it went wrong, where that does not show in a rejection. */
  noteError(error: Error): void
}

/**
 * Runs operations within spans; where there is no OpenTelemetry, just so. What a tracer does wrong is no concern of the
 * operation: it runs once, and ends as it would without.
 */
export class Tracing {
  readonly #baseUrl: URL
  readonly #source: TracingSource
  #found: Promise<OpenTelemetryApi | undefined> | undefined

  constructor(source: TracingSource, baseUrl: string) {
    this.#baseUrl = new URL(baseUrl)
    this.#source = source
  }

  /** Resolves and rejects as `run` does, which must not throw but reject. */
  async span<T>(operation: Operation, run: (traced: Traced) => Promise<T>): Promise<T> {
    const api = typeof this.#source === 'function' ? await (this.#found ??= find(this.#source)) : this.#source
    if (api === undefined || api === false) return run(UNTRACED)
    return inSpan(api, operation, this.#attributes(operation), run)
  }

  /** By the semantic conventions for messaging. */
  #attributes({ kind, goal, namespace, intentId, workerId, attempt }: Operation): Attributes {
    const { hostname, port, protocol } = this.#baseUrl
    return {
      'messaging.system': 'intent_bus',
      'messaging.operation.name': kind,
      'messaging.operation.type': kind === 'publish' ? 'send' : 'process',
      'messaging.destination.name': goal,
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'intent_bus.namespace': namespace,
      ...(intentId === undefined ? {} : { 'messaging.message.id': intentId }),
      ...(workerId === undefined ? {} : { 'messaging.client.id': workerId }),
      ...(attempt === undefined ? {} : { 'intent_bus.attempt': attempt })
    }
  }
}

const UNTRACED: Traced = { traceparent: undefined, noteIntent: () => {}, noteError: () => {} }

/** Undefined also when looking for it fails. */
async function find(look: () => Promise<OpenTelemetryApi | undefined>): Promise<OpenTelemetryApi | undefined> {
  const ended = new AbortController()
  try {
    return await Promise.race([look(), sleep(FINDING_SECONDS, ended.signal).then(() => undefined)])
  } catch {
    return undefined
  } finally {
    ended.abort()
  }
}

async function inSpan<T>(
  api: OpenTelemetryApi,
  operation: Operation,
  attributes: Attributes,
  run: (traced: Traced) => Promise<T>
): Promise<T> {
  const started = quietly(() => startSpan(api, operation, attributes))
  if (started === undefined) return run(UNTRACED)
  const { span, parent } = started
  const traced = tracedBy(api, span)
  const runOnce = once(() => run(traced))
  // It resolves with nothing: a context that passes promises on would pass on a rejection that nobody handles.
  quietly(() => api.context.with(api.trace.setSpan(parent, span), () => void runOnce()))
  try {
    // Which begins only now where there was no context for it.
    return await runOnce()
  } catch (error) {
    traced.noteError(toError(error))
    throw error
  } finally {
    quietly(() => span.end())
  }
}

function startSpan(
  api: OpenTelemetryApi,
  { kind, goal, traceparent }: Operation,
  attributes: Attributes
): { readonly span: Span; readonly parent: unknown } {
  const remote = parseTraceparent(traceparent)
  const active = api.context.active()
  const parent = remote === undefined ? active : api.trace.setSpanContext(active, remote)
  const spanKind = kind === 'publish' ? api.SpanKind.PRODUCER : api.SpanKind.CONSUMER
  const span = api.trace.getTracer('intent-bus-client').startSpan(`${kind} ${goal}`, { kind: spanKind, attributes }, parent)
  return { span, parent }
}

function tracedBy({ SpanStatusCode }: OpenTelemetryApi, span: Span): Traced {
  return {
    traceparent: quietly(() => formatTraceparent(span.spanContext())),
    noteIntent: (id) => void quietly(() => span.setAttribute('messaging.message.id', id)),
    noteError(error) {
      quietly(() => span.recordException(error))
      quietly(() => span.setAttribute('error.type', error.name))
      quietly(() => span.setStatus({ code: SpanStatusCode.ERROR, message: error.message }))
    }
  }
}

/** What a call into the tracer returns; undefined when it throws. */
function quietly<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch {
    return undefined
  }
}

/** Runs at the first call; every call has the same promise. */
function once<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => (running ??= run())
}
