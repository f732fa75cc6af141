import type { IntentStatus } from './answers.ts'
import type { CallOptions, FulfillOptions } from './options.ts'

/** What the holder of a lease may do with it, each sent once. A client has these. */
export interface LeaseOperations {
  /** `seconds` from now. All reject with LeaseLostError when the lease is not held. */
  extendClaim(id: string, claimToken: string, seconds: number, options: CallOptions): Promise<void>
  fulfill(id: string, claimToken: string, result: unknown, options: FulfillOptions): Promise<void>
  fail(id: string, claimToken: string, error: string, options: CallOptions): Promise<void>
  getStatus(id: string, options: CallOptions): Promise<IntentStatus>
}
