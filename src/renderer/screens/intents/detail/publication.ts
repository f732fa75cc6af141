import type { IntentView } from '../../../../shared/control/views.ts'
import { BACKOFF_BASE, DEFAULT_NAMESPACE, DELAY, INTENT_LIFETIME, MAX_ATTEMPTS, PRIORITY } from '../../../../shared/limits.ts'

/** Seconds that an intent was published to wait; null when that is not known any more: a retry gives a fresh lifetime. */
export function delayOf({ createdAt, expiresAt, history }: Pick<IntentView, 'createdAt' | 'expiresAt' | 'history'>): number | null {
  if (history.some(({ event }) => event === 'retried' || event === 'shortened')) return null
  // Lifetimes count from the first run (SPEC 4.2). Sums of such numbers are exact to some microseconds only.
  return Math.max(0, Math.round((expiresAt - INTENT_LIFETIME - createdAt) * 1000) / 1000)
}

/** Seconds of backoff after each attempt but the last, without the jitter (SPEC 3.3). */
export function backoffs({ maxAttempts, backoffBase }: Pick<IntentView, 'maxAttempts' | 'backoffBase'>): number[] {
  return Array.from({ length: maxAttempts - 1 }, (_, i) => backoffBase * 2 ** (i + 1))
}

/** The body of a POST /intent (SPEC 7.2) that makes the same intent again; what is as by default is left out. */
export function publishBody(intent: IntentView): string {
  const { goal, payload, namespace, visibility, priority, maxAttempts, backoffBase, target, capability } = intent
  const delay = delayOf(intent) ?? DELAY.default
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
  const members = Object.entries(settings).map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
  // The payload goes in as it is: its numbers keep their digits.
  return `{"goal":${JSON.stringify(goal)},"payload":${payload}${members.join('')}}`
}
