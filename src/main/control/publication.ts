import type { CheckedInput } from '../../shared/control/contract.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { readPublish, type PublishRequest } from '../../shared/requests.ts'
import type { Bus } from '../bus/bus.ts'
import { FieldError } from './control.ts'

export type Publication = CheckedInput<'intents.publish'>

/** Members of the contract whose names in the protocol differ. */
const PROTOCOL_NAMES = { maxAttempts: 'max_attempts', backoffBase: 'backoff_base', target: 'target_worker', capability: 'required_capability' } as const

/** What an operator wants to publish, as a request of the protocol, by whose rules it is checked. Throws FieldError. */
export function readPublication(publication: Publication): { request: PublishRequest; body: string } {
  const { payload, publisher: _, idempotencyKey: __, maxAttempts, backoffBase, target, capability, ...rest } = publication
  try {
    JSON.parse(payload)
  } catch (error) {
    const message = payload.trim() === '' ? 'The payload is empty: give at least {}.' : `The payload is not valid JSON: ${(error as Error).message}.`
    throw new FieldError('payload', new ProtocolError('invalid_json', message))
  }
  const fields = { ...rest, max_attempts: maxAttempts, backoff_base: backoffBase, target_worker: target, required_capability: capability }
  // Spliced in as text, so that its numbers keep every digit.
  const body = `${JSON.stringify(fields).slice(0, -1)},"payload":${payload}}`
  try {
    return { request: readPublish(body), body }
  } catch (error) {
    if (error instanceof ProtocolError) throw new FieldError(fieldOf(error.code), error)
    throw error
  }
}

/** Publishes as the key that the publication names. Throws FieldError, and what `Bus.publish` throws. */
export async function publish(bus: Bus, publication: Publication): Promise<{ id: string }> {
  const { request, body } = readPublication(publication)
  const key = bus.keys.byId(publication.publisher)
  if (key === undefined) {
    throw new FieldError('publisher', new ProtocolError('invalid_publisher', 'There is no such key any more; choose another one to publish as.'))
  }
  const { id } = await bus.publish({ key, address: '127.0.0.1', nonce: null }, request, publication.idempotencyKey ?? null, body)
  return { id }
}

/** `invalid_max_attempts` is about `maxAttempts`; a payload too large is about the payload. */
function fieldOf(code: string): string {
  if (code.startsWith('payload_')) return 'payload'
  const name = code.replace(/^invalid_/, '')
  return Object.entries(PROTOCOL_NAMES).find(([, other]) => other === name)?.[0] ?? name
}
