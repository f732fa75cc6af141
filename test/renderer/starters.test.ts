import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { KeySource } from '../../src/renderer/lib/text/programs.ts'
import { configureStarter, preparation, type StarterId } from '../../src/renderer/lib/text/starters.ts'
import { exampleText, Starter } from '../examples/starter.ts'
import { ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'

const FILES: Readonly<Record<StarterId, string>> = {
  bash: 'worker.sh',
  powershell: 'worker.ps1',
  python: 'worker.py',
  'python-sdk': 'worker-sdk.py',
  typescript: 'worker.ts',
  notification: 'send_notification.py',
  'event-log': 'log_event.py'
}
const RUNNABLE = ['bash', 'python', 'python-sdk', 'typescript'] as const

interface Asked {
  readonly path: string
  readonly key: unknown
  readonly body: string
}

/** A bus that has one intent, if it is asked for: what it is asked, until it is disposed of. */
class Stub implements Disposable {
  readonly seen: Asked[] = []
  readonly #server: Server

  constructor() {
    this.#server = createServer((req, res) => {
      let body = ''
      req.on('data', (chunk) => (body += chunk))
      req.on('end', () => {
        const asked = { path: req.url!, key: req.headers['x-api-key'], body }
        // What the worker with the SDK asks for before it works.
        if (req.url === `/fail/${'0'.repeat(32)}`) return void res.writeHead(404).end('{"error":{"code":"not_found","message":"Intent not found."}}')
        this.seen.push(asked)
        const goal = new URL(req.url!, 'http://stub').searchParams.get('goal')
        const intent = { id: 'abc', goal, payload: { n: [1, 'two "2"'] }, claim_attempts: 1, claim_token: 'tok', claim_timeout: 60 }
        res.end(JSON.stringify(req.url!.startsWith('/claim') ? intent : { ok: true }))
      })
    })
  }

  async url(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The first claim, and how what it gave was settled. */
  async firstRound(): Promise<readonly [Asked, Asked]> {
    await expect.poll(() => this.seen.length, { timeout: 20_000 }).toBeGreaterThan(1)
    return [this.seen[0]!, this.seen[1]!]
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** What a shell, Python, JavaScript or a terminal reads as something else than itself. */
const GOALS = [`send "it's" $HOME \`id\` 100%! \\ é`, `x'; touch y; '\n$(touch y)\r\t\u007f\u202e\u2028 \\x41 \\' !!`, '-n', "''", '\\']

describe.each(RUNNABLE)('what is copied for %s', (id) => {
  it.each(GOALS)('asks for exactly the goal %j', async (goal) => {
    using stub = new Stub()
    using home = temporaryFolder()
    const url = await stub.url()
    const keyFile = join(home.path, `it's "the" $KEY`)
    const key = `tk_it's "quoted" $KEY \\ !`
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
    await using _ = new Starter(id, { url, source: { in: 'file', where: keyFile }, goal, home: home.path })
    const [claim, settled] = await stub.firstRound()
    const asked = new URL(claim.path, url)
    expect([asked.pathname, asked.searchParams.get('goal'), claim.key, settled.key]).toEqual(['/claim', goal, key, key])
    expect(settled.path).toBe('/fulfill/abc')
    if (id !== 'python-sdk') expect(JSON.parse(settled.body)).toMatchObject({ claim_token: 'tok', result: { n: [1, 'two "2"'] } })
  })

  it('uses the key that stands in it, or the variable that it names', async () => {
    const key = `tk_it's "quoted" $KEY \\ \``
    for (const [source, env] of [
      [key, { INTENT_API_KEY: 'another' }],
      [{ in: 'environment', where: 'BUS_SECRET' }, { BUS_SECRET: key }]
    ] as const) {
      using stub = new Stub()
      await using _ = new Starter(id, { url: await stub.url(), source, env })
      expect((await stub.firstRound())[0].key).toBe(key)
    }
  })
})

describe('the configuration', () => {
  const options = { url: 'http://10.0.0.7:7610', goal: 'resize', namespace: 'lab' }
  const lines = (id: StarterId, key: KeySource, goal = options.goal): string[] => {
    const program = exampleText(FILES[id])
    const before = new Set(program.split('\n'))
    return configureStarter(id, program, { ...options, goal, key })
      .split('\n')
      .filter((line) => !before.has(line))
  }

  it.each<[StarterId, KeySource, string[]]>([
    ['bash', 'tk_1', ['BUS_URL=http://10.0.0.7:7610', 'GOAL=resize', 'NAMESPACE=lab', 'API_KEY=tk_1']],
    ['bash', { in: 'environment', where: 'BUS_SECRET' }, ['BUS_URL=http://10.0.0.7:7610', 'GOAL=resize', 'NAMESPACE=lab', 'API_KEY="${BUS_SECRET-}"']],
    ['python', { in: 'file', where: '/k' }, ['BUS_URL = "http://10.0.0.7:7610"', 'GOAL = "resize"', 'NAMESPACE = "lab"', 'KEY_FILE = "/k"']],
    ['typescript', null, ['const BUS_URL = "http://10.0.0.7:7610"', 'const GOAL = "resize"', 'const NAMESPACE = "lab"']],
    ['powershell', { in: 'keychain', where: 'x' }, ["$BusUrl = 'http://10.0.0.7:7610'", "$Goal = 'resize'", "$Namespace = 'lab'"]],
    ['powershell', { in: 'environment', where: 'BUS_SECRET' }, ["$BusUrl = 'http://10.0.0.7:7610'", "$Goal = 'resize'", "$Namespace = 'lab'", '$ApiKey = $env:BUS_SECRET']]
  ])('of %s with the key %j', (id, key, expected) => {
    expect(lines(id, key)).toEqual(expected)
  })

  it.each<[StarterId, string]>([
    ['bash', 'PIN=sha256//abc='],
    ['python', 'CA_FILE = "intent-bus-root.pem"'],
    ['python-sdk', 'CA_FILE = "intent-bus-root.pem"'],
    ['typescript', 'const BUS_PIN = "sha256//abc="'],
    ['powershell', "$CaFile = 'intent-bus-root.pem'"],
    ['notification', 'CA_FILE = "intent-bus-root.pem"'],
    ['event-log', 'CA_FILE = "intent-bus-root.pem"']
  ])('of %s knows a shared bus by its pin or its root', (id, line) => {
    const trust = { pin: 'sha256//abc=', caFile: 'intent-bus-root.pem' }
    expect(configureStarter(id, exampleText(FILES[id]), { ...options, key: null, trust }).split('\n')).toContain(line)
  })

  it('is quoted for PowerShell in plain ASCII, where neither code pages nor typographic quotes count', () => {
    expect(lines('powershell', null, "it's $HOME `n")[1]).toBe("$Goal = 'it''s $HOME `n'")
    expect(lines('powershell', null, "é‘'; exit; '\n")[1]).toBe("$Goal = [uri]::UnescapeDataString('%C3%A9%E2%80%98%27%3B%20exit%3B%20%27%0A')")
  })

  it('gives a terminal nothing that it takes for a key, and eyes nothing that turns around', () => {
    const goal = `x${'\u007f'.repeat(40)}; echo \u009b2J \u202edetrevni\u2028\u0007`
    for (const id of Object.keys(FILES) as StarterId[]) expect(lines(id, null, goal).join('\n')).not.toMatch(/[\u0000-\u0009\u007f-\u009f\u2028-\u202e]/)
  })

  it('is refused for a program without it', () => {
    expect(() => configureStarter('bash', 'BUS_URL=a\nGOAL=a\n', { ...options, key: null })).toThrow('There must be one line that begins with NAMESPACE=')
    expect(() => configureStarter('bash', 'BUS_URL=a\nBUS_URL=b\n', { ...options, key: null })).toThrow('BUS_URL=')
  })
})

describe('what a starter needs of its bus first', () => {
  const url = 'https://10.0.0.7:7611'
  const trust = { pin: 'sha256//abc=', caFile: 'intent-bus-root.pem' }
  const root = `curl -sS -k --pinnedpubkey sha256//abc= -O ${url}/intent-bus-root.pem`

  it.each<[StarterId, string | null]>([
    ['bash', null],
    ['python', root],
    ['notification', root],
    ['powershell', root.replace('curl', 'curl.exe')],
    // With the root in place of its authorities npm could fetch nothing else.
    ['typescript', `curl -sS -k --pinnedpubkey sha256//abc= -O ${url}/intent-bus-client.tgz\nnpm install ./intent-bus-client.tgz`]
  ])('%s on another machine', (id, lines) => {
    expect(preparation(id, { url, trust })).toBe(lines)
  })

  it('is little on the same machine', () => {
    expect(preparation('python', { url: 'http://127.0.0.1:7610' })).toBeNull()
    expect(preparation('typescript', { url: 'http://127.0.0.1:7610' })).toBe('npm install http://127.0.0.1:7610/intent-bus-client.tgz')
  })
})

it('the starters are plain ASCII, so that every system reads them alike', () => {
  for (const file of Object.values(FILES)) expect(readFileSync(join(ROOT, 'examples', file), 'latin1')).not.toMatch(/[\u0080-\u00ff]/)
})
