import { IntentClient, type ClientOptions } from '../../src/main/client/index.ts'
import { MAIN_KEY, TestServer, type TestServerOptions } from '../support/test-server.ts'
import { FaultyProxy, type Plan } from './faulty-proxy.ts'

/** A real bus on a real clock, a network that may fail in front of it, and clients that know only that network. */
export class ClientRig implements AsyncDisposable {
  readonly server: TestServer
  readonly proxy: FaultyProxy

  private constructor(server: TestServer, proxy: FaultyProxy) {
    this.server = server
    this.proxy = proxy
  }

  static async start(options: TestServerOptions = {}, plan?: Plan): Promise<ClientRig> {
    const server = await TestServer.start({ isClockReal: true, ...options })
    return new ClientRig(server, await FaultyProxy.start(server.url, plan))
  }

  client(options: ClientOptions = {}): IntentClient {
    return new IntentClient({ baseUrl: this.proxy.url, apiKey: MAIN_KEY, tracing: false, ...options })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
  }
}

/** What a promise rejects with; throws when it does not. */
export async function rejection<T extends Error = Error>(promise: Promise<unknown>): Promise<T> {
  try {
    await promise
  } catch (error) {
    return error as T
  }
  throw new Error('It was expected to reject.')
}

/** Waits until something is so. Rejects when it takes more than `seconds`. */
export async function until(isSo: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`Not so within ${seconds} seconds: ${isSo.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
