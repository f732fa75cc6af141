import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { percentiles } from '../bench/load.ts'
import { number, ratioTable, tableText, type Ratio } from '../bench/report.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Crew } from './crew.ts'
import { Ledger } from './ledger.ts'
import { LEASE, Machine } from './machine.ts'
import { countIntents, watch } from './operator.ts'

/**
 * npm run soak -- [--minutes 10] [--rate 30]: a steady mixed load on a bus of its own. In the first part the bus is
 * restarted, killed and put to sleep again and again; in the second it is left alone, and its memory, handles and latency
 * are watched. At the end every intent that was acknowledged is asked for. Exits with 1 where one was lost, doubled or changed, or
 * where memory, handles or latency grew.
 */

const REPORT = join('test-results', 'soak.json')
const WORKERS = 12
/** Of all the time; the rest is quiet. */
const SHARE_OF_TROUBLE = 0.4
const TROUBLE_INTERVAL_MS = 15_000
const WINDOW_MS = 5_000
/** Of the quiet part: what a bus takes until it has everything that it needs. */
const SHARE_OF_WARM_UP = 0.15
/** What is left when publishing stops is done in so many leases. */
const DRAIN_LEASES = 20

const AIMS = { memory: 1.15, handles: 1.1, p99: 1.5 }

interface Window {
  readonly p50: number
  readonly p99: number
  readonly requests: number
  readonly megabytes: number
  readonly handles: number
}

process.exitCode = await main()

async function main(): Promise<number> {
  const given = readArguments()
  if (typeof given === 'string') {
    process.stderr.write(`${given}\n`)
    return 2
  }
  using folder = temporaryFolder()
  const machine = await Machine.start(folder.path)
  try {
    return await soak(machine, given.minutes * 60_000, given.rate)
  } finally {
    await machine.stop()
  }
}

async function soak(machine: Machine, milliseconds: number, rate: number): Promise<number> {
  const ledger = new Ledger()
  const crew = new Crew({ url: machine.url, key: machine.key, publishesPerSecond: rate, workers: WORKERS }, ledger)
  const stopWatching = watch(() => machine.url, () => machine.password)
  const endsAt = performance.now() + milliseconds
  crew.start()
  const troubles = await makeTrouble(machine, performance.now() + milliseconds * SHARE_OF_TROUBLE)
  const windows = await observe(machine, crew, endsAt)
  await crew.stopPublishing()
  await drain(crew, ledger)
  await crew.stop()
  await stopWatching()
  await judge(machine, crew, ledger)
  return report({ ledger, windows, troubles, minutes: milliseconds / 60_000, rate })
}

/** Restarts, kills and sleeps in turn; the answer is how many. */
async function makeTrouble(machine: Machine, until: number): Promise<number> {
  const troubles = [() => machine.restart('SIGTERM'), () => machine.restart('SIGKILL'), () => machine.sleep()]
  let count = 0
  while (performance.now() + TROUBLE_INTERVAL_MS < until) {
    await sleep(TROUBLE_INTERVAL_MS)
    note(`trouble ${count + 1}`)
    await troubles[count++ % troubles.length]!()
  }
  return count
}

async function observe(machine: Machine, crew: Crew, until: number): Promise<readonly Window[]> {
  const windows: Window[] = []
  crew.takeSamples()
  while (performance.now() < until) {
    await sleep(WINDOW_MS)
    const samples = crew.takeSamples()
    const { megabytes, handles } = machine.usage ?? { megabytes: NaN, handles: NaN }
    const window = { ...percentiles(samples), requests: samples.length, megabytes, handles }
    windows.push(window)
    note(`${samples.length} requests, p99 ${number(window.p99)} ms, ${number(megabytes)} MB, ${handles} handles`)
  }
  return windows
}

async function drain(crew: Crew, ledger: Ledger): Promise<void> {
  const until = performance.now() + DRAIN_LEASES * LEASE * 1000
  for (const id of ledger.ids) {
    for (;;) {
      const { status } = (await crew.outcome(id)) ?? { status: 'lost' }
      if ((status !== 'open' && status !== 'claimed') || performance.now() > until) break
      await sleep(500)
    }
  }
}

async function judge(machine: Machine, crew: Crew, ledger: Ledger): Promise<void> {
  for (const id of ledger.ids) {
    const outcome = await crew.outcome(id)
    ledger.judge(id, outcome?.status, outcome?.result ?? null)
  }
  const there = await countIntents(machine.url, machine.password)
  if (there !== ledger.ids.length) ledger.violations.push(`the bus has ${there} intents, of which ${ledger.ids.length} were acknowledged`)
}

interface Outcome {
  readonly ledger: Ledger
  readonly windows: readonly Window[]
  readonly troubles: number
  readonly minutes: number
  readonly rate: number
}

function report({ ledger, windows, troubles, minutes, rate }: Outcome): number {
  const steady = windows.slice(Math.floor(windows.length * SHARE_OF_WARM_UP))
  const third = Math.max(1, Math.floor(steady.length / 3))
  const first = steady.slice(0, third)
  const last = steady.slice(-third)
  const grown = (of: keyof Window): number => median(last.map((window) => window[of])) / median(first.map((window) => window[of]))
  const ratios: Ratio[] = [
    { name: 'memory, last third / first third', value: grown('megabytes'), aim: { atMost: AIMS.memory } },
    { name: 'handles, last third / first third', value: grown('handles'), aim: { atMost: AIMS.handles } },
    { name: 'p99 of requests, last third / first third', value: grown('p99'), aim: { atMost: AIMS.p99 } }
  ]
  const rows = ([['first third', first], ['last third', last]] as const).map(([name, part]) => [
    name,
    ...(['p50', 'p99', 'megabytes', 'handles'] as const).map((of) => number(median(part.map((window) => window[of]))))
  ])
  process.stdout.write(`\nSoak of ${minutes} minutes: ${ledger.ids.length} intents at ${rate} a second, ${troubles} restarts, kills and sleeps\n\n`)
  process.stdout.write(tableText({ title: 'Left alone', columns: ['', 'p50 ms', 'p99 ms', 'MB', 'handles'], rows }))
  process.stdout.write(`\n${tableText(ratioTable(ratios))}`)
  process.stdout.write(`\n  ${ledger.repeats} were handed out more than once, as at-least-once allows. Lost, doubled or changed: ${ledger.violations.length}\n`)
  for (const violation of ledger.violations.slice(0, 20)) process.stdout.write(`  ${violation}\n`)
  mkdirSync('test-results', { recursive: true })
  const { violations, repeats } = ledger
  writeFileSync(REPORT, `${JSON.stringify({ minutes, rate, troubles, intents: ledger.ids.length, repeats, violations, ratios, windows }, undefined, 2)}\n`)
  // Where the system does not tell memory and handles there is nothing to hold against it.
  const isFlat = ratios.every(({ value, aim }) => Number.isNaN(value) || value <= aim!.atMost!)
  return violations.length === 0 && isFlat ? 0 : 1
}

function median(values: readonly number[]): number {
  return percentiles(values).p50
}

function readArguments(): { readonly minutes: number; readonly rate: number } | string {
  try {
    const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, rate: { type: 'string', default: '30' } } })
    const minutes = Number(values.minutes)
    const rate = Number(values.rate)
    if (!(minutes > 0) || !(rate > 0)) return '--minutes and --rate must be numbers above 0.'
    return { minutes, rate }
  } catch (error) {
    return `${(error as Error).message.split('. ')[0]}; there are --minutes and --rate.`
  }
}

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}
