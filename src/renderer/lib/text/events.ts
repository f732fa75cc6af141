import type { IntentChange, StatusName } from '../../../shared/control/intent-views.ts'

/** A status as a word for people. */
export const STATUS_WORDS: Readonly<Record<StatusName, string>> = {
  open: 'Open',
  claimed: 'Claimed',
  fulfilled: 'Fulfilled',
  dead: 'Dead',
  expired: 'Expired'
}

/** What happened, as a verb; the intent's goal stands beside it. */
const EVENT_WORDS: Readonly<Record<IntentChange['event'], string>> = {
  published: 'Published',
  claimed: 'Claimed',
  extended: 'Extended',
  failed: 'Failed',
  lease_lost: 'Lease lost',
  returned: 'Returned',
  moved: 'Moved',
  fulfilled: 'Fulfilled',
  cancelled: 'Cancelled',
  retried: 'Retried',
  expired: 'Expired',
  shortened: 'History shortened',
  deleted: 'Deleted'
}

export function eventWord(event: IntentChange['event'], status: StatusName): string {
  if (event === 'failed' && status === 'dead') return 'Died'
  return EVENT_WORDS[event]
}
