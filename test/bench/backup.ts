import { statSync } from 'node:fs'
import { temporaryFolder } from '../support/folders.ts'
import type { BigDatabase } from './big-database.ts'
import { Disturbance } from './disturbance.ts'
import { median, runLoad } from './measure.ts'
import { count, number, type Findings } from './report.ts'
import { databaseIn, startBus, type BusServer } from './servers.ts'
import type { Settings } from './settings.ts'

/** How often the size of the log is looked at, in milliseconds. */
const LOOK_MS = 50

/** Requests over a database of a million intents while one backup after the other is made of it, against without. */
export async function backup(settings: Settings, note: (text: string) => void, big: BigDatabase): Promise<Findings> {
  const { rounds, window } = settings.backup
  using folder = temporaryFolder()
  note('filling the database')
  big.copyTo(databaseIn(folder.path))
  await using bus = await startBus(folder.path)
  const { url, key } = bus
  await runLoad({ url, key, connections: 8, seconds: Math.min(1, window), signed: false })
  const disturbance = new Disturbance('during backups', bus, window)
  const seconds: number[] = []
  let bytes = 0
  let log = { before: 0, most: 0 }
  for (let round = 0; round < rounds; round++) {
    note(`round ${round + 1} of ${rounds}`)
    await disturbance.measure(disturbance.quiet)
    const stop = new AbortController()
    const watching = watchLog(bus, stop.signal)
    const backups = backUpOn(bus, seconds, stop.signal)
    await disturbance.measure(disturbance.disturbed)
    stop.abort()
    bytes = await backups
    const seen = await watching
    if (seen.most > log.most) log = seen
  }
  const megabytes = (size: number): string => number(size / 1024 ** 2)
  return {
    tables: [
      disturbance.table(),
      {
        title: 'Backups, copied and read again',
        columns: ['made', 'MB', 'median seconds', 'log before, MB', 'log at most, MB'],
        rows: [[count(seconds.length), megabytes(bytes), number(median(seconds)), megabytes(log.before), megabytes(log.most)]]
      }
    ],
    ratios: disturbance.ratios(),
    figures: { seconds, bytes, log, quiet: disturbance.quiet, disturbed: disturbance.disturbed }
  }
}

/** Makes backups until it is stopped, and at least one; adds the seconds of each. The answer is the size of the last. */
async function backUpOn({ url, adminToken }: BusServer, seconds: number[], stop: AbortSignal): Promise<number> {
  for (;;) {
    const started = performance.now()
    const answer = await fetch(`${url}/admin/control/backups.make`, { method: 'POST', headers: { 'X-Admin-Token': adminToken }, body: '{}' })
    if (!answer.ok) throw new Error(`A backup was answered with ${answer.status}: ${await answer.text()}`)
    seconds.push((performance.now() - started) / 1000)
    const { value } = (await answer.json()) as { value: { bytes: number } }
    if (stop.aborted) return value.bytes
  }
}

/** The size of the log when this begins, and the largest until it is stopped, in bytes. */
async function watchLog({ databasePath }: BusServer, stop: AbortSignal): Promise<{ before: number; most: number }> {
  const size = (): number => statSync(`${databasePath}-wal`, { throwIfNoEntry: false })?.size ?? 0
  const before = size()
  let most = before
  while (!stop.aborted) {
    most = Math.max(most, size())
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return { before, most }
}
