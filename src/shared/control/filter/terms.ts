import type { Visibility } from '../../requests.ts'
import type { StatusName } from '../intent-views.ts'

/** How numbers are compared. */
export type Comparison = '=' | '<' | '<=' | '>' | '>='

/** Fields that are matched by a pattern (glob.ts), case and all. */
export const PATTERN_FIELDS = ['goal', 'ns', 'worker', 'key', 'target', 'capability'] as const
export type PatternField = (typeof PATTERN_FIELDS)[number]

export const JSON_FIELDS = ['payload', 'result'] as const
export type JsonField = (typeof JSON_FIELDS)[number]

/** Everything that can stand before a colon. */
export const FIELDS = [
  'status',
  'goal',
  'ns',
  'worker',
  'key',
  'error',
  'priority',
  'attempts',
  'age',
  'capability',
  'target',
  'visibility',
  'id',
  'has',
  'payload',
  'result'
] as const
export type Field = (typeof FIELDS)[number]

/** What one term asks of an intent. */
export type Test =
  | { readonly field: 'status'; readonly statuses: readonly StatusName[] }
  | { readonly field: PatternField; readonly pattern: string }
  | { readonly field: 'visibility'; readonly visibility: Visibility }
  /** The first hex digits of an id. */
  | { readonly field: 'id'; readonly prefix: string }
  | { readonly field: 'priority' | 'attempts'; readonly comparison: Comparison; readonly value: number }
  /** Since it was published. */
  | { readonly field: 'age'; readonly comparison: Exclude<Comparison, '='>; readonly seconds: number }
  /** With a `*` the whole error matches the pattern, else it contains the text; case does not count. */
  | { readonly field: 'error'; readonly pattern: string }
  | JsonTest
  | { readonly field: 'has'; readonly what: 'error' | 'result' }
  /** A word or phrase anywhere in goal, payload, result, error or id; case does not count. */
  | { readonly field: 'text'; readonly text: string }

/** The value at a path of keys. */
export interface JsonTest {
  readonly field: JsonField
  readonly path: readonly string[]
  readonly pattern: string
  /** Only a JSON string will do: the value stood in quotes. */
  readonly isText: boolean
}

export interface FilterTerm {
  /** Where it stands in the text. */
  readonly at: number
  readonly length: number
  readonly isNegated: boolean
  readonly test: Test
}

/** Something in a filter that means nothing, in words for whoever wrote it. */
export interface FilterProblem {
  readonly at: number
  readonly length: number
  readonly message: string
}

/** An intent matches when it passes every term. */
export interface Filter {
  readonly terms: readonly FilterTerm[]
  readonly problems: readonly FilterProblem[]
}
