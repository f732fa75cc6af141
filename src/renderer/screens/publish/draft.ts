import type { CheckedInput } from '../../../shared/control/contract.ts'
import type { IntentView } from '../../../shared/control/intent-views.ts'
import type { Template } from '../../../shared/control/library-views.ts'
import { BACKOFF_BASE, DEFAULT_NAMESPACE, DELAY, MAX_ATTEMPTS, PRIORITY } from '../../../shared/limits.ts'
import { checkJson } from '../../lib/json/check.ts'
import { prettyJson } from '../../lib/json/parse.ts'
import { briefDuration } from '../../lib/text/time.ts'
import type { KeyNames } from '../intents/detail/names.ts'
import { delayOf } from '../intents/detail/publication.ts'
import { isShallow } from './nesting.ts'

/** Everything that is published but the idempotency key; a template holds the same. */
export type Publication = Omit<CheckedInput<'intents.publish'>, 'idempotencyKey'>

/** An intent as it is being written: empty texts for what is not wanted, null for a number that is none. */
export interface Draft extends Omit<Publication, 'priority' | 'delay' | 'maxAttempts' | 'backoffBase' | 'target' | 'capability'> {
  priority: number | null
  delay: number | null
  maxAttempts: number | null
  backoffBase: number | null
  target: string
  capability: string
  idempotencyKey: string
}

export type DraftField = keyof Draft

export function blankDraft(): Draft {
  return {
    goal: '',
    payload: '{}',
    namespace: DEFAULT_NAMESPACE,
    visibility: 'private',
    publisher: 'main',
    priority: PRIORITY.default,
    delay: DELAY.default,
    maxAttempts: MAX_ATTEMPTS.default,
    backoffBase: BACKOFF_BASE.default,
    target: '',
    capability: '',
    idempotencyKey: ''
  }
}

/** What a template says, to be changed or published. */
export function draftOfTemplate(template: Template): Draft {
  const { goal, payload, namespace, visibility, publisher, priority, delay, maxAttempts, backoffBase, target, capability } = template
  const given = { goal, namespace, visibility, publisher, priority, delay, maxAttempts, backoffBase }
  return { ...given, payload: readable(payload), target: target ?? '', capability: capability ?? '', idempotencyKey: '' }
}

/** What an intent was published as; one that was retried no longer tells its delay. */
export function draftOfIntent(intent: IntentView): Draft {
  const { goal, payload, namespace, visibility, publisher, priority, maxAttempts, backoffBase, target, capability } = intent
  const given = { goal, namespace, visibility, publisher, priority, maxAttempts, backoffBase, delay: delayOf(intent) ?? DELAY.default }
  return { ...given, payload: readable(payload), target: target ?? '', capability: capability ?? '', idempotencyKey: '' }
}

/** JSON text with a line for each member; other text as it is. */
export function readable(payload: string): string {
  return checkJson(payload) === null && isShallow(payload) ? prettyJson(payload) : payload
}

/** The draft as the bus takes it. Of numbers that are none the default counts: checks come before. */
export function publicationOf(draft: Draft): Publication {
  const { goal, payload, namespace, visibility, publisher, priority, delay, maxAttempts, backoffBase, target, capability } = draft
  return {
    goal,
    payload,
    namespace,
    visibility,
    publisher,
    priority: priority ?? PRIORITY.default,
    delay: delay ?? DELAY.default,
    maxAttempts: maxAttempts ?? MAX_ATTEMPTS.default,
    backoffBase: backoffBase ?? BACKOFF_BASE.default,
    target: target === '' ? null : target,
    capability: capability === '' ? null : capability
  }
}

/** What of the quiet settings is not as by default, in a few words each. */
export function differences(draft: Draft, nameOf: KeyNames): string[] {
  const { visibility, publisher, priority, delay, maxAttempts, backoffBase, target, capability } = publicationOf(draft)
  return [
    visibility === 'public' && 'public',
    publisher !== 'main' && `as ${nameOf(publisher)}`,
    priority !== PRIORITY.default && `priority ${priority}`,
    delay !== DELAY.default && `delayed by ${briefDuration(delay)}`,
    maxAttempts !== MAX_ATTEMPTS.default && (maxAttempts === 1 ? 'one attempt' : `${maxAttempts} attempts`),
    backoffBase !== BACKOFF_BASE.default && `backoff ${briefDuration(backoffBase)}`,
    target !== null && `only for ${target}`,
    capability !== null && `needs ${capability}`,
    draft.idempotencyKey !== '' && `idempotency key ${draft.idempotencyKey}`
  ].filter((difference) => difference !== false)
}
