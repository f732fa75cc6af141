import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BusProcess, cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'

interface Outcome {
  readonly code: number | null
  readonly output: string
}

/** Runs a script of this project with the node that runs the tests. */
function run(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    cwd: ROOT,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  return new Promise((resolve) => void child.on('close', (code) => resolve({ code, output })))
}

test('the stress script fulfils every intent once and says so', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const report = join(folder.path, 'report.json')
  const args = ['--profile', 'low', '--url', bus.url, '--report', report]
  const { code, output } = await run('test/stress/run.ts', args, { INTENT_API_KEY: bus.mainKey })
  expect(output).toContain('50 of 50 (100 %)')
  expect(code).toBe(0)
  expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ profile: 'low' })
})

test('the stress script says what to do when there is no bus', async () => {
  const args = ['--profile', 'low', '--url', 'http://127.0.0.1:9']
  const { code, output } = await run('test/stress/run.ts', args, { INTENT_API_KEY: 'any' })
  expect(code).toBe(2)
  expect(output).toContain('npm start')
})

test('the benchmark runs and prints every ratio, whatever it comes to here', { timeout: 120_000 }, async () => {
  const { code, output } = await run('test/bench/run.ts', ['--quick'])
  expect(output).toMatch(/unsigned \/ bare, 40 connections +[\d.]+ +>= 0\.45 +(yes|NO)/)
  expect(output).toMatch(/all leased: [\d,]+ \/ [\d,]+ +[\d.]+ +<= 1\.2 +(yes|NO)/)
  expect(output).toMatch(/p99 during cleanup \/ without, steady/)
  expect(output).toMatch(/p99 with an operator \/ without, steady/)
  expect(output).toMatch(/peak memory in MB/)
  expect(code).toBe(0)
})

test('a short soak finds that all of a bus that was restarted is there', { timeout: 240_000 }, async () => {
  // So short that what it says of memory and latency means nothing.
  const { output } = await run('test/soak/run.ts', ['--minutes', '0.7', '--rate', '20'])
  expect(output).toMatch(/1 restarts, kills and sleeps/)
  expect(output).toContain('Lost, doubled or changed: 0')
})

test('the soak refuses minutes that are none', async () => {
  const { code, output } = await run('test/soak/run.ts', ['--minutes', 'ten'])
  expect(output).toContain('--minutes')
  expect(code).toBe(2)
})
