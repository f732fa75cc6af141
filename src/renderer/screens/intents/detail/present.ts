import type { GapView, IntentView } from '../../../../shared/control/intent-views.ts'
import { fullDuration } from '../../../lib/text/time.ts'
import { workerAtStart } from './timeline.ts'

/** Something that runs out: `label` before the countdown, `after` instead of it once it is over. */
export interface Deadline {
  readonly label: string
  /** Unix seconds. */
  readonly to: number
  readonly after: string
}

/** How an intent is right now: the end of its timeline. */
export interface Present {
  readonly title: string
  readonly text: string | null
  readonly deadlines: readonly Deadline[]
}

type Subject = Pick<
  IntentView,
  'status' | 'history' | 'gaps' | 'runAt' | 'expiresAt' | 'leaseEndsAt' | 'claimedAt' | 'finishedAt' | 'createdAt' | 'worker'
>

/** `now`: Unix seconds by the bus's clock. */
export function presentOf(intent: Subject, now: number): Present {
  switch (intent.status) {
    case 'open':
      return openNow(intent, now)
    case 'claimed':
      return {
        title: `${workerAtStart(intent.worker)} works on it`,
        text: intent.claimedAt === null ? null : `for ${elapsed(intent.claimedAt, now, intent.gaps)}`,
        deadlines: intent.leaseEndsAt === null ? [] : [{ label: 'Lease ends in', to: intent.leaseEndsAt, after: 'any moment' }]
      }
    case 'fulfilled':
      return { title: 'Done', text: tookText(intent), deadlines: [] }
    case 'dead':
      return { title: 'Dead letter', text: 'No worker gets it any more. Retry puts it back into the queue.', deadlines: [] }
    case 'expired':
      return { title: 'Out of the queue', text: 'No worker claimed it in its lifetime. Publish again puts it back, with a fresh one.', deadlines: [] }
  }
}

/** What becomes of a claimed intent if its worker does not fulfil it. */
export function outlookOf({ attempts, maxAttempts }: Pick<IntentView, 'attempts' | 'maxAttempts'>): string {
  if (attempts >= maxAttempts) return 'This is its last attempt: if that fails, or the lease ends first, it becomes a dead letter.'
  return `If it fails, attempt ${attempts + 1} of ${maxAttempts} comes after a pause; if the lease ends first, at once.`
}

function openNow({ history, gaps, runAt, expiresAt }: Subject, now: number): Present {
  const lifetime = { label: 'Expires in', to: expiresAt, after: 'any moment' }
  const last = history.at(-1)
  if (runAt > now) {
    const start = { label: 'Claimable in', to: runAt, after: 'now' }
    return { title: last?.event === 'failed' ? 'Backing off' : 'Delayed', text: null, deadlines: [start, lifetime] }
  }
  // A lease that was lost or taken back leaves `runAt` as it was.
  const isGivenBack = last?.event === 'lease_lost' || last?.event === 'returned' || last?.event === 'moved'
  const since = Math.max(runAt, isGivenBack ? last.at : 0)
  return { title: 'Waiting for a worker', text: `for ${elapsed(since, now, gaps)}`, deadlines: [lifetime] }
}

function tookText({ createdAt, claimedAt, finishedAt, gaps }: Subject): string | null {
  if (finishedAt === null) return null
  const total = `${fullDuration(finishedAt - createdAt)} after it was published`
  return claimedAt === null ? total : `${total}; the last attempt took ${fullDuration(secondsBetween(claimedAt, finishedAt, gaps))}`
}

/** Whole seconds: it runs on while somebody looks at it. */
function elapsed(since: number, now: number, gaps: readonly GapView[]): string {
  return fullDuration(Math.floor(secondsBetween(since, now, gaps)))
}

/** Seconds from one moment to another, less the gaps in between: nobody could work in these. */
function secondsBetween(from: number, to: number, gaps: readonly GapView[]): number {
  const gone = gaps.filter(({ at }) => at > from && at <= to).reduce((sum, { seconds }) => sum + seconds, 0)
  return Math.max(0, to - from - gone)
}
