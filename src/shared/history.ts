/** What happened to an intent after it was published, oldest first. Times are Unix seconds, keys public ids. */
export type HistoryEvent =
  | { readonly at: number; readonly event: 'published'; readonly key: string }
  | {
      readonly at: number
      readonly event: 'claimed'
      readonly attempt: number
      readonly key: string
      readonly worker?: string
    }
  | { readonly at: number; readonly event: 'extended'; readonly until: number; readonly times: number }
  | { readonly at: number; readonly event: 'failed'; readonly error: string; readonly requeued_until?: number }
  | { readonly at: number; readonly event: 'lease_lost' }
  /** The worker was gone before it had the answer to its claim, which was taken back. */
  | { readonly at: number; readonly event: 'returned' }
  /** It came here from another bus, where somebody held its lease, which means nothing here. */
  | { readonly at: number; readonly event: 'moved' }
  | { readonly at: number; readonly event: 'fulfilled' }
  | { readonly at: number; readonly event: 'cancelled' }
  | { readonly at: number; readonly event: 'retried' }
  | { readonly at: number; readonly event: 'expired' }
  /** Stands for events that were dropped to keep a history bounded. */
  | { readonly at: number; readonly event: 'shortened'; readonly dropped: number }

export type StoredEvent = Exclude<HistoryEvent, { event: 'published' }>

/** Characters: some 20 attempts with everything around them. Beyond, the oldest half goes. */
const MAX_HISTORY_LENGTH = 12_000

/** How an event is written down: its short name, then its fields in this order. Names and order are forever. */
const FORMS = {
  claimed: ['c', 'attempt', 'key', 'worker'],
  extended: ['e', 'until', 'times'],
  failed: ['f', 'error', 'requeued_until'],
  lease_lost: ['l'],
  returned: ['u'],
  moved: ['m'],
  fulfilled: ['s'],
  cancelled: ['x'],
  retried: ['r'],
  expired: ['o'],
  shortened: ['-', 'dropped']
} as const satisfies Record<StoredEvent['event'], readonly [short: string, ...fields: string[]]>

const NAMES = new Map<string, StoredEvent['event']>(Object.entries(FORMS).map(([name, [short]]) => [short, name as StoredEvent['event']]))

/**
 * A history is stored as one short JSON array per line, so that one more event is one concatenation. Every byte of a
 * row is written again with each change of the intent, so the names of the fields are left out.
 */
export function historyLine(event: StoredEvent): string {
  const [short, ...fields] = FORMS[event.event]
  const line: unknown[] = [event.at, short]
  for (const field of fields) {
    // Only a last field is optional.
    const value = (event as unknown as Record<string, unknown>)[field]
    if (value !== undefined) line.push(value)
  }
  return `${JSON.stringify(line)}\n`
}

function parseLine(line: string): StoredEvent {
  const [at, short, ...values] = JSON.parse(line) as [number, string, ...unknown[]]
  const name = NAMES.get(short)!
  const fields = FORMS[name].slice(1)
  const members = fields.flatMap((field, i) => (i < values.length ? [[field, values[i]] as const] : []))
  return { at, event: name, ...Object.fromEntries(members) } as unknown as StoredEvent
}

export function parseHistory(history: string): StoredEvent[] {
  return history
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine)
}

/** Adds an event; extensions of one lease become one line, and a history that grows too long loses its oldest half. */
export function appendHistory(history: string, event: StoredEvent): string {
  if (event.event === 'extended') {
    const start = history.lastIndexOf('\n', history.length - 2) + 1
    const last = history === '' ? undefined : parseLine(history.slice(start))
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
