import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { BUILT_HEADLESS, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { backup } from './backup.ts'
import { BigDatabase } from './big-database.ts'
import { claims } from './claims.ts'
import { cleanup } from './cleanup.ts'
import { dispatch } from './dispatch.ts'
import { lifecycles } from './lifecycles.ts'
import { mainThread } from './main-thread.ts'
import { memory } from './memory.ts'
import { operators } from './operators.ts'
import { isReached, ratioTable, tableText, type Findings } from './report.ts'
import { restart } from './restart.ts'
import { FULL, QUICK, type Settings } from './settings.ts'

/**
 * npm run bench [-- --quick] [--only name,...]: figures and ratios, measured side by side. Ratios hold on any machine,
 * figures on this one. Slow figures are told, they fail nothing.
 */
type Section = (settings: Settings, note: (text: string) => void, big: BigDatabase) => Promise<Findings>

const SECTIONS: Readonly<Record<string, Section>> = {
  lifecycles,
  claims,
  memory,
  cleanup,
  operators,
  backup,
  dispatch,
  restart,
  'main-thread': mainThread
}
const CLEAR_LINE = '\r\u001b[K'
const REPORT = join('test-results', 'bench.json')

const SOURCES = ['src/**/*.ts', 'electron.vite.config.ts', 'package.json']

// All databases go into one folder, which goes however this process ends; Ctrl+C ends it the ordinary way.
const folder = temporaryFolder()
process.env.TMPDIR = process.env.TEMP = folder.path
process.on('exit', () => folder[Symbol.dispose]())
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) process.on(signal, () => process.exit(code))
process.exitCode = await main()

async function main(): Promise<number> {
  const chosen = readArguments()
  if (typeof chosen === 'string') {
    process.stderr.write(`${chosen}\n`)
    return 2
  }
  if (!build()) return 1
  const { names, settings, isQuick } = chosen
  const startedAt = new Date()
  const sections: Record<string, object> = {}
  using big = new BigDatabase(settings.bigDatabase)
  if (isQuick) process.stdout.write('Quick: this only shows that the benchmark works; its figures mean nothing.\n')
  for (const name of names) {
    const started = performance.now()
    const { tables, ratios, figures } = await SECTIONS[name]!(settings, (text) => note(name, text), big)
    const seconds = (performance.now() - started) / 1000
    if (process.stderr.isTTY) process.stderr.write(CLEAR_LINE)
    process.stdout.write(`\n${name.toUpperCase()} (${Math.round(seconds)} s)\n\n`)
    for (const table of tables) process.stdout.write(`${tableText(table)}\n`)
    if (ratios.length > 0) process.stdout.write(tableText(ratioTable(ratios)))
    const judged = ratios.map((ratio) => ({ ...ratio, reached: isReached(ratio.value, ratio.aim) }))
    sections[name] = { seconds, ratios: judged, figures }
  }
  const system = `${type()} ${release()}`
  const machine = { system, cpu: cpus()[0]?.model, cores: availableParallelism(), memory: totalmem() }
  mkdirSync(join(ROOT, dirname(REPORT)), { recursive: true })
  const report = { startedAt, node: process.version, machine, quick: isQuick, settings, sections }
  writeFileSync(join(ROOT, REPORT), `${JSON.stringify(report, undefined, 2)}\n`)
  process.stdout.write(`\nAll of it is in ${REPORT}.\n`)
  return 0
}

/** What to run, or a sentence that says what is wrong with the arguments. */
function readArguments(): { names: string[]; settings: Settings; isQuick: boolean } | string {
  const all = Object.keys(SECTIONS)
  try {
    const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } })
    const names = values.only === undefined ? all : values.only.split(',')
    const unknown = names.find((name) => !all.includes(name))
    if (unknown !== undefined) return `There is no section "${unknown}"; there are ${all.join(', ')}.`
    return { names, settings: values.quick ? QUICK : FULL, isQuick: values.quick === true }
  } catch (error) {
    return `${(error as Error).message.split('. ')[0]}; there are --quick and --only ${all.join(',')}.`
  }
}

/** The built bus is what users run, so it is what is measured. */
function build(): boolean {
  if (existsSync(BUILT_HEADLESS)) {
    const builtAt = statSync(BUILT_HEADLESS).mtimeMs
    const isOld = globSync(SOURCES, { cwd: ROOT }).some((file) => statSync(join(ROOT, file)).mtimeMs > builtAt)
    if (isOld) process.stderr.write('The build is older than its sources, and it is what is measured: npm run build\n')
    return true
  }
  process.stderr.write('Building the bus ...\n')
  const require = createRequire(import.meta.url)
  const vite = join(dirname(require.resolve('electron-vite/package.json')), 'bin', 'electron-vite.js')
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, 'build'], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) process.stderr.write(`${stdout}${stderr}\nThe build failed.\n`)
  return status === 0
}

function note(section: string, text: string): void {
  const line = `${section}: ${text}`
  if (process.stderr.isTTY) process.stderr.write(`${CLEAR_LINE}${line.slice(0, 100)}`)
  else process.stderr.write(`${line}\n`)
}
