import type { Input } from '../../../shared/control/contract.ts'
import type { PairingRequestView } from '../../../shared/control/network-views.ts'
import { GIVEN_RIGHTS, type GivenRight } from '../../../shared/control/rights.ts'
import { NO_LIMITS, ROLES, type Role } from '../../../shared/scope.ts'
import { draftOf, limitsOf, type LimitsDraft } from '../../lib/limits/draft.ts'
import type { Choice } from '../../lib/ui/choice.ts'

/** What a paired browser may be given, in plain words. To watch belongs to all of it. */
export const RIGHT_WORDS: Readonly<Record<GivenRight, { readonly label: string; readonly hint: string }>> = {
  watch: { label: 'Watch', hint: 'intents with their payloads and results, workers, counts' },
  publish: { label: 'Publish', hint: 'intents, and run and change templates' },
  act: { label: 'Cancel and retry', hint: 'any intent, one or many; keep views; forget workers' }
}

/** What a browser is given unless somebody ticks more: nothing that undoes what others did. */
export const USUAL_RIGHTS: Readonly<Record<GivenRight, boolean>> = { watch: true, publish: true, act: false }

/** What a machine is for. `chosen`: its roles one by one. */
export type Purpose = 'worker' | 'publisher' | 'both' | 'chosen'

export const PURPOSES: readonly Choice<Purpose>[] = [
  { value: 'worker', label: 'Worker', hint: 'claims and reads' },
  { value: 'publisher', label: 'Publisher', hint: 'publishes and reads' },
  { value: 'both', label: 'Both', hint: 'claims, publishes and reads' },
  { value: 'chosen', label: 'Choose…', hint: 'one by one' }
]

const ROLES_OF: Readonly<Record<Exclude<Purpose, 'chosen'>, readonly Role[]>> = {
  worker: ['claim', 'read'],
  publisher: ['publish', 'read'],
  both: ['publish', 'claim', 'read']
}

/** The roles of a purpose; to choose them begins with those `before`. */
export function rolesFor(purpose: Purpose, before: LimitsDraft['roles']): LimitsDraft['roles'] {
  if (purpose === 'chosen') return before
  return Object.fromEntries(ROLES.map((role) => [role, ROLES_OF[purpose].includes(role)])) as Record<Role, boolean>
}

/** The limits that a machine is given unless somebody chooses others: those of a worker. */
export function usualLimits(): LimitsDraft {
  return draftOf({ ...NO_LIMITS, scope: { roles: ROLES_OF.worker, namespaces: null, goals: null } })
}

/** What a user decided for a device that asks. */
export interface Decision {
  readonly name: string
  readonly limits: LimitsDraft
  readonly rights: Readonly<Record<GivenRight, boolean>>
}

/** The decision that lets a device in. `now`: Unix seconds. */
export function allowance({ id, kind }: PairingRequestView, { name, limits, rights }: Decision, now: number): Input<'pairing.decide'> {
  const given = GIVEN_RIGHTS.filter((right) => right === 'watch' || rights[right])
  if (kind === 'browser') return { id, allow: true, name, rights: given }
  return { id, allow: true, name, limits: limitsOf(limits, now) }
}
