/**
 * Every way in which the bus refuses a request, with its HTTP status (SPEC 11).
 * A code is what clients branch on; the message is for people.
 */
const ERROR_STATUS = {
  unauthorized: 401,
  forbidden: 403,
  invalid_signature: 403,
  https_required: 403,
  invalid_host: 403,
  cross_site: 403,
  invalid_code: 403,
  pairing_refused: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  payload_too_large: 413,
  result_too_large: 413,
  unsupported_encoding: 415,
  unsupported_media_type: 415,
  idempotency_conflict: 422,
  rate_limited: 429,
  limit_exceeded: 429,
  headers_too_large: 431,
  internal_error: 500,
  database_busy: 503,
  storage_unavailable: 503,
  maintenance: 503,
  shutting_down: 503,
  invalid_request: 400,
  invalid_json: 400,
  invalid_path: 400,
  invalid_query: 400,
  invalid_goal: 400,
  invalid_payload: 400,
  invalid_namespace: 400,
  invalid_visibility: 400,
  invalid_priority: 400,
  invalid_delay: 400,
  invalid_max_attempts: 400,
  invalid_backoff_base: 400,
  invalid_target_worker: 400,
  invalid_required_capability: 400,
  invalid_capabilities: 400,
  invalid_worker_id: 400,
  invalid_publisher: 400,
  invalid_idempotency_key: 400,
  invalid_seconds: 400,
  invalid_wait: 400,
  invalid_claim_token: 400,
  invalid_result: 400,
  invalid_result_type: 400,
  invalid_key: 400,
  invalid_value: 400,
  invalid_ttl: 400,
  invalid_owner: 400,
  invalid_api_key: 400,
  invalid_confirm: 400,
  invalid_scope: 400
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

/** The HTTP status of a code; 400 for one that this protocol does not know. */
export function errorStatus(code: string): number {
  return code in ERROR_STATUS ? ERROR_STATUS[code as ErrorCode] : 400
}

/** A refusal that the client is meant to see. Anything else that is thrown reaches it only as `internal_error`. */
export class ProtocolError extends Error {
  readonly code: ErrorCode
  readonly status: number
  /** Seconds for the Retry-After header, where waiting helps. */
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, retryAfter?: number) {
    super(message)
    this.name = 'ProtocolError'
    this.code = code
    this.status = ERROR_STATUS[code]
    this.retryAfter = retryAfter
  }
}

/** The refusal of what needs a disk that takes nothing; `code` is the system's word for its trouble. */
export function storageUnavailable(code: string): ProtocolError {
  return new ProtocolError('storage_unavailable', `The bus cannot write to its disk (${code}); make room or restore access, then try again.`, 5)
}

/** The refusal of what needs a database that is damaged. */
export function databaseDamaged(): ProtocolError {
  return new ProtocolError('storage_unavailable', 'The database of the bus is damaged, and nothing is written to it; restore a backup in its interface.', 60)
}

/** The SPEC 11 body of a refusal, as JSON text. */
export function errorBody(code: ErrorCode, message: string): string {
  return JSON.stringify({ error: { code, message } })
}
