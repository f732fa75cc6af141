import type { Log } from '../log.ts'
import { Control } from './control.ts'
import type { ControlDependencies } from './dependencies.ts'
import { accessHandlers } from './handlers/access.ts'
import { backupHandlers } from './handlers/backups.ts'
import { intentHandlers } from './handlers/intents.ts'
import { libraryHandlers } from './handlers/library.ts'
import { pairingHandlers } from './handlers/pairing.ts'
import { settingsHandlers } from './handlers/settings.ts'
import { sharingHandlers } from './handlers/sharing.ts'
import { storageHandlers } from './handlers/storage.ts'
import { transferHandlers } from './handlers/transfer.ts'
import { watchingHandlers } from './handlers/watching.ts'

/** The control contract over a running bus. */
export function createControl(deps: ControlDependencies, log: Log): Control {
  const settings = settingsHandlers(deps)
  const handlers = {
    ...settings,
    ...sharingHandlers(deps),
    ...pairingHandlers(deps),
    ...accessHandlers(deps),
    ...intentHandlers(deps),
    ...libraryHandlers(deps),
    ...backupHandlers(deps),
    ...storageHandlers(deps),
    ...transferHandlers(deps, settings['settings.change']),
    ...watchingHandlers(deps)
  }
  return new Control(handlers, deps.feed, log, deps.clock)
}
