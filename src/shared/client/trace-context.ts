import type { SpanContext } from './open-telemetry.ts'

/** Which span a `traceparent` names (W3C Trace Context); undefined for what is none. */
export function parseTraceparent(text: string | null | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? '') ?? []
  if (traceId === undefined || spanId === undefined || isZero(traceId) || isZero(spanId)) return undefined
  return { traceId, spanId, traceFlags: parseInt(flags!, 16), isRemote: true }
}

/**
 * The `traceparent` of a span; undefined where that would be none, as for the span of an API without an SDK behind it, whose
 * ids are all zero.
 */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string | undefined {
  const text = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
  return parseTraceparent(text) === undefined ? undefined : text
}

function isZero(id: string): boolean {
  return /^0*$/.test(id)
}
