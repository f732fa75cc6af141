import { ProtocolError } from '../../shared/errors.ts'
import { NO_LIMITS, type KeyLimits, type Scope } from '../../shared/scope.ts'

/** The limits of a key as its row holds them. */
export interface StoredLimits {
  /** JSON. */
  readonly scope: string | null
  readonly expires_at: number | null
  readonly rate_limit: number | null
}

/**
 * The limits that a key is to have, as they are kept: a scope that limits nothing is none. Throws 400 `invalid_scope`
 * for one that promises what no key can keep.
 */
export function checkLimits({ scope, expiresAt, rateLimit }: KeyLimits): KeyLimits {
  if (scope?.roles?.includes('operate') && (scope.namespaces !== null || scope.goals !== null)) {
    throw new ProtocolError(
      'invalid_scope',
      'A key that may operate sees and manages the intents of all namespaces and goals: it cannot be limited to some of them.'
    )
  }
  return { scope: scope === null ? null : withoutRepeats(scope), expiresAt, rateLimit }
}

export function readLimits({ scope, expires_at, rate_limit }: StoredLimits): KeyLimits {
  if (scope === null && expires_at === null && rate_limit === null) return NO_LIMITS
  return { scope: scope === null ? null : (JSON.parse(scope) as Scope), expiresAt: expires_at, rateLimit: rate_limit }
}

export function storedLimits({ scope, expiresAt, rateLimit }: KeyLimits): StoredLimits {
  return { scope: scope === null ? null : JSON.stringify(scope), expires_at: expiresAt, rate_limit: rateLimit }
}

function withoutRepeats({ roles, namespaces, goals }: Scope): Scope | null {
  if (roles === null && namespaces === null && goals === null) return null
  return { roles: unique(roles), namespaces: unique(namespaces), goals: unique(goals) }
}

function unique<T>(values: readonly T[] | null): readonly T[] | null {
  return values && [...new Set(values)]
}
