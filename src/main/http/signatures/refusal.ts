import { ProtocolError } from '../../../shared/errors.ts'

/** What is wrong with a signature (SPEC 5.2). `forgotten`: it may be a replay of one whose nonce was lost with the database. */
export type SignatureTrouble = 'incomplete' | 'timestamp' | 'stale' | 'forgotten' | 'nonce' | 'wrong' | 'replay'

/** A request whose signature does not count: 403 `invalid_signature`. */
export class SignatureRefusal extends ProtocolError {
  readonly trouble: SignatureTrouble

  constructor(trouble: SignatureTrouble, message: string) {
    super('invalid_signature', message)
    this.trouble = trouble
  }
}
