import { ProtocolError } from '../../../shared/errors.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { actorOf, type Handlers } from '../control.ts'

/** Backups of the database, and the way back to one. */
export function backupHandlers({ bus, safety }: ControlDependencies) {
  return {
    'backups.list': () => safety.backups.view(),

    'backups.make': async (_input, operator) => {
      const backup = await safety.make('manual')
      bus.audit.note({ event: 'backup.made', actor: actorOf(operator), address: operator.address, subject: backup.id })
      return backup
    },

    'backups.newest': async () => {
      const newest = await safety.backups.newest()
      if (newest === undefined) throw new ProtocolError('not_found', 'There is no good backup.')
      return newest.backup
    },

    /** The bus is gone for a moment once this is answered, and comes back with the backup. */
    'backups.restore': async ({ id }, operator) => {
      const backup = await safety.backups.findForRestore(id)
      safety.recover(backup, { actor: actorOf(operator), address: operator.address })
      return backup
    }
  } satisfies Partial<Handlers>
}
