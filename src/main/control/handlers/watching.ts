import type { ControlDependencies } from '../dependencies.ts'
import type { Handlers } from '../control.ts'

/** What the bus is doing, and who works for it. */
export function watchingHandlers({ bus, clock, feed, settings }: ControlDependencies) {
  return {
    'overview.get': () =>
      bus.reader.ask('summary', {
        now: clock.now(),
        isPaused: bus.isPaused,
        isMaintenance: settings.values.maintenance
      }),
    'statistics.get': ({ range }) => bus.reader.ask('statistics', range, clock.now()),
    'names.list': () => bus.reader.ask('names'),
    'workers.list': () => bus.reader.ask('workers', clock.now()),
    'workers.forget': async ({ ref }) => {
      await bus.forgetWorker(ref)
      feed.noteChanged('workers')
      return null
    }
  } satisfies Partial<Handlers>
}
