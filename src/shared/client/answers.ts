import { memberText } from '../json-text.ts'
import type { ResultType, Visibility } from '../requests.ts'
import { readJson, type NumberStyle } from './exact-json.ts'
import type { Fields } from './objects.ts'

/** The answer to a publish. */
export interface PublishedIntent {
  readonly id: string
  readonly status: string
  readonly namespace: string
}

/** An intent whose lease a worker holds (SPEC 7.3). */
export interface ClaimedIntent {
  readonly id: string
  readonly namespace: string
  readonly goal: string
  readonly payload: unknown
  /** The payload as JSON text, with every digit of its numbers. */
  readonly payloadText: string
  /** How often it was claimed, this time included. */
  readonly claimAttempts: number
  readonly priority: number
  readonly targetWorker: string | null
  readonly requiredCapability: string | null
  /** What changes this lease; of nobody else's concern. */
  readonly claimToken: string
  /** Seconds until the lease ends, unless it is extended. */
  readonly claimTimeout: number
  /** W3C trace context of the publisher, where there is one. */
  readonly traceparent: string | null
}

/** `open` and `claimed` go on; `fulfilled` and `dead` are final, until an operator retries. */
export type IntentState = 'open' | 'claimed' | 'fulfilled' | 'dead'

/** How an intent is doing (SPEC 7.8). Times are Unix seconds. */
export interface IntentStatus {
  readonly id: string
  readonly namespace: string
  readonly goal: string
  readonly status: IntentState
  readonly priority: number
  readonly visibility: Visibility
  readonly claimAttempts: number
  readonly runAt: number
  readonly claimExpiresAt: number | null
  readonly targetWorker: string | null
  readonly requiredCapability: string | null
  readonly completedAt: number | null
  /** The last error of a worker, also of an attempt before the one that succeeded. */
  readonly error: string | null
}

/** The same with what the worker stored (SPEC 7.7); `result` is null until then. */
export interface IntentResult extends IntentStatus {
  readonly result: unknown
  /** The result as JSON text, with every digit of its numbers. */
  readonly resultText: string
  readonly resultType: ResultType
}

export function readPublished(fields: Fields): PublishedIntent {
  return { id: fields.id, status: fields.status, namespace: fields.namespace }
}

/** `text` is what `fields` were parsed from: payloads are read again from it when their numbers are to stay exact. */
export function readClaimed(fields: Fields, text: string, numbers: NumberStyle): ClaimedIntent {
  const payloadText = memberText(text, 'payload') ?? 'null'
  return {
    id: fields.id,
    namespace: fields.namespace,
    goal: fields.goal,
    payload: numbers === 'exact' ? readJson(payloadText, numbers) : fields.payload,
    payloadText,
    claimAttempts: fields.claim_attempts,
    priority: fields.priority,
    targetWorker: fields.target_worker ?? null,
    requiredCapability: fields.required_capability ?? null,
    claimToken: fields.claim_token,
    claimTimeout: fields.claim_timeout,
    traceparent: fields.traceparent ?? null
  }
}

export function readStatus(fields: Fields): IntentStatus {
  return {
    id: fields.id,
    namespace: fields.namespace,
    goal: fields.goal,
    status: fields.status,
    priority: fields.priority,
    visibility: fields.visibility,
    claimAttempts: fields.claim_attempts,
    runAt: fields.run_at,
    claimExpiresAt: fields.claim_expires_at ?? null,
    targetWorker: fields.target_worker ?? null,
    requiredCapability: fields.required_capability ?? null,
    completedAt: fields.completed_at ?? null,
    error: fields.error ?? null
  }
}

/** `text` as for `readClaimed`. */
export function readResult(fields: Fields, text: string, numbers: NumberStyle): IntentResult {
  const resultText = memberText(text, 'result') ?? 'null'
  return {
    ...readStatus(fields),
    result: numbers === 'exact' ? readJson(resultText, numbers) : (fields.result ?? null),
    resultText,
    resultType: fields.result_type ?? 'json'
  }
}

/** Whether nothing more happens to an intent by itself. */
export function isSettled({ status }: IntentStatus): boolean {
  return status === 'fulfilled' || status === 'dead'
}
