import { temporaryFolder } from '../support/folders.ts'
import { Connection } from './connection.ts'
import { percentiles } from './load.ts'
import { SyncMeter } from './measure.ts'
import { residentMegabytes } from './process-memory.ts'
import { count, number, type Findings } from './report.ts'
import { startBus, type BusServer } from './servers.ts'
import type { Settings } from './settings.ts'

const AIMS_MS = { p50: 2, p99: 5 }
const AIM_MEMORY_MB = 40
const WAIT_SECONDS = 30
const CLAIM = `/claim?goal=dispatch&wait=${WAIT_SECONDS}`

/** How soon an intent is in the hands of one of many waiting workers, and what waiting workers cost. */
export async function dispatch(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const { workers, publishes, perSecond, parked } = settings.dispatch
  using folder = temporaryFolder()
  using meter = new SyncMeter(folder.path)
  const syncMs = 1000 / meter.measure(0.5)
  await using bus = await startBus(folder.path)
  note(`${count(workers)} workers wait`)
  const milliseconds = await measureDispatch(bus, workers, publishes, perSecond)
  const { p50, p99 } = percentiles(milliseconds)
  note(`${count(parked)} workers wait`)
  const memory = await measureMemory(folder.path, parked)
  return {
    tables: [
      {
        title: `From publish to claimed, ${count(workers)} workers waiting, ${perSecond} intents a second`,
        columns: ['', 'milliseconds'],
        rows: [
          ['p50', number(p50)],
          ['p99', number(p99)],
          ['one sync of this disk', number(syncMs)]
        ]
      },
      ...(memory === undefined
        ? []
        : [
            {
              title: `Memory of a bus, ${count(parked)} workers waiting, in MB`,
              columns: ['', 'resident'],
              rows: [
                ['without them', number(memory.before)],
                ['with them', number(memory.after)]
              ]
            }
          ])
    ],
    ratios: [
      { name: 'publish to claimed, p50 in ms', value: p50, aim: { atMost: AIMS_MS.p50 } },
      { name: 'publish to claimed, p99 in ms', value: p99, aim: { atMost: AIMS_MS.p99 } },
      { name: 'publish to claimed p50 / one sync of the disk', value: p50 / syncMs },
      ...(memory === undefined
        ? []
        : [{ name: `memory of ${count(parked)} waiting workers in MB`, value: memory.after - memory.before, aim: { atMost: AIM_MEMORY_MB } }])
    ],
    figures: { milliseconds, syncMs, memory }
  }
}

/** Milliseconds from before the publish is sent until a worker has the intent. */
async function measureDispatch({ url, key }: BusServer, workers: number, publishes: number, perSecond: number): Promise<number[]> {
  const headers = `X-API-KEY: ${key}\r\nContent-Type: application/json\r\n`
  const connections = await Promise.all(Array.from({ length: workers }, () => Connection.open(url)))
  const publisher = await Connection.open(url)
  const milliseconds: number[] = []
  let isOver = false
  let arrived: (() => void) | undefined
  let sentAt = 0
  const work = async (connection: Connection): Promise<void> => {
    while (!isOver) {
      const { status, body } = await connection.request('POST', CLAIM, headers, '')
      if (status !== 200) continue
      milliseconds.push(performance.now() - sentAt)
      arrived?.()
      const { id, claim_token } = JSON.parse(body) as { id: string; claim_token: string }
      await connection.request('POST', `/fulfill/${id}`, headers, JSON.stringify({ claim_token }))
    }
  }
  for (const connection of connections) work(connection).catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 500))
  for (let i = 0; i < publishes; i++) {
    const done = new Promise<void>((resolve) => (arrived = resolve))
    sentAt = performance.now()
    await publisher.request('POST', '/intent', headers, '{"goal":"dispatch","payload":{"n":1}}')
    await done
    await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond))
  }
  isOver = true
  for (const connection of [...connections, publisher]) connection.close()
  // The first ones find code that was never run before.
  return milliseconds.slice(Math.floor(publishes / 10))
}

/** Megabytes of a bus before and with waiting workers; undefined where the system does not tell. */
async function measureMemory(folder: string, parked: number): Promise<{ before: number; after: number } | undefined> {
  await using bus = await startBus(`${folder}/memory`)
  const { url, key } = bus
  const headers = `X-API-KEY: ${key}\r\n`
  const warmUp = await Connection.open(url)
  for (let i = 0; i < 200; i++) await warmUp.request('POST', '/claim?wait=0.001', headers, '')
  const before = residentMegabytes(bus.pid)
  if (before === undefined) return undefined
  const connections: Connection[] = []
  for (let i = 0; i < parked; i++) {
    const connection = await Connection.open(url)
    connection.request('POST', CLAIM, headers, '').catch(() => {})
    connections.push(connection)
  }
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const after = residentMegabytes(bus.pid)!
  for (const connection of [...connections, warmUp]) connection.close()
  return { before, after }
}
