import { join } from 'node:path'
import { pino } from 'pino'
import { Bus } from '../../src/main/bus/bus.ts'
import { digestOf } from '../../src/main/bus/keys.ts'
import { systemRandom } from '../../src/main/bus/random.ts'
import { createApp, type AppOptions } from '../../src/main/http/app.ts'
import { HostNames } from '../../src/main/http/hosts.ts'
import { HttpServer } from '../../src/main/http/server.ts'
import { temporaryFolder } from './folders.ts'
import { HandClock } from './hand-clock.ts'
import { ask, type HttpAnswer, type HttpAsk } from './http-client.ts'

export const MAIN_KEY = 'main-key-of-the-tests'
export const ADMIN_TOKEN = 'admin-token-of-the-tests'
export const PASSWORD = 'password of the tests'
export const METRICS_TOKEN = 'metrics-token-of-the-tests'

export const BASIC = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`

export type TestServerOptions = Partial<
  Pick<
    AppOptions,
    'trustProxy' | 'enforceHttps' | 'maintenanceMode' | 'requireSignatures' | 'allowTokenless' | 'allowedOrigins'
  >
> & {
  readonly claimTimeout?: number
  readonly allowedHosts?: readonly string[]
  readonly clock?: HandClock
}

/** The whole server in this process, over a real socket, on a database of its own and a clock that tests turn. */
export class TestServer implements AsyncDisposable {
  readonly url: string
  readonly bus: Bus
  readonly clock: HandClock
  readonly databasePath: string
  readonly #server: HttpServer
  readonly #folder: Disposable

  private constructor(url: string, bus: Bus, clock: HandClock, databasePath: string, server: HttpServer, folder: Disposable) {
    this.url = url
    this.bus = bus
    this.clock = clock
    this.databasePath = databasePath
    this.#server = server
    this.#folder = folder
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const folder = temporaryFolder()
    const clock = options.clock ?? new HandClock()
    const path = join(folder.path, 'bus.db')
    const bus = new Bus({
      path,
      clock,
      random: systemRandom(),
      readerEntry: new URL('../../src/main/reader.ts', import.meta.url),
      claimTimeout: options.claimTimeout ?? 60,
      cleanupInterval: 21_600
    })
    bus.keys.setMain(digestOf(MAIN_KEY))
    const app = createApp({
      bus,
      clock,
      random: systemRandom(),
      log: pino({ level: 'silent' }) as AppOptions['log'],
      hosts: new HostNames('127.0.0.1', options.allowedHosts ?? []),
      secrets: {
        adminToken: digestOf(ADMIN_TOKEN),
        dashboardPassword: digestOf(PASSWORD),
        metricsToken: digestOf(METRICS_TOKEN)
      },
      allowedOrigins: options.allowedOrigins ?? new Set(),
      trustProxy: options.trustProxy ?? false,
      enforceHttps: options.enforceHttps ?? false,
      maintenanceMode: options.maintenanceMode ?? false,
      requireSignatures: options.requireSignatures ?? false,
      allowTokenless: options.allowTokenless ?? false,
      isClosing: () => false
    })
    const server = new HttpServer(app.callback())
    const port = await server.listen('127.0.0.1', 0)
    return new TestServer(`http://127.0.0.1:${port}`, bus, clock, path, server, folder)
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
    await this.#server.close(0)
    await this.bus.close()
    this.#folder[Symbol.dispose]()
  }
}
