import type { KeyLimits, Role } from '../../../shared/scope.ts'
import { exactTime } from '../terminal/time.ts'

const VERBS: Readonly<Record<Role, string>> = { publish: 'publish', claim: 'claim', read: 'read results', operate: 'operate' }

/** What a key may do, as the rest of a sentence. */
export function limitsText({ scope, expiresAt, rateLimit }: KeyLimits): string {
  const roles = scope?.roles == null ? 'do what any key may' : scope.roles.map((role) => VERBS[role]).join(', ')
  return [
    `may ${roles}`,
    ...(scope?.goals == null ? [] : [`goals ${scope.goals.join(', ')}`]),
    ...(scope?.namespaces == null ? [] : [`in ${scope.namespaces.join(', ')}`]),
    ...(expiresAt === null ? [] : [`until ${exactTime(expiresAt)}`]),
    ...(rateLimit === null ? [] : [`up to ${rateLimit} requests a minute`])
  ].join(', ')
}
