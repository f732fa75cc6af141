import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Bus } from '../../src/main/bus/bus.ts'
import { systemClock } from '../../src/main/bus/clock.ts'
import { digestOf } from '../../src/main/bus/keys.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import { readConfig } from '../../src/main/config.ts'
import { createApp } from '../../src/main/http/app.ts'
import { HostNames } from '../../src/main/http/hosts.ts'
import { HttpServer } from '../../src/main/http/server.ts'
import { createLog } from '../../src/main/log.ts'

/**
 * The same bus without group commit: one operation is queued at a time, so each has a transaction and a sync of its
 * own. The measure for what group commit brings. Takes BUS_DATA_DIR and BUS_SECRET.
 */
class PerRequestBus extends Bus {
  #last: Promise<unknown> = Promise.resolve()

  override publish(...args: Parameters<Bus['publish']>): ReturnType<Bus['publish']> {
    return this.#alone(() => super.publish(...args))
  }

  override claim(...args: Parameters<Bus['claim']>): ReturnType<Bus['claim']> {
    return this.#alone(() => super.claim(...args))
  }

  override fulfill(...args: Parameters<Bus['fulfill']>): ReturnType<Bus['fulfill']> {
    return this.#alone(() => super.fulfill(...args))
  }

  #alone<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation)
    this.#last = result.catch(() => {})
    return result
  }
}

const config = readConfig(process.env)
mkdirSync(config.dataDir, { recursive: true })
const random = systemRandom()
const bus = new PerRequestBus({
  path: join(config.dataDir, 'per-request.db'),
  clock: systemClock,
  random,
  readerEntry: new URL('../../src/main/reader.ts', import.meta.url),
  claimTimeout: config.claimTimeout,
  cleanupInterval: config.cleanupInterval
})
bus.keys.setMain(digestOf(config.secret!))
const app = createApp({
  ...config,
  bus,
  clock: systemClock,
  random,
  log: createLog(config.logLevel),
  hosts: new HostNames(config.host, config.allowedHosts),
  secrets: { adminToken: undefined, dashboardPassword: undefined, metricsToken: undefined },
  allowTokenless: config.allowTokenlessWorkers,
  isClosing: () => false
})
const port = await new HttpServer(app.callback()).listen('127.0.0.1', 0)
process.stdout.write(`${JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${port}` })}\n`)
