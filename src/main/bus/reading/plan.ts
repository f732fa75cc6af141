import { parseFilter } from '../../../shared/control/filter/parse.ts'
import type { FilterTerm, Test } from '../../../shared/control/filter/terms.ts'
import { STATUS_NAMES, type StatusName } from '../../../shared/control/intent-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'
import { conditionOf, type Condition } from './condition.ts'

/** A filter, ready to be searched for. */
export interface Plan {
  readonly condition: Condition
  /** Statuses that a match may have. */
  readonly statuses: readonly StatusName[]
  /** True when the columns of `tallies` say all of the filter: then matches need not be looked at to be counted. */
  readonly isTallied: boolean
  /** What can be said of matches by the columns of `tallies` that never change in the life of an intent. */
  readonly immutable: Condition
  /** No match has a smaller `n`, or a greater one. */
  readonly least: number
  readonly greatest: number
}

const TALLIED = new Set<Test['field']>(['status', 'ns', 'goal', 'key'])
const ID_DIGITS_OF_N = 14

/** Reads a filter's text. Throws `invalid_request` with the first of its problems; `now` is Unix time in seconds. */
export function planOf(filter: string, now: number): Plan {
  const { terms, problems } = parseFilter(filter)
  const [problem] = problems
  if (problem !== undefined) throw new ProtocolError('invalid_request', problem.message)
  const tallied = terms.filter(({ test }) => TALLIED.has(test.field))
  return {
    condition: conditionOf(terms, now),
    statuses: STATUS_NAMES.filter((name) => terms.every((term) => allows(term, name))),
    isTallied: tallied.length === terms.length,
    immutable: conditionOf(tallied.filter(({ test }) => test.field !== 'status'), now),
    ...rangeOf(terms, now)
  }
}

function allows({ isNegated, test }: FilterTerm, name: StatusName): boolean {
  return test.field !== 'status' || test.statuses.includes(name) !== isNegated
}

/** Where in the order of ids matches must lie. */
function rangeOf(terms: readonly FilterTerm[], now: number): { least: number; greatest: number } {
  let least = 0
  let greatest = Number.MAX_SAFE_INTEGER
  for (const { isNegated, test } of terms) {
    if (isNegated) continue
    if (test.field === 'id') {
      const digits = test.prefix.slice(0, ID_DIGITS_OF_N)
      least = Math.max(least, parseInt(digits.padEnd(ID_DIGITS_OF_N, '0'), 16))
      greatest = Math.min(greatest, parseInt(digits.padEnd(ID_DIGITS_OF_N, 'f'), 16))
    }
    // Ids run ahead of a clock that was set back, never behind it: only the lower bound is one.
    if (test.field === 'age' && test.comparison.startsWith('<')) least = Math.max(least, leastNumberAt(now - test.seconds))
  }
  return { least, greatest }
}

/** No intent published at or after this Unix time has a smaller `n` (ids.ts). */
function leastNumberAt(unixSeconds: number): number {
  return Math.floor(unixSeconds * 1000) * 2_048
}
