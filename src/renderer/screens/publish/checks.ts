import {
  BACKOFF_BASE,
  DELAY,
  GOAL_LENGTH,
  MAX_ATTEMPTS,
  MAX_IDEMPOTENCY_KEY_LENGTH,
  MAX_PAYLOAD_BYTES,
  NAMESPACE_PATTERN,
  PRIORITY,
  TOKEN_PATTERN
} from '../../../shared/limits.ts'
import { checkJson, payloadBytes } from '../../lib/json/check.ts'
import { formatNumber } from '../../lib/text/numbers.ts'
import type { Draft, DraftField } from './draft.ts'

/** What is wrong with the fields of a draft, and what to do about it. */
export type Problems = Readonly<Partial<Record<DraftField, string>>>

/** What the bus would refuse (SPEC 4.1), said before it is asked. */
export function problemsOf(draft: Draft): Problems {
  const found: Record<DraftField, string | null | false> = {
    goal: goalProblem(draft.goal),
    payload: payloadProblem(draft.payload),
    namespace: !NAMESPACE_PATTERN.test(draft.namespace) && 'A namespace has 1 to 64 letters, digits, dots, dashes or underscores.',
    visibility: null,
    publisher: null,
    priority: numberProblem(draft.priority, PRIORITY, 'whole'),
    delay: numberProblem(draft.delay, DELAY),
    maxAttempts: numberProblem(draft.maxAttempts, MAX_ATTEMPTS, 'whole'),
    backoffBase: numberProblem(draft.backoffBase, BACKOFF_BASE),
    target: tokenProblem(draft.target),
    capability: tokenProblem(draft.capability),
    idempotencyKey: idempotencyKeyProblem(draft.idempotencyKey)
  }
  return Object.fromEntries(Object.entries(found).filter(([, problem]) => problem)) as Problems
}

function goalProblem(goal: string): string | null {
  if (goal === '') return 'Name the goal: what is to be done.'
  if ([...goal].length > GOAL_LENGTH.max) return `A goal has at most ${GOAL_LENGTH.max} characters.`
  return null
}

function payloadProblem(payload: string): string | null {
  if (payload.trim() === '') return 'The payload is empty: give at least {}.'
  const problem = checkJson(payload)
  if (problem !== null) return `${placeOf(payload, problem.at)}: ${problem.message}`
  const bytes = payloadBytes(payload)
  if (bytes <= MAX_PAYLOAD_BYTES) return null
  return `The payload has ${formatNumber(bytes)} bytes; ${formatNumber(MAX_PAYLOAD_BYTES)} fit. Store what is large elsewhere and publish where it is.`
}

/** `Line 3`, with the column where lines are long. */
function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split('\n')
  return before.length === 1 && !text.includes('\n') ? `Column ${at + 1}` : `Line ${before.length}`
}

function numberProblem(value: number | null, { min, max }: { readonly min: number; readonly max: number }, kind?: 'whole'): string | null {
  if (value !== null && value >= min && value <= max && (kind === undefined || Number.isInteger(value))) return null
  return `Give a ${kind === 'whole' ? 'whole ' : ''}number from ${formatNumber(min)} to ${formatNumber(max)}.`
}

function tokenProblem(text: string): string | null {
  return text === '' || TOKEN_PATTERN.test(text) ? null : 'It has 1 to 64 letters, digits, dots, dashes, colons or underscores.'
}

/** Publishers send it in a header: what cannot stand there would be of no use to them. */
function idempotencyKeyProblem(key: string): string | null {
  if (key.length > MAX_IDEMPOTENCY_KEY_LENGTH) return `It has at most ${MAX_IDEMPOTENCY_KEY_LENGTH} characters.`
  return key === '' || /^[!-~]([ -~]*[!-~])?$/.test(key) ? null : 'It has ASCII characters only, and no space at its ends.'
}
