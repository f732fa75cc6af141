import { NO_LIMITS, ROLES, type KeyLimits, type Role, type Scope } from '../scope.ts'

/** The limits of a key in words, for the audit trail, the interface and the command line; and read back out of the trail. */

/** How parts of limits are shown where somebody reads them; what is left out stands as the audit trail keeps it. */
export interface LimitsStyle {
  /** A moment, from Unix seconds. */
  readonly time?: (at: number) => string
  /** Namespaces, or goals. */
  readonly names?: (names: readonly string[]) => string
}

const NONE = 'no limits'
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

type Draft = { -readonly [K in keyof Scope]: Scope[K] } & { expiresAt: number | null; rateLimit: number | null }

/** The parts of limits as the trail notes them, in their order, and what each sets. */
const PARTS: readonly (readonly [pattern: RegExp, set: (limits: Draft, text: string) => void])[] = [
  [new RegExp(`^((?:${ROLES.join('|')})(?:, (?:${ROLES.join('|')}))*)$`), (limits, text) => (limits.roles = text.split(', ') as Role[])],
  [/^namespaces (.+)$/, (limits, text) => (limits.namespaces = text.split(', '))],
  [/^goals (.+)$/, (limits, text) => (limits.goals = text.split(', '))],
  [/^until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/, (limits, text) => (limits.expiresAt = Date.parse(text) / 1_000)],
  [/^([\d,]+) requests? a minute$/, (limits, text) => (limits.rateLimit = Number(text.replaceAll(',', '')))]
]

/** Whether anything is limited. */
export function isLimited(limits: KeyLimits): boolean {
  return limitsText(limits) !== NONE
}

/** `claim, read; goals resize.*; until 2031-01-03T12:00:00.000Z; 500 requests a minute`, or `no limits`. */
export function limitsText({ scope, expiresAt, rateLimit }: KeyLimits, { time = utcTime, names = joined }: LimitsStyle = {}): string {
  const parts = [
    scope?.roles && joined(scope.roles),
    scope?.namespaces && `namespaces ${names(scope.namespaces)}`,
    scope?.goals && `goals ${names(scope.goals)}`,
    expiresAt !== null && `until ${time(expiresAt)}`,
    rateLimit !== null && rateText(rateLimit)
  ].filter(Boolean)
  return parts.length === 0 ? NONE : parts.join('; ')
}

/** `1 request a minute`, `1,200 requests a minute`. */
export function rateText(rate: number): string {
  return `${WHOLE.format(rate)} ${rate === 1 ? 'request' : 'requests'} a minute`
}

/** Limits as the trail noted them: what `limitsText` made without a style. null for another text, as one that was cut short. */
export function readLimitsText(text: string): KeyLimits | null {
  if (text === NONE) return NO_LIMITS
  const limits: Draft = { roles: null, namespaces: null, goals: null, expiresAt: null, rateLimit: null }
  let at = 0
  for (const part of text.split('; ')) {
    const found = PARTS.findIndex(([pattern], i) => i >= at && pattern.test(part))
    const [pattern, set] = PARTS[found] ?? []
    if (pattern === undefined || set === undefined) return null
    set(limits, pattern.exec(part)![1]!)
    at = found + 1
  }
  const { roles, namespaces, goals, expiresAt, rateLimit } = limits
  const isScoped = roles !== null || namespaces !== null || goals !== null
  return { scope: isScoped ? { roles, namespaces, goals } : null, expiresAt, rateLimit }
}

function joined(names: readonly string[]): string {
  return names.join(', ')
}

function utcTime(at: number): string {
  return new Date(at * 1_000).toISOString()
}
