import { createContext } from 'svelte'
import type { Input, MethodName, Output } from '../../../shared/control/contract.ts'
import type { Right } from '../../../shared/control/rights.ts'
import { ControlError } from '../../../shared/control/transport.ts'
import { isOfDamage } from '../text/recovery.ts'
import type { Carrier } from '../transport/carrier.ts'
import { Clock } from './clock.svelte.ts'
import { Confirmation } from './confirmation.svelte.ts'
import { Connection } from './connection.svelte.ts'
import { Feed } from './feed.svelte.ts'
import { PairingLink } from './pairing-link.svelte.ts'
import { Router } from './router.svelte.ts'
import { Shortcuts } from './shortcuts.svelte.ts'
import { Theme } from './theme.svelte.ts'
import { Toasts } from './toasts.svelte.ts'

const DAMAGED = new ControlError({ code: 'storage_unavailable', message: 'The database cannot be used; see above.' })

/** What all parts of a page share. */
export class Interface {
  readonly carrier: Carrier
  readonly clock = new Clock()
  readonly feed = new Feed()
  readonly connection: Connection
  /** Before the router, which would read its code as a place. */
  readonly pairingLink = new PairingLink()
  readonly router = new Router()
  readonly toasts = new Toasts()
  readonly shortcuts = new Shortcuts()
  readonly confirmation = new Confirmation()
  readonly theme = new Theme()

  constructor(carrier: Carrier) {
    this.carrier = carrier
    this.connection = new Connection(carrier, this.clock, this.feed)
    carrier.desktop?.onNavigate((hash) => this.router.go(hash))
  }

  /** Calls a method of the control contract. Rejects with ControlError. */
  call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    return this.carrier.transport.call(method, input)
  }

  /** Whether the bus lets this page do such things: what it may not do it does not offer. */
  may(right: Right): boolean {
    return this.connection.rights.includes(right)
  }

  /** Does what the user asked for; a refusal becomes a toast. Resolves to whether it was done. */
  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action()
      return true
    } catch (error) {
      this.toasts.fail(this.connection.status?.damage && isOfDamage(error) ? DAMAGED : error)
      return false
    }
  }
}

/** The interface that a component belongs to; `main.ts` and `panel.ts` provide it. */
export const [getInterface, setInterface] = createContext<Interface>()
