import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import type { InterfaceView } from '../../src/shared/control/network-views.ts'
import { assemble, type Faces } from '../../src/main/assemble.ts'
import { SafetyNet } from '../../src/main/backups/safety-net.ts'
import { builtBeside } from '../../src/main/built.ts'
import { Bus } from '../../src/main/bus/bus.ts'
import { systemClock } from '../../src/main/bus/clock.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import { readConfig, type Config } from '../../src/main/config.ts'
import { headlessHost } from '../../src/main/headless-host.ts'
import type { Control } from '../../src/main/control/control.ts'
import type { Host } from '../../src/main/host.ts'
import type { Network } from '../../src/main/lan/network.ts'
import type { Pairing } from '../../src/main/lan/pairing/pairing.ts'
import type { Sharing } from '../../src/main/lan/sharing.ts'
import type { Log } from '../../src/main/log.ts'
import { Secret, type SecretOptions } from '../../src/main/secrets.ts'
import { SettingsFile } from '../../src/main/settings.ts'
import { ROOT } from './bus-process.ts'
import { temporaryFolder } from './folders.ts'
import { HandClock } from './hand-clock.ts'
import { ask, type HttpAnswer, type HttpAsk } from './http-client.ts'

export const MAIN_KEY = 'main-key-of-the-tests'
export const ADMIN_TOKEN = 'admin-token-of-the-tests'
export const PASSWORD = 'password of the tests'
export const METRICS_TOKEN = 'metrics-token-of-the-tests'

