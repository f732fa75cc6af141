import { temporaryFolder } from '../support/folders.ts'
import type { BigDatabase } from './big-database.ts'
import { Connection } from './connection.ts'
import { Disturbance } from './disturbance.ts'
import { median, runLoad } from './measure.ts'
import { count, number, type Findings } from './report.ts'
import { databaseIn, startBus, type BusServer } from './servers.ts'
import type { Settings } from './settings.ts'

const PAGES = ['/admin/dashboard', '/admin/dead', '/metrics']

/**
 * Pages that operators read each second. Without a pause between them this would measure a thousand more requests a
 * second, and not what a single question costs the workers.
 */
const READS_PER_SECOND = 20

/** Requests over a database of a million intents while operators keep reading pages, against without. */
export async function operators(settings: Settings, note: (text: string) => void, big: BigDatabase): Promise<Findings> {
  const { rounds, window } = settings.operators
  using folder = temporaryFolder()
  note('filling the database')
  big.copyTo(databaseIn(folder.path))
  await using bus = await startBus(folder.path)
  const { url, key } = bus
  await runLoad({ url, key, connections: 8, seconds: Math.min(1, window), signed: false })
  const disturbance = new Disturbance('with an operator', bus, window)
  const reads: Record<string, number[]> = Object.fromEntries(PAGES.map((page) => [page, []]))
  for (let round = 0; round < rounds; round++) {
    note(`round ${round + 1} of ${rounds}`)
    await disturbance.measure(disturbance.quiet)
    const stop = new AbortController()
    const reading = readOn(bus, reads, stop.signal)
    await disturbance.measure(disturbance.disturbed)
    stop.abort()
    await reading
  }
  const totals = Object.entries(reads).map(([page, list]) => ({ page, times: list.length, median: median(list) }))
  return {
    tables: [
      disturbance.table(),
      {
        title: 'What the operator read meanwhile',
        columns: ['', 'times', 'median milliseconds'],
        rows: totals.map((read) => [read.page, count(read.times), number(read.median)])
      }
    ],
    ratios: disturbance.ratios(),
    figures: { reads: totals, quiet: disturbance.quiet, disturbed: disturbance.disturbed }
  }
}

/** Reads page after page until it is stopped; adds the milliseconds that each took. */
async function readOn(bus: BusServer, reads: Record<string, number[]>, stop: AbortSignal): Promise<void> {
  const connection = await Connection.open(bus.url)
  const headers = `X-Admin-Token: ${bus.adminToken}\r\n`
  for (let i = 0; !stop.aborted; i++) {
    const page = PAGES[i % PAGES.length]!
    const started = performance.now()
    const { status } = await connection.request('GET', page, headers, '')
    if (status !== 200) throw new Error(`${page} was answered with ${status}.`)
    reads[page]!.push(performance.now() - started)
    await new Promise((resolve) => setTimeout(resolve, 1000 / READS_PER_SECOND))
  }
  connection.close()
}
