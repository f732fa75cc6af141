import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Client } from './client.ts'
import { clientPackage, LANGUAGES, Starter } from './starter.ts'

const PATIENT = { timeout: 20_000, interval: 50 }

const folder = temporaryFolder()
let bus: BusProcess
let client: Client

beforeAll(async () => {
  clientPackage()
  bus = await BusProcess.start(folder.path, { BUS_ALLOW_TOKENLESS_WORKERS: 'true' })
  client = new Client(bus)
})
afterAll(async () => {
  await bus[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** A proxy that writes down whatever it is sent, and passes nothing on. */
class Proxy implements Disposable {
  seen = ''
  readonly #server: Server

  private constructor() {
    this.#server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        this.seen += data.toString('latin1')
        socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      })
    })
  }

  static async open(): Promise<Proxy> {
    const proxy = new Proxy()
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** An environment in which everybody is told to use it. */
  get env(): Record<string, string> {
    const names = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()])
    return { ...Object.fromEntries(names.map((name) => [name, this.url])), no_proxy: '', NO_PROXY: '' }
  }

  [Symbol.dispose](): void {
    this.#server.close()
  }
}

describe.concurrent.each([...LANGUAGES, 'python-sdk'] as const)('the worker in %s', (language) => {
  test('sends its key to the bus and to no proxy, whatever the environment and ~/.curlrc say', async ({ expect }) => {
    const goal = `proxy.${language}`
    using proxy = await Proxy.open()
    using home = temporaryFolder()
    writeFileSync(join(home.path, '.curlrc'), `proxy = "${proxy.url}"\nnoproxy = ""\n`)
    await using _ = new Starter(language, { url: bus.url, key: bus.mainKey, goal, home: home.path, env: proxy.env })
    const id = await client.publish(goal, '{"n":1}')
    await expect.poll(async () => (await client.status(id)) === 'fulfilled' || proxy.seen !== '', PATIENT).toBe(true)
    expect(proxy.seen).toBe('')
    expect(await client.status(id)).toBe('fulfilled')
  })
})

test('an action in Python that asks somebody else may use the proxy', async ({ expect }) => {
  using proxy = await Proxy.open()
  const ask = 'def echo(intent, stop):\n    import urllib.request\n    urllib.request.urlopen("http://elsewhere.invalid/")\n'
  const changes = [['def echo(intent, stop):\n', ask]] as const
  for (const language of ['python', 'python-sdk'] as const) {
    const goal = `elsewhere.${language}`
    await using _ = new Starter(language, { url: bus.url, key: bus.mainKey, goal, changes, env: proxy.env })
    const id = await client.publish(goal, '{}', { max_attempts: 1 })
    await expect.poll(() => client.status(id), PATIENT).toBe('dead')
    expect((await client.result(id)).error).toContain('502')
    expect(proxy.seen).toContain('GET http://elsewhere.invalid/')
    expect(proxy.seen).not.toContain(bus.mainKey)
    proxy.seen = ''
  }
})
