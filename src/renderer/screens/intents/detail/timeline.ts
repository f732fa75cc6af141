import type { GapView, IntentView } from '../../../../shared/control/intent-views.ts'
import type { HistoryEvent } from '../../../../shared/history.ts'
import { formatNumber } from '../../../lib/text/numbers.ts'
import { clockTime, fullDuration } from '../../../lib/text/time.ts'
import type { KeyNames } from './names.ts'

/** A line of an intent's timeline. */
export interface TimelineEntry {
  /** Its place in the history as it was stored: the same after more has happened. */
  readonly key: string
  readonly event: HistoryEvent['event'] | 'slept' | 'clock_set' | 'restored'
  /** Unix seconds. */
  readonly at: number
  readonly title: string
  /** Plain words; null where the title says it all. */
  readonly detail: string | null
  /** What a worker reported, as it came. */
  readonly error: string | null
  /** Seconds since the line before; null where that is not known. */
  readonly gap: number | null
  /** Whether the intent died of it. */
  readonly isFinal: boolean
}

const DAY_FORMAT = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric' })

/** The history of an intent in words, oldest first, with the times in between when nothing could happen. */
export function timelineOf(
  { history, gaps, maxAttempts }: Pick<IntentView, 'history' | 'gaps' | 'maxAttempts'>,
  nameOf: KeyNames
): TimelineEntry[] {
  const events = entriesOf(history, maxAttempts, nameOf)
  return [...events, ...gaps.map(entryOfGap)].sort((a, b) => a.at - b.at)
}

function entriesOf(history: readonly HistoryEvent[], maxAttempts: number, nameOf: KeyNames): TimelineEntry[] {
  let attempt = 0
  return history.map((event, i) => {
    if (event.event === 'claimed') attempt = event.attempt
    const before = history[i - 1]
    const isKnown = before !== undefined && before.event !== 'shortened' && event.event !== 'shortened'
    return {
      key: `${event.at} ${event.event} ${i}`,
      event: event.event,
      at: event.at,
      gap: isKnown ? Math.max(0, event.at - before.at) : null,
      error: event.event === 'failed' ? event.error : null,
      ...wordsOf(event, attempt >= maxAttempts, maxAttempts, nameOf)
    }
  })
}

function entryOfGap({ at, seconds, cause }: GapView): TimelineEntry {
  const length = fullDuration(Math.abs(seconds))
  const common = { key: `${at} ${cause}`, at, error: null, gap: null, isFinal: false } as const
  if (cause === 'clock') {
    const detail = `${seconds < 0 ? 'back' : 'forward'} by ${length}; its lease and its lifetime are as long as before.`
    return { ...common, event: 'clock_set', title: 'The clock was set', detail }
  }
  if (cause === 'restore') {
    return { ...common, event: 'restored', title: 'A backup was restored', detail: `from ${length} before; its lease and its lifetime are as long as then.` }
  }
  return { ...common, event: 'slept', title: 'The bus’s machine slept', detail: `for ${length}; its lease and its lifetime stood still.` }
}

type Words = Pick<TimelineEntry, 'title' | 'detail' | 'isFinal'>

/** `isLast`: the attempt under way is the last that the intent has. */
function wordsOf(event: HistoryEvent, isLast: boolean, maxAttempts: number, nameOf: KeyNames): Words {
  const plain = (title: string, detail: string | null = null): Words => ({ title, detail, isFinal: false })
  switch (event.event) {
    case 'published':
      return plain('Published', `by ${nameOf(event.key)}`)
    case 'claimed':
      return plain('Claimed', `by ${workerName(event.worker)} (${nameOf(event.key)}), attempt ${event.attempt} of ${maxAttempts}`)
    case 'extended':
      return plain(`Lease extended${event.times === 1 ? '' : ` ${formatNumber(event.times)} times`}`, `until ${clockTime(event.until)}`)
    case 'failed':
      if (event.requeued_until === undefined) return { title: 'Failed', detail: 'No attempts left.', isFinal: true }
      return plain('Failed', `Backs off for ${fullDuration(event.requeued_until - event.at)}, until ${clockTime(event.requeued_until)}.`)
    case 'lease_lost':
      return { title: 'Lease lost', detail: `The worker did not report in time.${isLast ? ' No attempts left.' : ''}`, isFinal: isLast }
    case 'returned':
      return plain('Returned', 'The worker was gone before it had the intent; the attempt does not count.')
    case 'moved':
      return plain('Moved here', 'It came from another bus, where a worker had claimed it; that lease does not count here.')
    case 'fulfilled':
      return plain('Fulfilled')
    case 'cancelled':
      return { title: 'Cancelled', detail: 'by an operator', isFinal: true }
    case 'retried':
      return plain('Retried', 'Attempts count from the start, with a fresh lifetime.')
    case 'expired':
      return plain('Expired', 'Its lifetime ended before a worker fulfilled it.')
    case 'shortened':
      return plain(`${formatNumber(event.dropped)} earlier events left out`, 'Only the later part of a long history is kept.')
  }
}

/** A worker that sends no `X-Worker-ID` has no name. */
export function workerName(worker: string | null | undefined): string {
  return worker ?? 'an unnamed worker'
}

/** The same at the start of a sentence. A name stays as it is. */
export function workerAtStart(worker: string | null): string {
  return worker ?? 'An unnamed worker'
}

/** `14:05:09` on the day of `now`, `Mar 30, 14:05` on others. */
export function momentText(at: number, now: number): string {
  const date = new Date(at * 1000)
  if (date.toDateString() === new Date(now * 1000).toDateString()) return clockTime(at)
  return `${DAY_FORMAT.format(date)}, ${clockTime(at, 'minutes')}`
}
