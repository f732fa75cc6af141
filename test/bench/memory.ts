import { temporaryFolder } from '../support/folders.ts'
import type { BigDatabase } from './big-database.ts'
import { runLoad } from './measure.ts'
import { memoryOf, type Memory } from './process-memory.ts'
import { count, number, type Findings } from './report.ts'
import { databaseIn, startBus } from './servers.ts'
import type { Settings } from './settings.ts'

const AIM_MB = 250

/** What a bus over a million open intents takes of the machine's memory. */
export async function memory(settings: Settings, note: (text: string) => void, big: BigDatabase): Promise<Findings> {
  using folder = temporaryFolder()
  note('filling the database')
  big.copyTo(databaseIn(folder.path))
  await using bus = await startBus(folder.path)
  const started = memoryOf(bus.pid)
  if (started === undefined) return { tables: [], ratios: [], figures: 'This system does not tell (no /proc).' }
  note('running lifecycles')
  const { url, key } = bus
  const { lifecycles } = await runLoad({ url, key, signed: false, ...settings.memory })
  const loaded = memoryOf(bus.pid)!
  await fetch(`${url}/admin/dashboard`, { headers: { 'X-Admin-Token': bus.adminToken } })
  const read = memoryOf(bus.pid)!
  const steps: [string, Memory][] = [
    ['after its start', started],
    [`after ${count(lifecycles)} lifecycles`, loaded],
    ['after an operator looked', read]
  ]
  return {
    tables: [
      {
        title: `Memory of a bus with ${count(settings.bigDatabase)} open intents, in MB`,
        columns: ['', 'resident', 'peak'],
        rows: steps.map(([name, { resident, peak }]) => [name, number(resident), number(peak)])
      }
    ],
    ratios: [{ name: 'peak memory in MB', value: read.peak, aim: { atMost: AIM_MB } }],
    figures: { lifecycles, started, loaded, read }
  }
}
