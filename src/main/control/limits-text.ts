import type { KeyLimits } from '../../shared/scope.ts'

/** The limits of a key in a few words, for the audit trail. */
export function limitsText({ scope, expiresAt, rateLimit }: KeyLimits): string {
  const parts = [
    scope?.roles && scope.roles.join(', '),
    scope?.namespaces && `namespaces ${scope.namespaces.join(', ')}`,
    scope?.goals && `goals ${scope.goals.join(', ')}`,
    expiresAt !== null && `until ${new Date(expiresAt * 1_000).toISOString()}`,
    rateLimit !== null && `${rateLimit} requests a minute`
  ].filter(Boolean)
  return parts.length === 0 ? 'no limits' : parts.join('; ')
}
