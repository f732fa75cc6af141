import type { IntentChange, IntentRow, StatusName } from '../../../shared/control/intent-views.ts'
import type { Paint, Style } from '../terminal/style.ts'
import { duration, relativeTime } from '../terminal/time.ts'

/** How intents read on a terminal. A status is always a word; colour only repeats it. */

export function statusPaint(status: StatusName, style: Style): Paint {
  switch (status) {
    case 'open':
      return style.blue
    case 'claimed':
      return style.yellow
    case 'fulfilled':
      return style.green
    case 'dead':
      return style.red
    case 'expired':
      return style.dim
  }
}

/** What one wants to know of an intent beside its columns: why it failed, who has it, when it may run. */
export function noteOf(row: IntentRow, now: number): string {
  const { status, error, leaseEndsAt, worker, claimedBy, runAt, attempts } = row
  if (status === 'claimed' && leaseEndsAt !== null) {
    return `by ${worker ?? claimedBy ?? 'somebody'}, ${duration(Math.max(0, leaseEndsAt - now))} of the lease left`
  }
  if (status === 'open' && runAt > now) {
    const why = error === null || attempts === 0 ? '' : `: ${error}`
    return `${attempts === 0 ? 'runs' : 'tried again'} ${relativeTime(runAt, now)}${why}`
  }
  return status === 'fulfilled' ? '' : (error ?? '')
}

/** What a change tells beside its event. */
export function changeNote({ status, worker, attempts, error, runAt, at }: IntentChange): string {
  const parts: string[] = []
  if (worker !== undefined && worker !== null) parts.push(`by ${worker}`)
  if (attempts !== undefined && attempts > 1) parts.push(`attempt ${attempts}`)
  if (error !== undefined && error !== null) parts.push(error)
  if (status === 'open' && runAt !== undefined && runAt > at + 1) parts.push(`again in ${duration(runAt - at)}`)
  return parts.join(', ')
}

/** What happened, as a word. */
export function eventWord({ event, status }: Pick<IntentChange, 'event' | 'status'>): string {
  if (event === 'failed' && status === 'dead') return 'died'
  return event === 'lease_lost' ? 'lease lost' : event
}
