import type { IntentRow } from '../../../shared/control/intent-views.ts'
import { briefDuration, relativeTime } from '../../lib/text/time.ts'

/** The moment (Unix seconds) that matters of an intent now, and what it says. */
export interface When {
  readonly at: number
  readonly text: string
}

/** When it may run, when its lease ends, or when it ended, as seen from `now`. */
export function whenOf({ status, runAt, leaseEndsAt, finishedAt }: IntentRow, now: number): When | null {
  if (status === 'open') {
    return { at: runAt, text: runAt > now ? `runs ${relativeTime(runAt, now)}` : `waits ${wholeDuration(now - runAt)}` }
  }
  if (status === 'claimed') {
    if (leaseEndsAt === null) return null
    return { at: leaseEndsAt, text: leaseEndsAt > now ? `lease ${wholeDuration(leaseEndsAt - now)}` : 'lease over' }
  }
  return finishedAt === null ? null : { at: finishedAt, text: relativeTime(finishedAt, now) }
}

/** How long ago, in whole units; 0 for what is just happening. */
export function ageOf(at: number, now: number): string {
  return wholeDuration(Math.max(0, now - at))
}

function wholeDuration(seconds: number): string {
  return briefDuration(Math.floor(seconds))
}
