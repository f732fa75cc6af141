import type { IntentView } from '../../../../shared/control/intent-views.ts'
import { DELAY } from '../../../../shared/limits.ts'
import { bodyMembers } from '../../../lib/text/publish-body.ts'

/** Seconds that an intent was published to wait; null when that is not known any more: who puts it back gives it another time. */
export function delayOf({ createdAt, runAt, history }: Pick<IntentView, 'createdAt' | 'runAt' | 'history'>): number | null {
  if (history.some((event) => event.event === 'retried' || event.event === 'shortened' || 'requeued_until' in event)) return null
  // Sums of such numbers are exact to some microseconds only.
  return Math.max(0, Math.round((runAt - createdAt) * 1000) / 1000)
}

/** Seconds of backoff after each attempt but the last, without the jitter (SPEC 3.3). */
export function backoffs({ maxAttempts, backoffBase }: Pick<IntentView, 'maxAttempts' | 'backoffBase'>): number[] {
  return Array.from({ length: maxAttempts - 1 }, (_, i) => backoffBase * 2 ** (i + 1))
}

/** The body of a POST /intent (SPEC 7.2) that makes the same intent again; what is as by default is left out. */
export function publishBody(intent: IntentView): string {
  const members = bodyMembers({ ...intent, delay: delayOf(intent) ?? DELAY.default })
  return `{${members.map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')}}`
}
