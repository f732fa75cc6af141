import { resolve } from 'node:path'
import { readOptions, type Options } from './options.ts'
import { summarize, summaryText, writeReport } from './report.ts'
import { Stress } from './stress.ts'
import { Trouble } from './trouble.ts'

/**
 * npm run stress -- --profile low|medium|high [--url ...] [--key-file ...] [--report ...]: puts load on a running bus
 * with its own intents only, and tells whether every one of them was fulfilled exactly once.
 */

const PROGRESS_MS = { terminal: 100, otherwise: 1_000 }
const CLEAR_LINE = '\r\u001b[K'

process.exitCode = await main()

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), process.env)
    const stress = new Stress(options)
    await stress.check()
    return await run(stress, options)
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    process.stderr.write(`${error.message}\n`)
    return 2
  }
}

async function run(stress: Stress, options: Options): Promise<number> {
  const { profile, workers, intents, url, reportPath } = options
  process.stdout.write(`Profile ${profile}: ${workers} workers, ${intents} intents, at ${url}\n`)
  const stopProgress = showProgress(stress, options)
  let trouble: string | undefined
  try {
    await stress.run()
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    trouble = error.message
  } finally {
    stopProgress()
  }
  const summary = summarize(stress, options, trouble)
  process.stdout.write(`\n${summaryText(summary)}\n`)
  try {
    writeReport(reportPath, summary)
    process.stdout.write(`The report is in ${reportPath}.\n`)
  } catch (error) {
    trouble ??= `The report ${resolve(reportPath)} cannot be written (${(error as NodeJS.ErrnoException).code}).`
  }
  const left = stress.published.size - stress.fulfilled
  const fate = left > 0 ? ` ${left} of its intents stay open; they expire within a day.` : ''
  if (trouble !== undefined) process.stderr.write(`${trouble}${fate}\n`)
  else if (!summary.ok) process.stderr.write(`Not every intent was fulfilled exactly once.${fate}\n`)
  return trouble === undefined && summary.ok ? 0 : 1
}

/** One line that changes on a terminal, a line every second elsewhere. The answer ends it. */
function showProgress(stress: Stress, { intents }: Options): () => void {
  const { isTTY } = process.stdout
  const started = performance.now()
  const show = (): void => {
    const seconds = ((performance.now() - started) / 1000).toFixed(isTTY ? 1 : 0)
    const line = `${seconds} s  published ${stress.published.size}/${intents}  fulfilled ${stress.fulfilled}/${intents}`
    process.stdout.write(isTTY ? CLEAR_LINE + line : `${line}\n`)
  }
  const timer = setInterval(show, isTTY ? PROGRESS_MS.terminal : PROGRESS_MS.otherwise)
  return () => {
    clearInterval(timer)
    show()
    if (isTTY) process.stdout.write('\n')
  }
}
