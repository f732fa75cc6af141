import { escapeGlob, withTerm } from '../../../../shared/control/filter.ts'
import type { Check, Explanation, IntentView } from '../../../../shared/control/intent-views.ts'

/** What each rule is about, in a word or two. */
export const RULE_WORDS: Readonly<Record<Check['rule'], string>> = {
  bus: 'Bus',
  status: 'Status',
  run_at: 'Run time',
  lifetime: 'Lifetime',
  namespace: 'Namespace',
  goal: 'Goal',
  visibility: 'Visibility',
  target: 'Target worker',
  capability: 'Capability',
  order: 'Order',
  workers: 'Workers'
}

export const OUTCOME_WORDS: Readonly<Record<Check['outcome'], string>> = { holds: 'Holds', waits: 'Waits', fails: 'Fails' }

const URGENCY: Readonly<Record<Check['outcome'], number>> = { fails: 0, waits: 1, holds: 2 }

/** What keeps the intent from running first, then what only takes time, then what is fine. */
export function byUrgency(checks: readonly Check[]): Check[] {
  return checks.toSorted((a, b) => URGENCY[a.outcome] - URGENCY[b.outcome])
}

/** A place in the interface that helps. */
export interface RuleLink {
  readonly text: string
  readonly screen: 'intents' | 'workers' | 'keys' | 'publish'
  readonly params: Readonly<Record<string, string>>
}

/** Where to go about a rule. What keeps the whole bus from running stands above every screen already. */
export function linksOf({ rule, outcome }: Check, { ahead }: Explanation, intent: IntentView): readonly RuleLink[] {
  const again: RuleLink = { text: 'Publish it again', screen: 'publish', params: { from: intent.id } }
  if (rule === 'order') return ahead === 0 ? [] : [{ text: 'Show the queue', screen: 'intents', params: { filter: queueFilter(intent) } }]
  if (outcome !== 'fails') return []
  switch (rule) {
    case 'visibility':
      return [{ text: 'Keys', screen: 'keys', params: {} }, again]
    case 'target':
    case 'capability':
    case 'lifetime':
      return [again]
    case 'workers':
      return [{ text: 'Workers', screen: 'workers', params: {} }]
    case 'bus':
    case 'status':
    case 'run_at':
    case 'namespace':
    case 'goal':
      return []
  }
}

/** Whether a worker that claims as `claimCommand` does would help. */
export function wantsWorker(checks: readonly Check[]): boolean {
  return checks.some(({ rule, outcome }) => rule === 'workers' && outcome === 'fails')
}

/** Seconds after which an explanation is stale without an event: workers come and go silently, and seconds are counted in words. */
export function shelfLife(checks: readonly Check[], now: number): number {
  const countsSeconds = checks.some(({ at }) => at !== null && at - now < 120)
  return countsSeconds ? 1 : 5
}

/** Open intents that the same workers ask for, with the same priority or more. */
function queueFilter({ namespace, goal, priority }: IntentView): string {
  const terms = [
    ['ns', escapeGlob(namespace)],
    ['goal', escapeGlob(goal)],
    ['priority', `>=${priority}`]
  ] as const
  return terms.reduce((filter, [field, value]) => withTerm(filter, field, value), 'status:open')
}
