/** What went wrong with a request. `code` is what programs branch on: the bus's own (SPEC 11), or one of the client's. */
export interface ErrorFacts {
  readonly code: string
  /** HTTP status; undefined where no answer came. */
  readonly status?: number | undefined
  /** Seconds that the bus asks to wait before the next attempt. */
  readonly retryAfter?: number | undefined
  /** By it the bus's log tells more about the request. */
  readonly requestId?: string | undefined
  readonly intentId?: string | undefined
  readonly cause?: unknown
}

/** Everything that the client rejects with, but for the reasons of signals that callers abort themselves. */
export class IntentBusError extends Error {
  override readonly name: string = 'IntentBusError'
  readonly code: string
  readonly status: number | undefined
  readonly retryAfter: number | undefined
  readonly requestId: string | undefined
  /** The intent that `publishAndWait` published before this went wrong: by it the result can still be asked for. */
  intentId: string | undefined

  constructor(message: string, { code, status, retryAfter, requestId, intentId, cause }: ErrorFacts) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = status
    this.retryAfter = retryAfter
    this.requestId = requestId
    this.intentId = intentId
  }
}

/** 401 and 403: no key, a wrong one, a bad signature, or something this key may not do. */
export class IntentBusAuthError extends IntentBusError {
  override readonly name = 'IntentBusAuthError'
}

/** 429: too many requests, or too many open intents. */
export class IntentBusRateLimitError extends IntentBusError {
  override readonly name = 'IntentBusRateLimitError'
}

/** 404 of an extension, a fulfil or a fail: the lease is not held any more, and never will be again (SPEC 7.4). */
export class LeaseLostError extends IntentBusError {
  override readonly name = 'LeaseLostError'
}

/** No answer: the bus cannot be reached, went away, or took too long (`code` is then `timeout`). */
export class IntentBusNetworkError extends IntentBusError {
  override readonly name = 'IntentBusNetworkError'
}

/** The intent that was waited for is dead. */
export class IntentFailedError extends IntentBusError {
  override readonly name = 'IntentFailedError'
  declare readonly intentId: string

  /** `reason`: the last error of its workers. */
  constructor(intentId: string, reason: string | null) {
    super(`Intent ${intentId} is dead: ${reason ?? 'no reason is known'}`, { code: 'intent_failed', intentId })
  }
}

/** The intent that was waited for is neither fulfilled nor dead yet; it goes on, and its result can still be asked for. */
export class WaitTimeoutError extends IntentBusError {
  override readonly name = 'WaitTimeoutError'
  declare readonly intentId: string

  /** `status`: its last known; undefined where the bus could not be asked in the end, and `cause` says why. */
  constructor(intentId: string, seconds: number, status: string | undefined, cause?: Error) {
    const found = status === undefined ? 'could not be asked for any more' : `is still ${status}`
    const reason = cause === undefined ? '.' : `: ${cause.message}`
    super(`Intent ${intentId} ${found} after ${seconds} s${reason}`, { code: 'wait_timeout', intentId, cause })
  }
}
