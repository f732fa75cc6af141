import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { diesWithUs } from './children.ts'
import { fillDatabase } from './fill.ts'
import { median, runLoad } from './measure.ts'
import { count, number, type Findings } from './report.ts'
import { databaseIn } from './servers.ts'
import type { Settings } from './settings.ts'

const AIM_SECONDS = 2
const LOAD = { connections: 8, seconds: 30, signed: false }

/** How soon a bus that was killed under load serves again, with everything that it had. */
export async function restart(settings: Settings, note: (text: string) => void): Promise<Findings> {
  const { intents, rounds } = settings.restart
  using folder = temporaryFolder()
  const databasePath = databaseIn(folder.path)
  fillDatabase(databasePath, [
    { status: 'dead', count: intents / 10 },
    { status: 'claimed', count: intents / 10 },
    { status: 'open', count: intents - intents / 5 }
  ])
  const seconds: number[] = []
  for (let round = 0; round <= rounds; round++) {
    note(`start ${round + 1}`)
    const startedAt = performance.now()
    const bus = await BusProcess.start(folder.path, { BUS_DB_PATH: databasePath })
    seconds.push((performance.now() - startedAt) / 1000)
    diesWithUs(bus.process)
    await kill(bus)
  }
  // The first one was not killed before.
  const restarts = seconds.slice(1)
  const slowest = Math.max(...restarts)
  return {
    tables: [
      {
        title: `Start of a bus with ${count(intents)} intents, killed under load before`,
        columns: ['', 'seconds'],
        rows: [
          ['median', number(median(restarts))],
          ['slowest', number(slowest)]
        ]
      }
    ],
    ratios: [{ name: 'slowest start after a kill, in seconds', value: slowest, aim: { atMost: AIM_SECONDS } }],
    figures: { seconds }
  }
}

/** Kills the bus in the middle of what clients do. */
async function kill(bus: BusProcess): Promise<void> {
  const load = runLoad({ ...LOAD, url: bus.url, key: bus.mainKey }).catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  await bus.kill('SIGKILL')
  await load
}
