import { expect, test } from 'vitest'
import { StorageWatch } from '../../src/main/storage/storage-watch.ts'
import { temporaryFolder } from '../support/folders.ts'
import { TestBus } from '../support/test-bus.ts'

const MINUTE = 60

/** Counts the timers that are set and not over. */
function counting(t: TestBus) {
  const waiting = new Set<object>()
  const after = (seconds: number, wake: () => void): (() => void) => {
    const timer = {}
    waiting.add(timer)
    const cancel = t.clock.after(seconds, () => {
      waiting.delete(timer)
      wake()
    })
    return () => {
      waiting.delete(timer)
      cancel()
    }
  }
  return { clock: { now: t.clock.now, after }, waiting: () => waiting.size }
}

function watchOf(t: TestBus, dataDir: string) {
  const { clock, waiting } = counting(t)
  const watch = new StorageWatch({ bus: t.bus, clock, dataDir, databasePath: t.path, maxMegabytes: () => 1_024, onChange: () => {} })
  return { watch, waiting }
}

test('looks that overlap are one, and the next one comes after a minute', async () => {
  using folder = temporaryFolder()
  await using t = new TestBus()
  const { watch, waiting } = watchOf(t, folder.path)
  await Promise.all([watch.look(), watch.look(), watch.look()])
  expect(waiting()).toBe(1)
  expect(watch.room!.total).toBeGreaterThan(0)
  await t.clock.advance(MINUTE + 1)
  await expect.poll(waiting).toBe(1)
  watch.close()
  expect(waiting()).toBe(0)
})

test('one that is closed while it looks sets no timer', async () => {
  using folder = temporaryFolder()
  await using t = new TestBus()
  const { watch, waiting } = watchOf(t, folder.path)
  const looking = watch.look()
  watch.close()
  await looking
  expect(waiting()).toBe(0)
})
