import type { Input, MethodName, Output } from './contract.ts'
import type { EventFrame } from './event-frame.ts'

/** Why a call was refused. `code` is the protocol's, or one of the contract's own below. */
export interface ControlFailure {
  readonly code: string
  /** A sentence for the user that says what to do. */
  readonly message: string
  /** The member of the input that is at fault. */
  readonly field?: string
}

/** What comes back from a call. */
export type Envelope<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ControlFailure }

/** What carries the contract to where the bus is. */
export interface ControlTransport {
  /** Rejects with ControlError. */
  call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>>
  /**
   * Hears what happens, until the answer is called. `onState` hears whether events come in: after `false` then `true`
   * some may have been missed, and the first frame says so.
   */
  listen(onFrame: (frame: EventFrame) => void, onState: (isLive: boolean) => void): () => void
}

/** A refused call. */
export class ControlError extends Error {
  readonly code: string
  readonly field: string | undefined

  constructor({ code, message, field }: ControlFailure) {
    super(message)
    this.name = 'ControlError'
    this.code = code
    this.field = field
  }
}
