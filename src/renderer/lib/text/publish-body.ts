import { compactJson } from '../../../shared/json-text.ts'
import type { CheckedInput } from '../../../shared/control/contract.ts'
import { BACKOFF_BASE, DEFAULT_NAMESPACE, DELAY, MAX_ATTEMPTS, PRIORITY } from '../../../shared/limits.ts'

/** What the protocol knows of a publication: all but the key, which goes in a header. */
type Content = Omit<CheckedInput<'intents.publish'>, 'publisher' | 'idempotencyKey'>

/** A member of a request to publish: its name in the protocol and its value as JSON text. */
export interface BodyMember {
  readonly name: string
  readonly json: string
}

/** The members of a POST /intent (SPEC 7.2) that publishes the same; what is as by default is left out. `payload` must be JSON. */
export function bodyMembers(publication: Content): BodyMember[] {
  const { goal, payload, namespace, visibility, priority, delay, maxAttempts, backoffBase, target, capability } = publication
  const settings = {
    ...(namespace !== DEFAULT_NAMESPACE && { namespace }),
    ...(visibility !== 'private' && { visibility }),
    ...(priority !== PRIORITY.default && { priority }),
    ...(delay !== DELAY.default && { delay }),
    ...(maxAttempts !== MAX_ATTEMPTS.default && { max_attempts: maxAttempts }),
    ...(backoffBase !== BACKOFF_BASE.default && { backoff_base: backoffBase }),
    ...(target !== null && { target_worker: target }),
    ...(capability !== null && { required_capability: capability })
  }
  return [
    { name: 'goal', json: JSON.stringify(goal) },
    // As it was written: its numbers keep their digits.
    { name: 'payload', json: compactJson(payload) },
    ...Object.entries(settings).map(([name, value]) => ({ name, json: JSON.stringify(value) }))
  ]
}
