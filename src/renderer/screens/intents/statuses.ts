import type { Filter } from '../../../shared/control/filter.ts'
import type { StatusName } from '../../../shared/control/intent-views.ts'

/** The bus keeps counts by these: it need not look at intents to count them. */
const TALLIED: readonly string[] = ['status', 'goal', 'ns', 'key']

/** The statuses that a filter asks for; none where it says nothing of them. */
export function shownStatuses({ terms }: Filter): readonly StatusName[] {
  return terms.flatMap(({ test, isNegated }) => (test.field === 'status' && !isNegated ? test.statuses : []))
}

export function isQuicklyCounted({ terms, problems }: Filter): boolean {
  return problems.length === 0 && terms.every(({ test }) => TALLIED.includes(test.field))
}
