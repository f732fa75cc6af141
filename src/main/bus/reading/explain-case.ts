import type { Check } from '../../../shared/control/intent-views.ts'
import type { IntentRow } from '../intents/intent.ts'
import type { Wanted, Workforce } from './workforce.ts'

/** What only the bus itself knows. */
export interface ExplainContext {
  /** Unix seconds. */
  readonly now: number
  readonly isPaused: boolean
  readonly isMaintenance: boolean
  /** Why workers cannot reach the bus; null when they can. */
  readonly listenerProblem: string | null
}

/** An intent with everything its rules are held against. */
export interface Case {
  readonly row: IntentRow
  readonly wanted: Wanted
  readonly context: ExplainContext
  readonly now: number
  readonly workforce: Workforce
  /** Owners of generated keys by id. */
  readonly keyOwners: ReadonlyMap<string, string>
}

export function holds(rule: Check['rule'], text: string): Check {
  return { rule, outcome: 'holds', text, next: null, at: null }
}

/** `next`: what to do about it. */
export function fails(rule: Check['rule'], text: string, next: string | null = null): Check {
  return { rule, outcome: 'fails', text, next, at: null }
}

/** `at`: when it will hold (Unix seconds). */
export function waits(rule: Check['rule'], text: string, at: number): Check {
  return { rule, outcome: 'waits', text, next: null, at }
}
