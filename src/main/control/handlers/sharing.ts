import type { ControlDependencies } from '../dependencies.ts'
import { actorOf, type Handlers } from '../control.ts'
import { confirm } from './access.ts'

/** How other machines reach the bus. */
export function sharingHandlers({ bus, sharing }: ControlDependencies) {
  return {
    'sharing.get': async () => {
      // While the bus is not shared, nobody looks at the network.
      if (sharing.state === 'off') await sharing.look()
      return sharing.view()
    },

    'sharing.check': () => sharing.check(),

    'sharing.replaceIdentity': async ({ password }, operator) => {
      await confirm(operator, password)
      await sharing.replaceIdentity()
      bus.audit.note({ event: 'identity.replaced', actor: actorOf(operator), address: operator.address, detail: sharing.identity?.fingerprint ?? '' })
      return sharing.view()
    }
  } satisfies Partial<Handlers>
}
