import type { Log } from '../log.ts'
import { Control } from './control.ts'
import type { ControlDependencies } from './dependencies.ts'
import { accessHandlers } from './handlers/access.ts'
import { intentHandlers } from './handlers/intents.ts'
import { libraryHandlers } from './handlers/library.ts'
import { pairingHandlers } from './handlers/pairing.ts'
import { settingsHandlers } from './handlers/settings.ts'
import { sharingHandlers } from './handlers/sharing.ts'
import { watchingHandlers } from './handlers/watching.ts'

/** The control contract over a running bus. */
export function createControl(deps: ControlDependencies, log: Log): Control {
  const handlers = {
    ...settingsHandlers(deps),
    ...sharingHandlers(deps),
    ...pairingHandlers(deps),
    ...accessHandlers(deps),
    ...intentHandlers(deps),
    ...libraryHandlers(deps),
    ...watchingHandlers(deps)
  }
  return new Control(handlers, deps.feed, log, deps.clock)
}
