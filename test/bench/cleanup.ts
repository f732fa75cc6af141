import { statSync } from 'node:fs'
import { RETENTION } from '../../src/shared/limits.ts'
import { openDatabase } from '../../src/main/bus/store/database.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Disturbance } from './disturbance.ts'
import { fillDatabase, settleOnDisk } from './fill.ts'
import { runLoad } from './measure.ts'
import { count, number, type Findings } from './report.ts'
import { databaseIn, startBus, type BusServer } from './servers.ts'
import type { Settings } from './settings.ts'

/** How much older than they must be the intents are that cleanup is to take. Seconds. */
const MARGIN = 3_600

/** So much of the intents that are left goes at once before space is given back: more than what makes cleanup do so. */
const EMPTIED_SHARE = 0.35

/** Requests while cleanup removes intents, and while it gives back the space of many that are gone. */
export async function cleanup(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const removing = await whileRemoving(settings, note)
  const givingBack = await whileGivingBack(settings, note)
  return {
    tables: [...removing.tables, ...givingBack.tables],
    ratios: [...removing.ratios, ...givingBack.ratios],
    figures: { removing: removing.figures, givingBack: givingBack.figures }
  }
}

/** A million fulfilled intents come of age in slices, so that windows with cleanup and without can take turns on the same bus. */
async function whileRemoving(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const { rows, slices, window } = settings.cleanup
  using folder = temporaryFolder()
  const databasePath = databaseIn(folder.path)
  note('filling the database')
  fillDatabase(databasePath, [{ status: 'fulfilled', count: rows }])
  await using bus = await startBus(folder.path)
  const { url, key } = bus
  // The first requests also bring the pass of cleanup that every start of a bus brings.
  await runLoad({ url, key, connections: 8, seconds: Math.min(1, window), signed: false })
  const disturbance = new Disturbance('during cleanup', bus, window)
  let seconds = 0
  let deleted = 0
  let outlasted = 0
  for (let slice = 0; slice < slices; slice++) {
    note(`slice ${slice + 1} of ${slices}`)
    await disturbance.measure(disturbance.quiet)
    makeOld(databasePath, Math.ceil(rows / slices))
    const started = performance.now()
    let isOver = false
    const pass = requestCleanup(bus).then((removed) => {
      isOver = true
      deleted += removed
      seconds += (performance.now() - started) / 1000
    })
    await disturbance.measure(disturbance.disturbed)
    if (!isOver) outlasted++
    await pass
  }
  return {
    tables: [
      disturbance.table(),
      {
        title: 'Cleanup',
        columns: ['intents removed', 'seconds', 'intents a second', 'passes that outlasted their windows'],
        rows: [[count(deleted), number(seconds), number(deleted / seconds), `${outlasted} of ${slices}`]]
      }
    ],
    ratios: disturbance.ratios(),
    figures: { deleted, seconds, outlasted, quiet: disturbance.quiet, disturbed: disturbance.disturbed }
  }
}

/** A third of the intents is gone again and again, so that there is space to give back. */
async function whileGivingBack(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const { rows, slices, window } = settings.cleanup
  using folder = temporaryFolder()
  const databasePath = databaseIn(folder.path)
  note('filling the database')
  fillDatabase(databasePath, [{ status: 'fulfilled', count: rows }])
  await using bus = await startBus(folder.path)
  const { url, key } = bus
  await runLoad({ url, key, connections: 8, seconds: Math.min(1, window), signed: false })
  // Each pass is shorter than the one before: there is less to give back.
  const disturbance = new Disturbance('while space is given back', bus, window / 2)
  let seconds = 0
  let outlasted = 0
  const before = statSync(databasePath).size
  for (let slice = 0; slice < slices; slice++) {
    note(`giving back, slice ${slice + 1} of ${slices}`)
    empty(databasePath)
    await disturbance.measure(disturbance.quiet)
    const started = performance.now()
    let isOver = false
    const pass = requestCleanup(bus).then(() => {
      isOver = true
      seconds += (performance.now() - started) / 1000
    })
    await disturbance.measure(disturbance.disturbed)
    if (!isOver) outlasted++
    await pass
  }
  settleFile(databasePath)
  const bytes = before - statSync(databasePath).size
  return {
    tables: [
      disturbance.table(),
      {
        title: 'Space given back',
        columns: ['MB', 'seconds', 'MB a second', 'passes that outlasted their windows'],
        rows: [[number(bytes / 1e6), number(seconds), number(bytes / 1e6 / seconds), `${outlasted} of ${slices}`]]
      }
    ],
    ratios: disturbance.ratios(),
    figures: { bytes, seconds, outlasted, quiet: disturbance.quiet, disturbed: disturbance.disturbed }
  }
}

/** Takes the oldest intents out of the database; their pages stay in the file. */
function empty(databasePath: string): void {
  const db = openDatabase(databasePath)
  db.prepare('DELETE FROM intents WHERE n IN (SELECT n FROM intents ORDER BY n LIMIT (SELECT CAST(count(*) * ? AS INTEGER) FROM intents))').run(EMPTIED_SHARE)
  db.close()
  settleFile(databasePath)
}

/** Writes the log into the file: else the bus would find all of it in its log and write it back within the window. */
function settleFile(databasePath: string): void {
  const db = openDatabase(databasePath)
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  settleOnDisk(databasePath)
}

/** Puts the end of that many young intents, the oldest first, so far back that cleanup takes them. */
function makeOld(databasePath: string, count: number): void {
  const db = openDatabase(databasePath)
  const old = Date.now() / 1000 - RETENTION - MARGIN
  db.prepare(
    `UPDATE intents SET finished_at = ? WHERE n IN
       (SELECT n FROM intents WHERE status = 2 AND finished_at > ? ORDER BY n LIMIT ?)`
  ).run(old, old, count)
  db.close()
  settleFile(databasePath)
}

/** Runs a pass; the answer is how many fulfilled intents it removed. */
async function requestCleanup({ url, adminToken }: BusServer): Promise<number> {
  const answer = await fetch(`${url}/admin/cleanup`, { method: 'POST', headers: { 'X-Admin-Token': adminToken } })
  if (!answer.ok) throw new Error(`Cleanup was answered with ${answer.status}: ${await answer.text()}`)
  return ((await answer.json()) as { fulfilled_deleted: number }).fulfilled_deleted
}
