import { pino } from 'pino'
import { tlsFetch } from '../../src/main/client/index.ts'
import type { Log } from '../../src/main/log.ts'
import { DESKTOP } from '../../src/main/control/operator.ts'
import type { Input, MethodName, Output } from '../../src/shared/control/contract.ts'
import { ControlError } from '../../src/shared/control/transport.ts'
import type { HttpAnswer } from '../support/http-client.ts'
import { TestServer, type TestServerOptions } from '../support/test-server.ts'

const JSON_TYPE = { 'Content-Type': 'application/json' }

/** A bus that is shared over HTTPS, somebody who sits at it, and devices that ask it. */
export class PairingRig implements AsyncDisposable {
  readonly server: TestServer
  /** All lines of the log. */
  readonly logged: readonly string[]

  private constructor(server: TestServer, logged: readonly string[]) {
    this.server = server
    this.logged = logged
  }

  static async start(options: TestServerOptions = {}): Promise<PairingRig> {
    const logged: string[] = []
    const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) }) as Log
    return new PairingRig(await TestServer.start({ sharedAt: '127.0.0.2', log, ...options }), logged)
  }

  /** A call of whoever sits at the bus. Rejects with ControlError. */
  async call<M extends MethodName>(method: M, input: Input<M>): Promise<Output<M>> {
    const envelope = await this.server.control.call(DESKTOP, method, input)
    if (envelope.ok) return envelope.value as Output<M>
    throw new ControlError(envelope.error)
  }

  /** Has the bus show a code. */
  async show(): Promise<string> {
    return (await this.call('pairing.start', {})).code!.code
  }

  /** The newest request, as the bus shows it. */
  async newest() {
    return (await this.call('pairing.get', {})).requests[0]!
  }

  /** Lets the newest request in. */
  async allow(given: object = {}): Promise<void> {
    const { id, name } = await this.newest()
    await this.call('pairing.decide', { id, allow: true, name, ...given })
  }

  get pin(): string {
    return this.server.sharing.identity!.pin
  }

  /** A request of a device over HTTPS that knows the pin. */
  async device(path: string, body?: object, signal?: AbortSignal): Promise<HttpAnswer> {
    const request = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body), headers: JSON_TYPE }
    const response = await tlsFetch({ pin: this.pin })(this.server.sharing.urls[0]! + path, { ...request, ...(signal && { signal }) })
    const text = await response.text()
    return { status: response.status, headers: Object.fromEntries(response.headers), text, json: JSON.parse(text) }
  }

  /** A device asks with a code. */
  ask(code: string, given: object = {}): Promise<HttpAnswer> {
    return this.device('/pair', { code, name: 'pi', ...given })
  }

  /** It asks what became of its request. */
  question({ json: { request, token } }: HttpAnswer, wait = 0): Promise<HttpAnswer> {
    return this.device('/pair/wait', { request, token, wait })
  }

  /** A request of a browser's page that the bus itself served. */
  page(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    const origin = { Origin: this.server.url, 'Sec-Fetch-Site': 'same-origin' }
    return this.server.ask({ method: 'POST', path: `/admin/control/${path}`, body, headers: { ...JSON_TYPE, ...origin, ...headers } })
  }

  /** The ids of all keys. */
  async keys(): Promise<readonly string[]> {
    return (await this.server.bus.reader.ask('keys')).map(({ id }) => id)
  }

  /** The audit trail, newest first. Lets a second pass, in which entries are written. */
  async trail() {
    const page = this.call('audit.list', {})
    await this.server.clock.advance(1)
    return (await page).entries
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]()
  }
}
