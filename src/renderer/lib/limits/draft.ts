import type { CheckedInput } from '../../../shared/control/contract.ts'
import { NAMESPACE_PATTERN } from '../../../shared/limits.ts'
import { KEY_RATE, MAX_GOAL_PATTERN, MAX_SCOPE_NAMES, NO_LIMITS, ROLES, type KeyLimits, type Role } from '../../../shared/scope.ts'
import { dateWords } from '../text/dates.ts'

/** Limits of a key as a form has them. */
export interface LimitsDraft {
  readonly roles: Readonly<Record<Role, boolean>>
  /** Names with spaces or commas between them; empty for all. */
  readonly namespaces: string
  /** Patterns, one a line, for goals may hold spaces; empty for all. */
  readonly goals: string
  /** Days, or one of the words. */
  readonly expiry: Expiry
  /** `2031-01-03`, where the expiry is a date: its last day. */
  readonly date: string
  /** null for the protocol's. */
  readonly rate: number | null
  /** What `kept` stands for. */
  readonly keptExpiry: number | null
}

export const EXPIRY_DAYS = ['1', '7', '30', '90', '365'] as const
export type Expiry = 'never' | 'kept' | 'date' | (typeof EXPIRY_DAYS)[number]
export type LimitsField = 'roles' | 'namespaces' | 'goals' | 'date' | 'rate'

/** Limits as the contract takes them. */
export type ChosenLimits = Omit<CheckedInput<'keys.limit'>, 'id'>

/** What SPEC gives to a key. */
const USUAL_ROLES = ROLES.filter((role) => role !== 'operate')
const DAY = 86_400

/** The form for limits that there are. */
export function draftOf({ scope, expiresAt, rateLimit }: KeyLimits = NO_LIMITS): LimitsDraft {
  const roles = scope?.roles ?? USUAL_ROLES
  return {
    roles: Object.fromEntries(ROLES.map((role) => [role, roles.includes(role)])) as Record<Role, boolean>,
    namespaces: scope?.namespaces?.join(' ') ?? '',
    goals: scope?.goals?.join('\n') ?? '',
    expiry: expiresAt === null ? 'never' : 'kept',
    date: '',
    rate: rateLimit,
    keptExpiry: expiresAt
  }
}

/** What can be chosen for the expiry. `now`: Unix seconds. */
export function expiryOptions({ keptExpiry }: LimitsDraft, now: number): { readonly value: Expiry; readonly label: string }[] {
  return [
    ...(keptExpiry === null ? [] : [{ value: 'kept' as const, label: `As it is: ${dateWords(keptExpiry, now)}` }]),
    { value: 'never', label: 'Never' },
    ...EXPIRY_DAYS.map((days) => ({ value: days, label: days === '1' ? 'In a day' : days === '365' ? 'In a year' : `In ${days} days` })),
    { value: 'date', label: 'On a date' }
  ]
}

/** What keeps the form from being limits. */
export function limitProblems(draft: LimitsDraft, now: number): Partial<Record<LimitsField, string>> {
  const namespaces = namesIn(draft.namespaces)
  const goals = linesIn(draft.goals)
  const problems: Partial<Record<LimitsField, string>> = {}
  const tooMany = `At most ${MAX_SCOPE_NAMES} of them.`
  if (!ROLES.some((role) => draft.roles[role])) problems.roles = 'A key that may do nothing is of no use: revoke it instead.'
  else if (draft.roles.operate && namespaces.length + goals.length > 0) {
    problems.roles = 'A key that operates sees the whole bus: it cannot be limited to namespaces or goals.'
  }
  const wrong = namespaces.find((name) => !NAMESPACE_PATTERN.test(name))
  if (wrong !== undefined) problems.namespaces = `${wrong} is no namespace: those are up to 64 letters, digits, dots, dashes and underscores.`
  else if (namespaces.length > MAX_SCOPE_NAMES) problems.namespaces = tooMany
  if (goals.some((goal) => goal.length > MAX_GOAL_PATTERN)) problems.goals = `At most ${MAX_GOAL_PATTERN} characters each.`
  else if (goals.length > MAX_SCOPE_NAMES) problems.goals = tooMany
  if (draft.expiry === 'date' && !(endOfDay(draft.date) > now)) problems.date = 'A day that is not over yet.'
  if (draft.rate !== null && !isRate(draft.rate)) problems.rate = `A whole number from ${KEY_RATE.min} to ${KEY_RATE.max}.`
  return problems
}

/** The limits that the form stands for. It must have no problems. */
export function limitsOf(draft: LimitsDraft, now: number): ChosenLimits {
  const chosen = ROLES.filter((role) => draft.roles[role])
  const isUsual = chosen.length === USUAL_ROLES.length && !draft.roles.operate
  const scope = { roles: isUsual ? null : chosen, namespaces: someOrNull(namesIn(draft.namespaces)), goals: someOrNull(linesIn(draft.goals)) }
  const isLimited = scope.roles !== null || scope.namespaces !== null || scope.goals !== null
  return { scope: isLimited ? scope : null, expiresAt: expiryOf(draft, now), rateLimit: draft.rate }
}

function expiryOf({ expiry, date, keptExpiry }: LimitsDraft, now: number): number | null {
  if (expiry === 'never') return null
  if (expiry === 'kept') return keptExpiry
  return expiry === 'date' ? endOfDay(date) : Math.floor(now) + Number(expiry) * DAY
}

/** Unix seconds of a day's last second in this device's time zone; NaN for no day. */
function endOfDay(date: string): number {
  return new Date(`${date}T23:59:59`).getTime() / 1000
}

function isRate(rate: number): boolean {
  return Number.isInteger(rate) && rate >= KEY_RATE.min && rate <= KEY_RATE.max
}

function someOrNull(names: string[]): string[] | null {
  return names.length === 0 ? null : names
}

function namesIn(text: string): string[] {
  return distinct(text.split(/[\s,]+/))
}

function linesIn(text: string): string[] {
  return distinct(text.split('\n').map((line) => line.trim()))
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names.filter((name) => name !== ''))]
}
