import { ProtocolError } from '../../../shared/errors.ts'

/** What is wrong with a signature (SPEC 5.2). */
export type SignatureTrouble = 'incomplete' | 'timestamp' | 'stale' | 'nonce' | 'wrong' | 'replay'

/** A request whose signature does not count: 403 `invalid_signature`. */
export class SignatureRefusal extends ProtocolError {
  readonly trouble: SignatureTrouble

  constructor(trouble: SignatureTrouble, message: string) {
    super('invalid_signature', message)
    this.trouble = trouble
  }
}
