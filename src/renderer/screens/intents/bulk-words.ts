import type { Input } from '../../../shared/control/contract.ts'
import type { StatusName } from '../../../shared/control/intent-views.ts'
import type { Question } from '../../lib/state/confirmation.svelte.ts'
import { counted } from '../../lib/text/numbers.ts'

export type BulkAction = Input<'intents.bulk'>['action']

/** How many intents an action would touch. */
export interface Touched {
  readonly total: number
  readonly counts: readonly { readonly status: StatusName; readonly count: number }[]
}

/** Statuses that each action is for. Who cancels many does not mean what is done already. */
export const ELIGIBLE: Readonly<Record<BulkAction, readonly StatusName[]>> = {
  cancel: ['open', 'claimed'],
  retry: ['dead', 'expired', 'fulfilled']
}

export const VERBS = {
  cancel: { imperative: 'Cancel', says: 'Cancels', past: 'Cancelled', progressive: 'Cancelling' },
  retry: { imperative: 'Retry', says: 'Retries', past: 'Retried', progressive: 'Retrying' }
} as const

/** What is said where nothing would be touched. */
export const NOTHING: Readonly<Record<BulkAction, string>> = {
  cancel: 'Nothing to cancel: only open and claimed intents can be.',
  retry: 'Nothing to retry: these intents are open or claimed.'
}

const CONSEQUENCES: Readonly<Record<BulkAction, string>> = {
  cancel: 'They become dead letters; what is claimed is taken from its worker.',
  retry: 'They open again with all their attempts, and workers carry them out once more.'
}

/** Whether nobody needs to be asked: one intent that has no result to lose is tried again. */
export function isHarmless(action: BulkAction, { total, counts }: Touched): boolean {
  return action === 'retry' && total === 1 && counts.every(({ status, count }) => status !== 'fulfilled' || count === 0)
}

/** Asks whether it shall be done, and says to how many of which. */
export function questionOf(action: BulkAction, { total, counts }: Touched): Question {
  const present = counts.filter(({ count }) => count > 0)
  const intents = counted(total, 'intent')
  const losesResults = present.some(({ status }) => status === 'fulfilled')
  const what =
    present.length === 1
      ? counted(total, `${present[0]!.status} intent`)
      : `${intents}: ${present.map(({ count, status }) => counted(count, status, status)).join(', ')}`
  const { imperative, says, again } = verbOf(action, present)
  return {
    title: `${imperative} ${intents}${again}?`,
    text: `${says} ${what}${again}. ${CONSEQUENCES[action]}${losesResults ? ' Their results are cleared.' : ''}`,
    action: `${imperative} ${intents}${again}`,
    isDangerous: action === 'cancel'
  }
}

/** What expired has left the queue: to retry it is to publish it again. */
function verbOf(action: BulkAction, present: Touched['counts']): { readonly imperative: string; readonly says: string; readonly again: string } {
  const isPublished = action === 'retry' && present.every(({ status }) => status === 'expired')
  return isPublished ? { imperative: 'Publish', says: 'Publishes', again: ' again' } : { ...VERBS[action], again: '' }
}

/** What was done, of how many. */
export function reportOf(action: BulkAction, { matched, changed }: { readonly matched: number; readonly changed: number }): string {
  const rest = matched - changed
  const others = rest === 0 ? '' : `; ${counted(rest, 'other')} had changed in the meantime`
  return `${VERBS[action].past} ${counted(changed, 'intent')}${others}.`
}
