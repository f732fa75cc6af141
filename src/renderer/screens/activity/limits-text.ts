import { NO_LIMITS, ROLES, type KeyLimits, type Role, type Scope } from '../../../shared/scope.ts'

/** The parts of limits as the trail notes them, in their order, and what each sets. */
const PARTS: readonly (readonly [pattern: RegExp, set: (limits: Draft, text: string) => void])[] = [
  [new RegExp(`^((?:${ROLES.join('|')})(?:, (?:${ROLES.join('|')}))*)$`), (limits, text) => (limits.roles = text.split(', ') as Role[])],
  [/^namespaces (.+)$/, (limits, text) => (limits.namespaces = text.split(', '))],
  [/^goals (.+)$/, (limits, text) => (limits.goals = text.split(', '))],
  [/^until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/, (limits, text) => (limits.expiresAt = Date.parse(text) / 1_000)],
  [/^(\d+) requests a minute$/, (limits, text) => (limits.rateLimit = Number(text))]
]

type Draft = { -readonly [K in keyof Scope]: Scope[K] } & { expiresAt: number | null; rateLimit: number | null }

/** Limits that the trail noted as `claim, read; goals resize.*`; null for another text, as one that was cut short. */
export function readLimits(text: string): KeyLimits | null {
  if (text === 'no limits') return NO_LIMITS
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
