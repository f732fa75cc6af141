import type { WhoView } from '../../shared/control/network-views.ts'
import { GIVEN_RIGHTS, RIGHTS, type Right } from '../../shared/control/rights.ts'

/** What all operators have. */
interface Standing {
  readonly rights: readonly Right[]
  /** Where the call came from; empty for this machine's own app. */
  readonly address: string
}

/** Who calls, from where, and by what right. */
export type Operator = Standing &
  (
    | { readonly via: 'desktop' }
    /** Presented the admin's credentials with this very call. */
    | { readonly via: 'credentials' }
    /** A browser's session; `isPassword` says whether a password given with the call is right. */
    | {
        readonly via: 'browser'
        readonly sessionId: string
        /** What the user calls the device, where it was paired. */
        readonly name: string | null
        isPassword(password: string): Promise<boolean>
      }
    /** A key that may operate. */
    | { readonly via: 'key'; readonly keyId: string }
  )

/** The window or tray of the app itself: whoever sits at the machine. */
export const DESKTOP: Operator = { via: 'desktop', rights: RIGHTS, address: '' }

/** What a key may do that may operate. */
export const KEY_RIGHTS: readonly Right[] = GIVEN_RIGHTS

/** Whoever presents the admin's credentials. */
export function adminAt(address: string): Operator {
  return { via: 'credentials', rights: RIGHTS, address }
}

/** What the audit trail calls an operator. */
export function actorOf(operator: Operator): string {
  switch (operator.via) {
    case 'desktop':
      return 'desktop'
    case 'credentials':
      return 'password'
    case 'browser':
      return operator.name === null ? 'browser' : `browser ${operator.name}`
    case 'key':
      return `key ${operator.keyId}`
  }
}

/** Tells operators apart where each has a share: a session, a key, or whoever presents credentials from an address. */
export function shareOf(operator: Operator): string {
  switch (operator.via) {
    case 'desktop':
      return 'desktop'
    case 'credentials':
      return `credentials ${operator.address}`
    case 'browser':
      return `session ${operator.sessionId}`
    case 'key':
      return `key ${operator.keyId}`
  }
}

/** Whether an operator may do everything; whoever may not must not keep such a one out. */
export function isManager({ rights }: Operator): boolean {
  return rights.includes('manage')
}

/** What an operator is told of itself. */
export function whoIs({ via, rights }: Operator): WhoView {
  return { via, rights }
}

/** Why a call is refused that needs this right. */
export function withoutRight({ via }: Operator, right: Right): string {
  const who = via === 'key' ? 'This API key' : 'This device'
  const what = { watch: 'see what the bus does', publish: 'publish', act: 'cancel, retry or keep views', manage: 'manage the bus' }
  const cure = right === 'manage' ? ': log in with the password of the bus, or use its own window' : ''
  return `${who} may not ${what[right]}${cure}.`
}
