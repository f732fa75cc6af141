import { createServer, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Client } from './client.ts'
import { runsWith } from './processes.ts'
import { clientPackage, LANGUAGES, LEAVES_TRACES, Starter } from './starter.ts'

const PATIENT = { timeout: 30_000, interval: 50 }
const LONG = { timeout: 60_000 }

/** Seconds. The shortest extension is 10, so that an action of 12 needs more than one. */
const LEASE = 3

const folder = temporaryFolder()
let bus: BusProcess
let client: Client

beforeAll(async () => {
  clientPackage()
  bus = await BusProcess.start(folder.path, { BUS_CLAIM_TIMEOUT_SECONDS: String(LEASE) })
  client = new Client(bus)
})
afterAll(async () => {
  await bus[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** A way to the bus on which no fulfil gets through: it neither arrives nor is it answered. */
class Gap implements Disposable {
  readonly #server: Server
  readonly #held: ServerResponse[] = []
  readonly url: string

  private constructor(server: Server, held: ServerResponse[]) {
    this.#server = server
    this.#held = held
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  static async open(target: string): Promise<Gap> {
    const held: ServerResponse[] = []
    const server = createServer((req, res) => {
      if (req.url!.startsWith('/fulfill')) return void held.push(res)
      const { method, headers } = req
      const passed = request(new URL(req.url!, target), { method, headers }, (answer) => {
        res.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(res)
      })
      passed.on('error', () => res.destroy())
      req.pipe(passed)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new Gap(server, held)
  }

  /** How many have been held up. */
  get held(): number {
    return this.#held.length
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

// Side by side: most of the time they wait.
describe.concurrent.each(LANGUAGES)('the worker in %s', (language) => {
  test('keeps an intent for longer than three leases', LONG, async ({ expect }) => {
    const goal = `long.${language}`
    await using _ = new Starter(language, { url: bus.url, key: bus.mainKey, goal })
    const id = await client.publish(goal, '{"action":"wait","seconds":12}')
    await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
    expect(await client.result(id)).toMatchObject({ result: { waited: 12 }, claim_attempts: 1 })
    const history = await client.history(id)
    expect(history.map(({ event }) => event)).toEqual(['published', 'claimed', 'extended', 'fulfilled'])
    expect(history[2]).toMatchObject({ times: expect.toSatisfy((times: number) => times > 1) })
  })

  test('ends an action whose lease is lost, and goes on with the next intent', LONG, async ({ expect }) => {
    const goal = `lost.${language}`
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal })
    const seconds = 2_000 + LANGUAGES.indexOf(language)
    const id = await client.publish(goal, `{"action":"wait","seconds":${seconds}}`)
    await expect.poll(() => client.status(id), PATIENT).toBe('claimed')
    await client.cancel(id)
    const next = await client.publish(goal, '{}')
    await expect.poll(() => client.status(next), PATIENT).toBe('fulfilled')
    expect(runsWith(`sleep\0${seconds}\0`)).toBe(false)
    expect(await client.status(id)).toBe('dead')
    expect(worker.output).toContain('lost')
  })

  test('does not do again what it did before it was killed', LONG, async ({ expect }) => {
    const goal = `twice.${language}`
    using gap = await Gap.open(bus.url)
    using home = temporaryFolder()
    const changes = [LEAVES_TRACES[language]]
    await using killed = new Starter(language, { url: gap.url, key: bus.mainKey, goal, changes, home: home.path })
    const id = await client.publish(goal, '{"n":[1]}')
    await expect.poll(() => gap.held, PATIENT).toBe(1)
    await killed.kill('SIGKILL')
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal, changes, home: home.path })
    await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
    expect(await client.result(id)).toMatchObject({ result: { n: [1] }, claim_attempts: 2 })
    expect(worker.traces).toBe(1)
  })
})

test('a bash worker that is killed takes its action along', LONG, async () => {
  await using worker = new Starter('bash', { url: bus.url, key: bus.mainKey, goal: 'orphan' })
  const id = await client.publish('orphan', '{"action":"wait","seconds":3007}', { max_attempts: 1 })
  await expect.poll(() => runsWith('sleep\x003007\0'), PATIENT).toBe(true)
  await worker.kill('SIGKILL')
  await expect.poll(() => runsWith('sleep\x003007\0'), PATIENT).toBe(false)
  await expect.poll(() => client.status(id), PATIENT).toBe('dead')
})
