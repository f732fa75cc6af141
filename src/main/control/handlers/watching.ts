import type { ControlDependencies } from '../dependencies.ts'
import type { Handlers } from '../control.ts'

/** What the bus is doing, and who works for it. */
export function watchingHandlers({ bus, clock, feed, settings, storage }: ControlDependencies) {
  return {
    'overview.get': async (_input, _operator, gone) => {
      await bus.notesWritten()
      const { isPaused } = bus
      const { maintenance: isMaintenance } = settings.values
      return bus.reader.ask('summary', { now: clock.now(), isPaused, isMaintenance, storageProblem: storage.status.problem }, gone)
    },
    'statistics.get': async ({ range }) => {
      await bus.notesWritten()
      return bus.reader.ask('statistics', range, clock.now())
    },
    'names.list': async () => {
      await bus.notesWritten()
      return bus.reader.ask('names')
    },
    'gaps.list': ({ after }) => bus.reader.ask('gaps', after),
    'workers.list': async (_input, _operator, gone) => {
      await bus.notesWritten()
      return bus.reader.ask('workers', clock.now(), gone)
    },
    'workers.forget': async ({ ref }) => {
      await bus.forgetWorker(ref)
      feed.noteChanged('workers')
      return null
    }
  } satisfies Partial<Handlers>
}
