import type { Attributes, OpenTelemetryApi, SpanContext, TracingSource } from './open-telemetry.ts'

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
  readonly traceparent?: string
  /** Names the intent, once it is known. */
  noteIntent(id: string): void
  /** Says that it went wrong, where that does not show in a rejection. */
  noteError(error: Error): void
}

/** Runs operations within spans; where there is no OpenTelemetry, just so. */
export class Tracing {
  readonly #baseUrl: URL
  readonly #source: TracingSource
  #found: Promise<OpenTelemetryApi | undefined> | undefined

  constructor(source: TracingSource, baseUrl: string) {
    this.#baseUrl = new URL(baseUrl)
    this.#source = source
  }

  /** Resolves and rejects as `run` does. */
  async span<T>(operation: Operation, run: (traced: Traced) => Promise<T>): Promise<T> {
    const api = typeof this.#source === 'function' ? await (this.#found ??= this.#source()) : this.#source
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

const UNTRACED: Traced = { noteIntent: () => {}, noteError: () => {} }

async function inSpan<T>(
  api: OpenTelemetryApi,
  { kind, goal, traceparent }: Operation,
  attributes: Attributes,
  run: (traced: Traced) => Promise<T>
): Promise<T> {
  const remote = parseTraceparent(traceparent)
  const active = api.context.active()
  const parent = remote === undefined ? active : api.trace.setSpanContext(active, remote)
  const spanKind = kind === 'publish' ? api.SpanKind.PRODUCER : api.SpanKind.CONSUMER
  const span = api.trace.getTracer('intent-bus-client').startSpan(`${kind} ${goal}`, { kind: spanKind, attributes }, parent)
  const noteError = (error: Error): void => {
    span.recordException(error)
    span.setAttribute('error.type', error.name)
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: error.message })
  }
  const own = formatTraceparent(span.spanContext())
  const traced: Traced = {
    ...(own === undefined ? {} : { traceparent: own }),
    noteIntent: (id) => void span.setAttribute('messaging.message.id', id),
    noteError
  }
  try {
    return await api.context.with(api.trace.setSpan(parent, span), () => run(traced))
  } catch (error) {
    noteError(error instanceof Error ? error : new Error(String(error)))
    throw error
  } finally {
    span.end()
  }
}

/** W3C Trace Context; undefined for what is none. */
function parseTraceparent(text: string | null | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? '') ?? []
  if (traceId === undefined || spanId === undefined || isZero(traceId) || isZero(spanId)) return undefined
  return { traceId, spanId, traceFlags: parseInt(flags!, 16), isRemote: true }
}

/** Undefined for the span of an API without an SDK behind it, whose ids are all zero. */
function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string | undefined {
  if (isZero(traceId)) return undefined
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
}

function isZero(id: string): boolean {
  return /^0*$/.test(id)
}
