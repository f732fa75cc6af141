import { AsyncLocalStorage } from 'node:async_hooks'
import type { OpenTelemetryApi } from '../../src/main/client/index.ts'

export interface RecordedSpan {
  readonly name: string
  readonly kind: number
  readonly attributes: Record<string, string | number>
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  error?: string
  isEnded: boolean
}

export interface Context {
  readonly spanContext?: { readonly traceId: string; readonly spanId: string }
}

/** OpenTelemetry's API with an SDK behind it, as far as this client goes. */
export function recorder(): { api: OpenTelemetryApi; spans: RecordedSpan[]; active: () => Context } {
  const spans: RecordedSpan[] = []
  const contexts = new AsyncLocalStorage<Context>()
  const active = (): Context => contexts.getStore() ?? {}
  const hex = (digits: number): string => (spans.length + 1).toString(16).padStart(digits, '0')
  const api: OpenTelemetryApi = {
    SpanKind: { PRODUCER: 3, CONSUMER: 4 },
    SpanStatusCode: { ERROR: 2 },
    context: {
      active,
      with: (context, run) => contexts.run(context as Context, run)
    },
    trace: {
      setSpan: (_context, span) => ({ spanContext: span.spanContext() }),
      setSpanContext: (_context, spanContext) => ({ spanContext }),
      getTracer: () => ({
        startSpan(name, { kind, attributes }, context) {
          const parent = (context as Context).spanContext
          const span: RecordedSpan = {
            name,
            kind,
            attributes: { ...attributes },
            traceId: parent?.traceId ?? hex(32),
            spanId: hex(16),
            parentId: parent?.spanId,
            isEnded: false
          }
          spans.push(span)
          return {
            spanContext: () => ({ traceId: span.traceId, spanId: span.spanId, traceFlags: 1 }),
            setAttribute: (key, value) => (span.attributes[key] = value),
            setStatus: ({ message }) => (span.error = message!),
            recordException: () => {},
            end: () => (span.isEnded = true)
          }
        }
      })
    }
  }
  return { api, spans, active }
}
