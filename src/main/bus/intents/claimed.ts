/** The body of the 200 (SPEC 7.3). `payload` is JSON text. */
export interface Claimed {
  readonly id: string
  readonly namespace: string
  readonly goal: string
  readonly payload: string
  readonly claim_attempts: number
  readonly priority: number
  readonly target_worker: string | null
  readonly required_capability: string | null
  readonly claim_token: string
  /** Seconds. */
  readonly claim_timeout: number
  /** Only there when the publisher sent one. */
  readonly traceparent?: string
}
