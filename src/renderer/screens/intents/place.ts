import { parseFilter } from '../../../shared/control/filter.ts'
import { hrefOf, type Route } from '../../lib/state/router.svelte.ts'

/** What the address says about this screen. */
export interface IntentsPlace {
  readonly filter: string
  /** The intent whose detail is shown. */
  readonly id: string | null
  /** Dead letters by their reasons instead of one by one. */
  readonly isGrouped: boolean
}

export function placeOf({ id, params }: Route): IntentsPlace {
  return { filter: params.get('filter') ?? '', id, isGrouped: params.get('by') === 'reason' }
}

export function hrefOfPlace({ filter, id, isGrouped }: IntentsPlace): string {
  const params = { filter, by: isGrouped ? 'reason' : '' }
  return hrefOf('intents', id === null ? { params } : { id, params })
}

/** Whether a filter asks for all dead letters and nothing else: these the bus groups by reason. */
export function isAllDead(filter: string): boolean {
  const { terms, problems } = parseFilter(filter)
  const [only, ...others] = terms
  if (only === undefined || others.length > 0 || problems.length > 0) return false
  return only.test.field === 'status' && !only.isNegated && only.test.statuses.join() === 'dead'
}
