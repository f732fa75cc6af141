import type { CheckedInput } from '../../../shared/control/contract.ts'
import { NAMESPACE_PATTERN } from '../../../shared/limits.ts'
import { KEY_RATE, MAX_GOAL_PATTERN, MAX_SCOPE_NAMES, NO_LIMITS, ROLES, type KeyLimits, type Role } from '../../../shared/scope.ts'
import type { Arguments } from '../arguments/arguments.ts'
import { readMoment } from '../arguments/moment.ts'
import type { Option } from '../command.ts'
import { UsageError } from '../exit.ts'

/** The limits of a key as options: the names are those of the interface and of the contract. */
export const LIMIT_OPTIONS: readonly Option[] = [
  { name: 'roles', choices: ROLES, isList: true, summary: 'what it may do, with commas in between; publish, claim and read each bring kv get and set; operate: what operators do with intents' },
  { name: 'namespaces', value: 'names', isList: true, summary: 'the only namespaces that it may publish to and claim from' },
  { name: 'goals', value: 'patterns', isList: true, summary: 'the only goals that it may publish and claim; * for any characters, ? for one' },
  { name: 'expires', value: 'when', summary: 'until when it counts: 90d, 12h, the day 2031-01-03 to its end, 2031-01-03T18:00, or never' },
  { name: 'rate', value: 'count', summary: 'requests a minute, in place of 60' }
]

/** Limits as the contract takes them. */
export type ChosenLimits = Omit<CheckedInput<'keys.limit'>, 'id'>

/** Whether an option says anything of limits. */
export function saysLimits(args: Arguments): boolean {
  return LIMIT_OPTIONS.some(({ name }) => args.has(name))
}

/**
 * The limits that the options say, and those of `before` where they say nothing. `now`: Unix seconds. Throws UsageError, also for a
 * list that is empty: that must not be a key that may do anything.
 */
export function readLimits(args: Arguments, now: number, before: KeyLimits = NO_LIMITS): ChosenLimits {
  const scope = {
    roles: (args.list('roles') as Role[] | undefined) ?? copyOf(before.scope?.roles),
    namespaces: args.list('namespaces') ?? copyOf(before.scope?.namespaces),
    goals: args.list('goals') ?? copyOf(before.scope?.goals)
  }
  checkNames('namespaces', scope.namespaces, (name) => NAMESPACE_PATTERN.test(name), 'a namespace: that is 1 to 64 of A-Za-z0-9._-')
  checkNames('goals', scope.goals, (goal) => goal.length <= MAX_GOAL_PATTERN, `a goal or a pattern of up to ${MAX_GOAL_PATTERN} characters`)
  if (scope.roles?.includes('operate') === true && (scope.namespaces !== null || scope.goals !== null)) {
    throw new UsageError('A key that may operate sees all intents: it takes no --namespaces and no --goals.', 'Lift those it has with --no-limits.')
  }
  const isScoped = scope.roles !== null || scope.namespaces !== null || scope.goals !== null
  return {
    scope: isScoped ? scope : null,
    expiresAt: readExpiry(args.text('expires'), now, before.expiresAt),
    rateLimit: args.wholeNumber('rate', KEY_RATE) ?? before.rateLimit
  }
}

function copyOf<T>(names: readonly T[] | null | undefined): T[] | null {
  return names == null ? null : [...names]
}

function readExpiry(text: string | undefined, now: number, before: number | null): number | null {
  if (text === undefined) return before
  return text === 'never' ? null : readMoment('expires', text, now)
}

function checkNames(option: string, names: readonly string[] | null, isFit: (name: string) => boolean, what: string): void {
  const wrong = names?.find((name) => !isFit(name))
  if (wrong !== undefined) throw new UsageError(`--${option}: "${wrong}" is not ${what}.`)
  if ((names?.length ?? 0) > MAX_SCOPE_NAMES) throw new UsageError(`--${option} takes ${MAX_SCOPE_NAMES} at most.`)
}
