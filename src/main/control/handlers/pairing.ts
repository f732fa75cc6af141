import type { By } from '../../lan/pairing/pairing.ts'
import { actorOf, type Handlers, type Operator } from '../control.ts'
import type { ControlDependencies } from '../dependencies.ts'

/** Devices that ask to be let in. */
export function pairingHandlers({ pairing }: ControlDependencies) {
  return {
    'pairing.get': () => pairing.view(),

    'pairing.start': (_input, operator) => {
      pairing.start(by(operator))
      return pairing.view()
    },

    'pairing.stop': () => {
      pairing.stop()
      return pairing.view()
    },

    'pairing.decide': async (decision, operator) => {
      await pairing.decide(decision, by(operator))
      return pairing.view()
    }
  } satisfies Partial<Handlers>
}

function by(operator: Operator): By {
  return { actor: actorOf(operator), address: operator.address }
}
