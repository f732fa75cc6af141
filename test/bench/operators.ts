import { temporaryFolder } from '../support/folders.ts'
import type { BigDatabase } from './big-database.ts'
import { Connection } from './connection.ts'
import { Disturbance } from './disturbance.ts'
import { median, runLoad } from './measure.ts'
import { count, number, type Findings } from './report.ts'
import { databaseIn, startBus, type BusServer } from './servers.ts'
import type { Settings } from './settings.ts'

/** What the interface asks for: its pages, and each kind of question that looks at many intents. */
const QUESTIONS: readonly (readonly [name: string, method: 'GET' | 'POST', path: string, body: string])[] = [
  ['GET /admin/dashboard', 'GET', '/admin/dashboard', ''],
  ['GET /metrics', 'GET', '/metrics', ''],
  ['overview', 'POST', '/admin/control/overview.get', '{}'],
  ['statistics of a day', 'POST', '/admin/control/statistics.get', '{"range":"day"}'],
  ['a page of the list', 'POST', '/admin/control/intents.list', '{}'],
  ['a page of one status', 'POST', '/admin/control/intents.list', '{"filter":"status:open"}'],
  ['a count by status', 'POST', '/admin/control/intents.count', '{"filter":"status:open"}'],
  ['a search without hits', 'POST', '/admin/control/intents.list', '{"filter":"nowhere-to-be-found"}'],
  ['names in use', 'POST', '/admin/control/names.list', '{}'],
  ['workers', 'POST', '/admin/control/workers.list', '{}']
]

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
  const reads: Record<string, number[]> = Object.fromEntries(QUESTIONS.map(([name]) => [name, []]))
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
    const [name, method, path, body] = QUESTIONS[i % QUESTIONS.length]!
    const started = performance.now()
    const { status } = await connection.request(method, path, headers, body)
    if (status !== 200) throw new Error(`${name} was answered with ${status}.`)
    reads[name]!.push(performance.now() - started)
    await new Promise((resolve) => setTimeout(resolve, 1000 / READS_PER_SECOND))
  }
  connection.close()
}
