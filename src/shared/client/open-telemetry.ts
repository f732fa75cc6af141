/** As much of `@opentelemetry/api` as spans of this client need. */
export interface OpenTelemetryApi {
  readonly trace: {
    getTracer(name: string, version?: string): Tracer
    setSpan(context: unknown, span: Span): unknown
    setSpanContext(context: unknown, spanContext: SpanContext): unknown
  }
  readonly context: {
    active(): unknown
    with<T>(context: unknown, run: () => T): T
  }
  readonly SpanKind: { readonly PRODUCER: number; readonly CONSUMER: number }
  readonly SpanStatusCode: { readonly ERROR: number }
}

interface Tracer {
  startSpan(name: string, options: { kind: number; attributes: Attributes }, context: unknown): Span
}

/** One operation, in the terms of OpenTelemetry. */
export interface Span {
  spanContext(): SpanContext
  setAttribute(name: string, value: string | number): unknown
  setStatus(status: { code: number; message?: string }): unknown
  recordException(error: Error): unknown
  end(): void
}

/** Which span of which trace. */
export interface SpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly traceFlags: number
  readonly isRemote?: boolean
}

export type Attributes = Record<string, string | number>

/** Where the API comes from: given, found by a function when it is first needed, or nowhere. */
export type TracingSource = false | OpenTelemetryApi | (() => Promise<OpenTelemetryApi | undefined>)