export const BASIC = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`

export interface TestServerOptions {
  readonly trustProxy?: boolean
  readonly enforceHttps?: boolean
  readonly allowTokenless?: boolean
  readonly allowedOrigins?: ReadonlySet<string>
  readonly maintenanceMode?: boolean
  readonly requireSignatures?: boolean
  readonly claimTimeout?: number
  readonly allowedHosts?: readonly string[]
  readonly clock?: HandClock
  /** What surrounds the bus other than a headless process does. */
  readonly host?: Partial<Host>
  /** Shared over HTTPS on this address of loopback, as if it were one of a network. */
  readonly sharedAt?: string
  /** The network as its machine sees it. Default: that of `sharedAt`, or else the system's. */
  readonly network?: Network
  /** Hears the log's lines. */
  readonly log?: Log
  /** Time goes by itself; then `clock` stands still. */
  readonly isClockReal?: boolean
}

/** The whole server in this process, over a real socket, on a database of its own and a clock that tests turn. */
export class TestServer implements AsyncDisposable {
  readonly bus: Bus
  readonly clock: HandClock
  readonly databasePath: string
  readonly #faces: Faces
  readonly #folder: Disposable

  private constructor(bus: Bus, clock: HandClock, databasePath: string, faces: Faces, folder: Disposable) {
    this.bus = bus
    this.clock = clock
    this.databasePath = databasePath
    this.#faces = faces
    this.#folder = folder
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const folder = temporaryFolder()
    const handClock = options.clock ?? new HandClock()
    const clock = options.isClockReal === true ? systemClock : handClock
    const path = join(folder.path, 'bus.db')
    const bus = new Bus({
      path,
      clock,
      gapSource: handClock,
      random: systemRandom(),
      readerEntry: new URL('../../src/main/reader.ts', import.meta.url),
      claimTimeout: options.claimTimeout ?? 60,
      cleanupInterval: 21_600
    })
    const config: Config = {
      ...readConfig({ BUS_DATA_DIR: folder.path, BUS_DB_PATH: path }),
      adminSecret: ADMIN_TOKEN,
      metricsToken: METRICS_TOKEN,
      allowedHosts: options.allowedHosts ?? [],
      allowedOrigins: options.allowedOrigins ?? new Set(),
      trustProxy: options.trustProxy ?? false,
      enforceHttps: options.enforceHttps ?? false,
      allowTokenlessWorkers: options.allowTokenless ?? false
    }
    const host = { ...headlessHost(config), ...options.host }
    const settings = new SettingsFile(join(folder.path, 'settings.json'), config)
    settings.save({
      port: 0,
      maintenance: options.maintenanceMode ?? false,
      requireSignatures: options.requireSignatures ?? false,
      share: options.sharedAt !== undefined,
      sharePort: 0,
      shareDiscovery: false
    })
    const log = options.log ?? (pino({ level: 'silent' }) as Log)
    const safety = new SafetyNet({ config, host, log, clock }).over(bus, {
      threadEntry: new URL('../../src/main/backup-thread.ts', import.meta.url),
      isCareful: true,
      feed: () => faces.feed,
      restart: () => {}
    })
    const faces: Faces = assemble({
      bus,
      clock,
      random: systemRandom(),
      config,
      settings,
      host,
      log,
      safety,
      mainKey: await secret(bus, host, 'main_key_digest', MAIN_KEY),
      password: await secret(bus, host, 'dashboard_password_digest', PASSWORD),
      built: builtBeside(pathToFileURL(join(ROOT, 'out', 'main', 'headless.js')).href),
      announce: () => {},
      ...(options.sharedAt !== undefined && { network: networkWith(options.sharedAt) }),
      ...(options.network && { network: options.network })
    })
    await faces.listener.listen(0)
    if (options.sharedAt !== undefined) await faces.sharing.look()
    return new TestServer(bus, handClock, path, faces, folder)
  }

  get url(): string {
    const { state } = this.#faces.listener
    if (state.state !== 'listening') throw new Error(state.problem)
    return state.url
  }

  get sharing(): Sharing {
    return this.#faces.sharing
  }

  get pairing(): Pairing {
    return this.#faces.pairing
  }

  get control(): Control {
    return this.#faces.control
  }

  /** Any request, with nothing added. */
  ask(request: HttpAsk): Promise<HttpAnswer> {
    return ask(this.url, request)
  }

  /** A POST with a key, by default the main one. */
  post(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}, key = MAIN_KEY): Promise<HttpAnswer> {
    return this.ask({ method: 'POST', path, body, headers: { 'X-API-KEY': key, ...headers } })
  }

  /** A GET with a key, by default the main one. */
  get(path: string, headers: Readonly<Record<string, string>> = {}, key = MAIN_KEY): Promise<HttpAnswer> {
    return this.ask({ path, headers: { 'X-API-KEY': key, ...headers } })
  }

  /** A request of an operator: a POST when it has a body or says so. */
  admin(path: string, body?: unknown, method = body === undefined ? 'GET' : 'POST'): Promise<HttpAnswer> {
    return this.ask({ method, path, body, headers: { 'X-Admin-Token': ADMIN_TOKEN } })
  }

  /** Publishes and gives the id. */
  async publish(fields: Readonly<Record<string, unknown>> = {}, key = MAIN_KEY): Promise<string> {
    const answer = await this.post('/intent', { goal: 'test', payload: {}, ...fields }, {}, key)
    if (answer.status !== 201) throw new Error(`not published: ${answer.text}`)
    return answer.json.id as string
  }

  /** Makes a generated key. */
  async newKey(owner = 'somebody'): Promise<string> {
    return (await this.admin('/admin/generate_key', { owner })).json.api_key as string
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#faces.feed.close()
    await this.#faces.pairing.close()
    await Promise.all([this.#faces.listener.close(0), this.#faces.sharing.close(0)])
    await this.bus.close()
    this.#folder[Symbol.dispose]()
  }
}

/** A machine in one network, where it has this address. */
function networkWith(address: string): Network {
  const only: InterfaceView = { name: 'test0', addresses: [address], kind: 'lan', isDefault: true }
  return { hostname: () => 'test-host', interfaces: async () => [only] }
}

/** A secret of the bus with a value that tests know. */
async function secret(bus: Bus, { vault }: Host, name: SecretOptions['name'], value: string): Promise<Secret> {
  const slot = name.replace('_digest', '')
  await vault.write(slot, value)
  return Secret.find({ meta: bus.meta, vault, name, given: undefined, variable: '', slot, prefix: '' })
}
