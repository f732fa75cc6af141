import type { Key } from './keys.ts'

/** Who makes a request: its key and where from. */
export interface Caller {
  readonly key: Key
  readonly address: string
  /** The nonce of a signed request, reserved but not yet on disk; null from the moment that it is settled. */
  nonce: string | null
}
