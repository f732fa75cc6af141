import { compactJson } from '../../../shared/json-text.ts'
import { BACKOFF_BASE, DEFAULT_NAMESPACE, DELAY, MAX_ATTEMPTS, PRIORITY } from '../../../shared/limits.ts'
import { pasteableJson } from '../../lib/text/commands.ts'
import type { Publication } from './draft.ts'

/** A member of a request to publish: its name in the protocol and its value as JSON text. */
export interface BodyMember {
  readonly name: string
  readonly json: string
}

/** The members of a POST /intent (SPEC 7.2) that publishes the same; what is as by default is left out. `payload` must be JSON. */
export function bodyMembers(publication: Publication): BodyMember[] {
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

/** The same as one JSON text without insignificant whitespace, ready to be pasted. */
export function publicationBody(publication: Publication): string {
  return pasteableJson(`{${bodyMembers(publication).map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')}}`)
}
