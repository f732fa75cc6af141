import { temporaryFolder } from '../support/folders.ts'
import type { LoadResult } from './load.ts'
import { median, runLoad, SyncMeter } from './measure.ts'
import { number, type Findings, type Ratio, type Table } from './report.ts'
import { startBare, startBus, startBusPerRequest, type BusServer, type Server } from './servers.ts'
import type { Settings } from './settings.ts'

const OPERATIONS_PER_LIFECYCLE = 3
/** The number of connections that the aims are about. */
const AIMED_AT = 40

interface Contender {
  readonly name: string
  readonly server: Server
  readonly signed: boolean
}

/** One figure per round of every contender, and synced writes a second, at one number of connections. */
interface Series {
  readonly connections: number
  readonly loads: Readonly<Record<string, LoadResult[]>>
  readonly syncs: number[]
  /** Operations in each transaction of the bus, that is in each sync of its disk. */
  readonly gathered: number[]
}

/** Full lifecycles (publish, claim, fulfil) a second, side by side with servers that lack one thing each. */
export async function lifecycles(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const { connections, rounds, window, syncWindow, warmUp } = settings.lifecycles
  using busFolder = temporaryFolder()
  using perRequestFolder = temporaryFolder()
  using meter = new SyncMeter(busFolder.path)
  await using bare = await startBare()
  await using bus = await startBus(busFolder.path)
  await using perRequest = await startBusPerRequest(perRequestFolder.path)
  const contenders: Contender[] = [
    { name: 'bare', server: bare, signed: false },
    { name: 'bus', server: bus, signed: false },
    { name: 'signed', server: bus, signed: true },
    { name: 'per request', server: perRequest, signed: false }
  ]
  for (const { name, server, signed } of contenders) {
    note(`warming up ${name}`)
    await runLoad({ url: server.url, key: server.key, connections: 8, seconds: warmUp, signed })
  }
  const series: Series[] = connections.map((count) => ({
    connections: count,
    loads: Object.fromEntries(contenders.map(({ name }) => [name, []])),
    syncs: [],
    gathered: []
  }))
  for (let round = 0; round < rounds; round++) {
    // There and back, so that a machine that slows down or speeds up favours nobody.
    const order = round % 2 === 0 ? contenders : contenders.toReversed()
    for (const { connections: count, loads, syncs, gathered } of series) {
      note(`round ${round + 1} of ${rounds}, ${count} connections`)
      for (const { name, server, signed } of order) {
        const { url, key } = server
        const before = name === 'bus' ? await commitCounts(bus) : undefined
        loads[name]!.push(await runLoad({ url, key, connections: count, seconds: window, signed }))
        if (before === undefined) continue
        const after = await commitCounts(bus)
        gathered.push((after.operations - before.operations) / (after.commits - before.commits))
      }
      syncs.push(meter.measure(syncWindow))
    }
  }
  return {
    tables: [rateTable(series), latencyTable(series)],
    ratios: series.flatMap(ratiosOf),
    figures: series
  }
}

function rateTable(series: readonly Series[]): Table {
  const names = Object.keys(series[0]!.loads)
  return {
    title: 'Lifecycles a second (medians of rounds), and writes of 4 KiB with fdatasync a second',
    columns: ['connections', ...names, 'fdatasync'],
    rows: series.map(({ connections, loads, syncs }) => [
      String(connections),
      ...names.map((name) => number(median(rates(loads[name]!)))),
      number(median(syncs))
    ])
  }
}

function latencyTable(series: readonly Series[]): Table {
  const operations = ['publish', 'claim', 'fulfill']
  const rows = series.flatMap(({ connections, loads }) =>
    Object.entries(loads).map(([name, results]) => [
      `${connections}, ${name}`,
      ...operations.flatMap((operation) => [
        number(median(results.map((result) => result.operations[operation]!.p50))),
        number(median(results.map((result) => result.operations[operation]!.p99)))
      ])
    ])
  )
  const columns = ['connections', ...operations.flatMap((operation) => [`${operation} p50`, 'p99'])]
  return { title: 'Milliseconds a request (medians of rounds)', columns, rows }
}

function ratiosOf({ connections, loads, syncs, gathered }: Series): Ratio[] {
  const isAimed = connections === AIMED_AT
  const bus = rates(loads['bus']!)
  // Each round is compared within itself: its figures were taken within seconds.
  const against = (a: readonly number[], b: readonly number[]): number => median(a.map((value, i) => value / b[i]!))
  const at = `${connections} connections`
  return [
    {
      name: `unsigned / bare, ${at}`,
      value: against(bus, rates(loads['bare']!)),
      ...(isAimed && { aim: { atLeast: 0.45 } })
    },
    {
      name: `signed / unsigned, ${at}`,
      value: against(rates(loads['signed']!), bus),
      ...(isAimed && { aim: { atLeast: 0.7 } })
    },
    {
      name: `durable operations in each sync, ${at}`,
      value: median(gathered),
      ...(isAimed && { aim: { atLeast: 3 } })
    },
    {
      name: `durable operations / lone fdatasyncs in the same time, ${at}`,
      value: OPERATIONS_PER_LIFECYCLE * against(bus, syncs),
      ...(isAimed && { aim: { atLeast: 3 } })
    },
    { name: `group commit / commit per request, ${at}`, value: against(bus, rates(loads['per request']!)) }
  ]
}

/** What the bus says of its group commit, since its start. */
async function commitCounts({ url, adminToken }: BusServer): Promise<{ commits: number; operations: number }> {
  const text = await (await fetch(`${url}/metrics`, { headers: { 'X-Admin-Token': adminToken } })).text()
  const count = (name: string): number => Number(new RegExp(`^intent_bus_${name}_total (\\d+)$`, 'm').exec(text)![1])
  return { commits: count('commits'), operations: count('operations') }
}

function rates(results: readonly LoadResult[]): number[] {
  return results.map(({ perSecond }) => perSecond)
}
