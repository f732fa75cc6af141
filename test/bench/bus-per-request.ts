import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { assemble } from '../../src/main/assemble.ts'
import { SafetyNet } from '../../src/main/backups/safety-net.ts'
import { Bus } from '../../src/main/bus/bus.ts'
import { systemClock } from '../../src/main/bus/clock.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import { readConfig } from '../../src/main/config.ts'
import { headlessHost } from '../../src/main/headless-host.ts'
import { createLog } from '../../src/main/log.ts'
import { Secret } from '../../src/main/secrets.ts'
import { SettingsFile } from '../../src/main/settings.ts'

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
const host = headlessHost(config)
const secret = { meta: bus.meta, vault: host.vault, given: config.secret, prefix: '' }
const log = createLog(config.logLevel)
const { listener } = assemble({
  bus,
  clock: systemClock,
  random,
  config,
  settings: new SettingsFile(join(config.dataDir, 'settings.json'), config),
  host,
  log,
  mainKey: await Secret.find({ ...secret, name: 'main_key_digest', variable: 'BUS_SECRET', slot: 'main.key' }),
  password: await Secret.find({ ...secret, name: 'dashboard_password_digest', variable: 'BUS_SECRET', slot: 'dashboard.password' }),
  built: { interfaceDirectory: config.dataDir, clientPackage: config.dataDir, announcerEntry: new URL('./announcer.js', import.meta.url), backupEntry: new URL('./backup-thread.js', import.meta.url) },
  safety: new SafetyNet({ config, host, log, clock: systemClock }).over(bus, {
    threadEntry: new URL('../../src/main/backup-thread.ts', import.meta.url),
    isCareful: true,
    feed: () => undefined,
    restart: () => {}
  }),
  announce: () => {}
})
await listener.listen(0)
const { state } = listener
if (state.state === 'listening') process.stdout.write(`${JSON.stringify({ event: 'listening', url: state.url })}\n`)
