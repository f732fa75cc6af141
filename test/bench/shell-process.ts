import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { systemClock } from '../../src/main/bus/clock.ts'
import { BusClient } from '../../src/main/desktop/bus-client.ts'
import type { BusThreadData } from '../../src/main/desktop/bus-messages.ts'
import { createLog } from '../../src/main/log.ts'
import { ROOT } from '../support/bus-process.ts'

/**
 * The main thread of the desktop app as far as it carries the bus: it starts the bus's thread and relays its events. It
 * measures by how many milliseconds its own timers are late; a line on standard input asks for what was measured since.
 */

/** Milliseconds: finer than the aim. */
const TICK_MS = 2

const dataDir = process.env.BUS_DATA_DIR!
mkdirSync(dataDir, { recursive: true })
const data: BusThreadData = { logFile: join(dataDir, 'bus.log'), keychain: null, unavailableSettings: {}, notices: [], recovery: null }
let frames = 0
const bus = new BusClient({
  spawn: async () => new Worker(join(ROOT, 'out', 'main', 'bus-thread.js'), { workerData: data }),
  services: {
    seal: () => Promise.reject(new Error('There is no keychain here.')),
    unseal: () => Promise.reject(new Error('There is no keychain here.')),
    show: async () => {},
    applySettings: async () => {}
  },
  dataDir,
  logFile: data.logFile,
  log: createLog('warn'),
  clock: systemClock
})
bus.start()
bus.listen(
  () => frames++,
  () => {}
)
// The key first: calls wait for the start, but for the question for the status.
const key = await bus.call('keys.revealMain', {})
const status = await bus.call('status.get', {})
if (!status.ok || !key.ok) throw new Error('The bus did not start.')
process.stdout.write(`${JSON.stringify({ status: status.value, key: key.value })}\n`)

let late: number[] = []
let expected = performance.now() + TICK_MS
setInterval(() => {
  const now = performance.now()
  late.push(Math.max(0, now - expected))
  expected = now + TICK_MS
}, TICK_MS)

process.stdin.on('data', () => {
  process.stdout.write(`${JSON.stringify({ late, frames })}\n`)
  late = []
  frames = 0
})
