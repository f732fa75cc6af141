import { MEGABYTE } from '../../../shared/bytes.ts'
import type { StorageView } from '../../../shared/control/storage-views.ts'
import { examineBus } from '../../doctor/of-bus.ts'
import type { Handlers } from '../control.ts'
import type { ControlDependencies } from '../dependencies.ts'
import { sizeOf } from '../status.ts'

/** What the bus keeps on its disk. */
export function storageHandlers(deps: ControlDependencies) {
  const { bus, config, settings, storage } = deps
  return {
    'doctor.run': () => examineBus(deps),

    'storage.view': async (): Promise<StorageView> => {
      await storage.look()
      const { totalBytes, freeBytes, canShrink, lastCleanup, nextCleanupAt } = bus.storage
      const { room } = storage
      const { maxDatabaseMegabytes } = settings.values
      return {
        databasePath: config.databasePath,
        fileBytes: sizeOf(config.databasePath),
        walBytes: sizeOf(`${config.databasePath}-wal`),
        usedBytes: totalBytes - freeBytes,
        freeBytes,
        canShrink,
        maxBytes: maxDatabaseMegabytes === 0 ? null : maxDatabaseMegabytes * MEGABYTE,
        oldestFinishedAt: await bus.reader.ask('oldestFinished'),
        disk: room && { freeBytes: room.free, totalBytes: room.total },
        lastCleanup,
        nextCleanupAt,
        status: storage.status
      }
    }
  } satisfies Partial<Handlers>
}
