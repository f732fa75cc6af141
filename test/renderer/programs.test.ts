import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { bashWorker, pythonWorker, shellSetup, typescriptPublisher, type KeySource } from '../../src/renderer/lib/text/programs.ts'

const run = promisify(execFile)
const GOAL = `send "it's" $HOME \`id\` 100%! \\ é`

interface Asked {
  readonly path: string
  readonly key: unknown
  readonly body: string
}

/** A bus that has one intent and closes the connection on whoever settles it: what it is asked, until it is disposed of. */
class Stub {
  readonly seen: Asked[] = []
  readonly #server: Server

  constructor() {
    this.#server = createServer((req, res) => {
      let body = ''
      req.on('data', (chunk) => (body += chunk))
      req.on('end', () => {
        this.seen.push({ path: req.url!, key: req.headers['x-api-key'], body })
        if (req.url!.startsWith('/claim')) res.end('{"id":"abc","claim_token":"tok","payload":{"n":[1,"two \\"2\\""]}}')
        else if (req.url === '/intent') res.end('{"id":"abc"}')
        else if (req.url === '/result/abc') res.end('{"status":"fulfilled","result":{"said":"hello"}}')
        else res.destroy()
      })
    })
  }

  async url(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Runs a program until it has settled its first intent: its claim and how it settled. */
  async firstRound(command: string, code: string): Promise<readonly [Asked, Asked]> {
    const stop = new AbortController()
    const running = run(command, ['-c', code], { signal: stop.signal }).catch(() => {})
    while (this.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
    stop.abort()
    await running
    return [this.seen[0]!, this.seen[1]!]
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

describe('a worker', () => {
  it.each([
    ['bash', bashWorker],
    ['python3', pythonWorker]
  ])('in %s asks for exactly its goal and settles what it gets', async (command, program) => {
    using stub = new Stub()
    const url = await stub.url()
    const key = `tk_it's "quoted" $KEY`
    const [claim, settled] = await stub.firstRound(command, program({ url, key, goal: GOAL, namespace: 'prod' }))
    const asked = new URL(claim.path, url)
    expect([asked.pathname, asked.searchParams.get('goal'), asked.searchParams.get('namespace')]).toEqual(['/claim', GOAL, 'prod'])
    expect([claim.key, settled.key]).toEqual([key, key])
    expect(settled.path).toBe('/fulfill/abc')
    expect(JSON.parse(settled.body)).toEqual({ claim_token: 'tok', result: { received: { n: [1, 'two "2"'] } } })
  })

  it.each([
    ['bash', bashWorker, `work() { jq '{received: .}'; }`, 'work() { false; }'],
    ['python3', pythonWorker, 'return {"received": payload}', 'raise ValueError("no disk")']
  ])('in %s says that its work failed', async (command, program, work, failing) => {
    using stub = new Stub()
    const code = program({ url: await stub.url(), key: 'k', goal: 'g', namespace: 'default' })
    expect(code).toContain(work)
    const [, settled] = await stub.firstRound(command, code.replace(work, failing))
    expect(settled.path).toBe('/fail/abc')
    expect(JSON.parse(settled.body)).toMatchObject({ claim_token: 'tok', error: expect.stringMatching(/failed|no disk/) })
  })
})

it('a publisher in TypeScript waits for its result', async () => {
  using stub = new Stub()
  const code = typescriptPublisher(await stub.url(), 'tk_1', GOAL)
  const { stdout } = await run(process.execPath, ['--input-type=module-typescript', '-e', code])
  expect(stdout).toContain(`fulfilled { said: 'hello' }`)
  expect(JSON.parse(stub.seen[0]!.body)).toMatchObject({ goal: GOAL })
})

describe('the key', () => {
  it.each<[KeySource, string, string]>([
    ['tk_1', 'KEY=tk_1', 'KEY = "tk_1"'],
    [{ in: 'file', where: "/home/it's me/main.key" }, `KEY="$(cat '/home/it'\\''s me/main.key')"`, `KEY = open("/home/it's me/main.key").read().strip()`],
    [{ in: 'environment', where: 'BUS_SECRET' }, 'KEY="$BUS_SECRET"', 'KEY = os.environ["BUS_SECRET"]'],
    [{ in: 'keychain', where: 'the keychain' }, "KEY='paste a key here'", 'KEY = "paste a key here"'],
    [null, "KEY='paste a key here'", 'KEY = "paste a key here"']
  ])('%j', (key, shell, python) => {
    expect(shellSetup('http://127.0.0.1:7610', key)).toBe(`URL=http://127.0.0.1:7610\n${shell}`)
    const code = pythonWorker({ url: 'http://127.0.0.1:7610', key, goal: 'g', namespace: 'default' })
    expect(code).toContain(`\n${python}\n`)
    expect(code.includes('import json, os,')).toBe(python.includes('os.'))
  })
})
