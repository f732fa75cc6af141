/** What happened to an intent after it was published, oldest first. Times are Unix seconds, keys public ids. */
export type HistoryEvent =
  | { readonly at: number; readonly event: 'published'; readonly key: string }
  | {
      readonly at: number
      readonly event: 'claimed'
      readonly attempt: number
      readonly key: string
      readonly worker?: string
      readonly address?: string
    }
  | { readonly at: number; readonly event: 'extended'; readonly until: number; readonly times: number }
  | { readonly at: number; readonly event: 'failed'; readonly error: string; readonly requeued_until?: number }
  | { readonly at: number; readonly event: 'lease_lost' }
  | { readonly at: number; readonly event: 'fulfilled' }
  | { readonly at: number; readonly event: 'died'; readonly reason: string }
  | { readonly at: number; readonly event: 'cancelled' }
  | { readonly at: number; readonly event: 'retried' }
  | { readonly at: number; readonly event: 'expired' }
  /** Stands for events that were dropped to keep a history bounded. */
  | { readonly at: number; readonly event: 'shortened'; readonly dropped: number }

export type StoredEvent = Exclude<HistoryEvent, { event: 'published' }>

/** Some 20 attempts with everything around them; beyond, the oldest half goes. */
const MAX_HISTORY_LENGTH = 12_000

/** A history is stored as one JSON text per line, so that one more event is one concatenation. */
export function historyLine(event: StoredEvent): string {
  return `${JSON.stringify(event)}\n`
}

export function parseHistory(history: string): StoredEvent[] {
  return history
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StoredEvent)
}

/** Adds an event; extensions of one lease become one line, and a history that grows too long loses its oldest half. */
export function appendHistory(history: string, event: StoredEvent): string {
  if (event.event === 'extended') {
    const start = history.lastIndexOf('\n', history.length - 2) + 1
    const last = history === '' ? undefined : (JSON.parse(history.slice(start)) as StoredEvent)
    if (last?.event === 'extended') {
      return history.slice(0, start) + historyLine({ ...event, times: last.times + 1 })
    }
  }
  return shorten(history) + historyLine(event)
}

function shorten(history: string): string {
  if (history.length <= MAX_HISTORY_LENGTH) return history
  const events = parseHistory(history)
  const kept = events.slice(Math.floor(events.length / 2))
  const first = events[0]!
  const before = first.event === 'shortened' ? first.dropped - 1 : 0
  const dropped = before + events.length - kept.length
  return [{ at: kept[0]!.at, event: 'shortened', dropped } as const, ...kept].map(historyLine).join('')
}
