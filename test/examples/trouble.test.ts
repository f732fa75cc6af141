import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Client } from './client.ts'
import { clientPackage, LANGUAGES, Starter } from './starter.ts'

const PATIENT = { timeout: 30_000, interval: 50 }
const LONG = { timeout: 60_000 }

/** A server that answers as told, and says what it was asked and when, in seconds. */
class Stub implements Disposable {
  readonly asked: { readonly path: string; readonly at: number }[] = []
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async open(answer: (res: ServerResponse, count: number, req: IncomingMessage) => void): Promise<Stub> {
    const server = createServer((req, res) => {
      stub.asked.push({ path: req.url!, at: performance.now() / 1_000 })
      req.resume().on('end', () => answer(res, stub.asked.length, req))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const stub = new Stub(server)
    return stub
  }

  /** Seconds between the requests. */
  get pauses(): number[] {
    return this.asked.slice(1).map(({ at }, i) => at - this.asked[i]!.at)
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

// Not when the first test needs it: while it is built nothing else happens in this process.
beforeAll(() => void clientPackage())

// Side by side: most of the time they wait.
describe.concurrent.each(LANGUAGES)('the worker in %s', (language) => {
  test('polls a bus that does not know of waiting, and not all the time', LONG, async ({ expect }) => {
    using bus = await Stub.open((res) => res.writeHead(204, { 'Retry-After': '1' }).end())
    await using _ = new Starter(language, { url: bus.url, key: 'k' })
    await expect.poll(() => bus.asked.length, PATIENT).toBe(3)
    expect(bus.asked[0]!.path).toMatch(/^\/claim\?goal=greet&namespace=default&wait=30$|^\/claim\?goal=greet&wait=30$/)
    for (const pause of bus.pauses) expect(pause).toBeGreaterThan(1.9)
  })

  test('hardly rests where the bus waits, even if it ends the wait early', LONG, async ({ expect }) => {
    using bus = await Stub.open((res) => {
      setTimeout(() => res.writeHead(204, { 'Retry-After': '1', 'X-Intent-Wait': '30' }).end(), 3_000)
    })
    await using _ = new Starter(language, { url: bus.url, key: 'k' })
    await expect.poll(() => bus.asked.length, PATIENT).toBe(3)
    for (const pause of bus.pauses) expect(pause).toBeLessThan(4.9)
  })

  test.for([429, 503])('leaves a bus alone for as long as it says with %s', LONG, async (status, { expect }) => {
    const error = { error: { code: 'rate_limited', message: 'Too many requests.' } }
    using bus = await Stub.open((res, count) => {
      if (count === 1) res.writeHead(status, { 'Retry-After': '4', 'Content-Type': 'application/json' }).end(JSON.stringify(error))
    })
    await using worker = new Starter(language, { url: bus.url, key: 'k' })
    await expect.poll(() => bus.asked.length, PATIENT).toBe(2)
    expect(bus.pauses[0]).toBeGreaterThan(3.9)
    expect(worker.output).toContain('Too many requests.')
  })

  test('follows no redirect, which would take the key elsewhere', LONG, async ({ expect }) => {
    using elsewhere = await Stub.open((res) => res.writeHead(204).end())
    using bus = await Stub.open((res) => res.writeHead(307, { Location: elsewhere.url }).end())
    await using worker = new Starter(language, { url: bus.url, key: 'k' })
    await Promise.race([worker.exited, expect.poll(() => bus.asked.length, PATIENT).toBeGreaterThan(1)])
    expect(elsewhere.asked).toEqual([])
  })

  test('outlives a restart of the bus, idle and at work', LONG, async ({ expect }) => {
    using folder = temporaryFolder()
    let bus = await BusProcess.start(folder.path)
    const { port } = new URL(bus.url)
    await using _ = new Starter(language, { url: bus.url, key: bus.mainKey })
    try {
      for (const seconds of [0, 5]) {
        const id = await new Client(bus).publish('greet', `{"action":"wait","seconds":${seconds}}`)
        await expect.poll(() => new Client(bus).status(id), PATIENT).toBe(seconds === 0 ? 'fulfilled' : 'claimed')
        await bus.kill(seconds === 0 ? 'SIGTERM' : 'SIGKILL')
        await new Promise((resolve) => setTimeout(resolve, 2_000))
        bus = await BusProcess.start(folder.path, { BUS_PORT: port })
        await expect.poll(() => new Client(bus).status(id), PATIENT).toBe('fulfilled')
        expect(await new Client(bus).result(id)).toMatchObject({ result: { waited: seconds }, claim_attempts: 1 })
      }
    } finally {
      await bus[Symbol.asyncDispose]()
    }
  })
})
