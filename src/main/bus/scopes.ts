import { literalOf, matchesGlob } from '../../shared/control/filter/glob.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { checkClaimSize, type ClaimRequest, type PublishRequest } from '../../shared/requests.ts'
import type { KeyLimits, Role } from '../../shared/scope.ts'

/**
 * What a key may do, asked before anything is done with it. A key without a scope may do all that SPEC gives a key. All
 * refusals are 403 `forbidden` and say what the key may not do.
 */

/** A key, as far as it matters here. */
interface Limited {
  readonly limits: KeyLimits
}

/** POST /intent. */
export function checkPublish({ limits }: Limited, { namespace, goal }: PublishRequest): void {
  const { scope } = limits
  if (scope === null) return
  checkRole(limits, 'publish', 'publish intents')
  if (!isAmong(scope.namespaces, namespace)) throw forbidden(`publish to the namespace ${namespace}`)
  if (!isMatched(scope.goals, goal)) throw forbidden(`publish the goal ${goal}`)
}

/**
 * POST /claim: the request as the key may make it. One without goals asks for those that the key is limited to, where
 * these are plain names. Throws 400 `invalid_goal` when they are too many for the capabilities of this worker.
 */
export function limitClaim({ limits }: Limited, request: ClaimRequest): ClaimRequest {
  const { scope } = limits
  if (scope === null) return request
  checkRole(limits, 'claim', 'claim intents')
  if (!isAmong(scope.namespaces, request.namespace)) throw forbidden(`claim from the namespace ${request.namespace}`)
  const other = request.goals.find((goal) => !isMatched(scope.goals, goal))
  if (other !== undefined) throw forbidden(`claim the goal ${other}`)
  if (scope.goals === null || request.goals.length > 0) return request
  const goals = scope.goals.flatMap((pattern) => literalOf(pattern) ?? [])
  if (goals.length < scope.goals.length) throw forbidden('claim any goal: its claims must name theirs')
  checkClaimSize(goals, request.capabilities)
  return { ...request, goals }
}

/** What the holder of a lease does with it: extend, fulfil, fail. */
export function checkSettle({ limits }: Limited): void {
  checkRole(limits, 'claim', 'settle or extend claims')
}

/** Results, statuses and events; of which intents is SPEC's business (7.7). */
export function checkRead({ limits }: Limited): void {
  checkRole(limits, 'read', 'read results, statuses and events')
}

/** The key-value store, which goes with any role of a client. */
export function checkStore({ limits: { scope } }: Limited): void {
  if (scope === null || scope.roles === null || scope.roles.some((role) => role !== 'operate')) return
  throw forbidden('use the key-value store')
}

/** The control contract, which SPEC gives to no key: only a key that says so may. */
export function mayOperate({ limits: { scope } }: Limited): boolean {
  return scope?.roles?.includes('operate') ?? false
}

/** Whether claims of a key with these limits may get such an intent at all; `goal`: null for a claim of any goal. */
export function permitsClaim({ scope }: KeyLimits, namespace: string, goal: string | null): boolean {
  if (scope === null) return true
  if (scope.roles !== null && !scope.roles.includes('claim')) return false
  return isAmong(scope.namespaces, namespace) && (goal === null ? scope.goals === null : isMatched(scope.goals, goal))
}

/** `now`: Unix seconds. */
export function isExpired({ expiresAt }: KeyLimits, now: number): boolean {
  return expiresAt !== null && now >= expiresAt
}

function checkRole({ scope }: KeyLimits, role: Role, what: string): void {
  if (scope === null || scope.roles === null || scope.roles.includes(role)) return
  throw forbidden(what)
}

function isAmong(names: readonly string[] | null, name: string): boolean {
  return names === null || names.includes(name)
}

function isMatched(patterns: readonly string[] | null, goal: string): boolean {
  return patterns === null || patterns.some((pattern) => matchesGlob(pattern, goal))
}

function forbidden(what: string): ProtocolError {
  return new ProtocolError('forbidden', `This API key may not ${what}.`)
}
