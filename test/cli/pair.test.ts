import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import { createServer, request as forward } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Paired } from '../../src/main/cli/bus/paired.ts'
import { shownBus } from '../../src/main/cli/commands/find.ts'
import { readAllowed } from '../../src/main/cli/pairing/allowed.ts'
import { CERTIFICATE, KEY } from '../client/certificate.ts'
import { PairingRig } from '../lan/pairing-rig.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Command, deserted as unused, jsonOf, runCli } from './cli.ts'
import { Terminal } from './terminal.ts'

/** A home folder of its own, and a bus on the network. */
class Home implements AsyncDisposable {
  readonly rig: PairingRig
  readonly #folder = temporaryFolder()

  private constructor(rig: PairingRig) {
    this.rig = rig
  }

  static async make(): Promise<Home> {
    return new Home(await PairingRig.start({ isClockReal: true }))
  }

  get env(): Readonly<Record<string, string>> {
    return { HOME: this.#folder.path }
  }

  /** Where the bus is for other machines. */
  get url(): string {
    return this.rig.server.sharing.urls[0]!
  }

  file(...names: readonly string[]): string {
    return join(this.#folder.path, '.intent-bus', ...names)
  }

  buses() {
    return JSON.parse(readFileSync(this.file('buses.json'), 'utf8')).buses
  }

  /** Pairs, and lets the device in as soon as it asks. */
  async pair(args: readonly string[] = [], given: object = {}) {
    await using command = new Command(['pair', this.url, '--code', await this.rig.show(), '--name', 'pi', ...args], this.env)
    await command.says('allow "pi"')
    await this.rig.allow(given)
    return await command.finished
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}

/** Somebody in between with a certificate of his own. */
async function between(handle: (req: IncomingMessage, res: ServerResponse) => void): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer({ key: KEY, cert: CERTIFICATE }, handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.3', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.3:${port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve())))
  }
}

test('by address and code alone: the bus and its key are kept where only this user can read them', async () => {
  await using home = await Home.make()
  const { code, stdout, stderr } = await home.pair(['--save-as', 'attic'])
  expect(code).toBe(0)
  expect(stdout).toBe(`Paired with attic at ${home.url}.\n`)
  expect(stderr).toContain('Next: intent-bus doctor')
  const { attic } = home.buses()
  expect(attic).toMatchObject({ url: home.url, pin: home.rig.pin, key: expect.stringMatching(/^tk_/), keyId: expect.stringMatching(/^key_/) })
  expect(stdout + stderr).not.toContain(attic.key)
  expect(statSync(home.file('buses.json')).mode & 0o777).toBe(0o600)
  expect(statSync(home.file()).mode & 0o777).toBe(0o700)
  expect(readFileSync(home.file('attic.pem'), 'utf8')).toBe(attic.ca)

  expect(await jsonOf(['publish', 'greet', '{}'], home.env)).toMatchObject({ code: 0 })
  expect((await jsonOf(['doctor'], home.env)).value).toMatchObject({
    url: home.url,
    checks: expect.arrayContaining([
      { name: 'paired', outcome: 'fine', text: expect.stringContaining('Paired as attic') },
      { name: 'pin', outcome: 'fine', text: expect.any(String) },
      { name: 'certificate', outcome: 'fine', text: expect.stringContaining('good until') },
      { name: 'reachable', outcome: 'fine', text: expect.stringContaining('the only bus') },
      { name: 'key', outcome: 'fine', text: expect.stringContaining('the pairing with attic') },
      { name: 'password', outcome: 'skipped', text: expect.stringContaining('None is needed: this machine is paired') }
    ])
  })
})

test('by its pin, and by its root', async () => {
  await using home = await Home.make()
  expect((await home.pair(['--pin', home.rig.pin])).code).toBe(0)
  const root = home.file('root.pem')
  writeFileSync(root, home.rig.server.sharing.identity!.rootPem)
  expect((await home.pair(['--ca', root])).code).toBe(0)
  expect(Object.keys(home.buses())).toHaveLength(1)
})

test('another pin is told no code', async () => {
  await using home = await Home.make()
  const code = await home.rig.show()
  const wrong = `sha256//${'A'.repeat(43)}=`
  const { code: exit, stderr } = await runCli(['pair', home.url, '--code', code, '--pin', wrong], home.env)
  expect(exit).toBe(3)
  expect(stderr).toContain('not the pinned one')
  expect(await home.rig.call('pairing.get', {})).toMatchObject({ code: { code }, requests: [], wrongCodes: { count: 0 } })
  expect(existsSync(home.file('buses.json'))).toBe(false)
})

test('somebody in between who passes everything on gets neither side to believe him', async () => {
  await using home = await Home.make()
  const { hostname, port } = new URL(home.url)
  const seen: string[] = []
  await using thief = await between((req, res) => {
    const headers = { ...req.headers, host: `${hostname}:${port}` }
    const onward = forward({ host: hostname, port, path: req.url, method: req.method, headers, rejectUnauthorized: false }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(res)
    })
    req.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
    req.pipe(onward)
  })
  const code = await home.rig.show()
  const { code: exit, stderr } = await runCli(['pair', thief.url, '--code', code], home.env)
  expect(exit).toBe(4)
  expect(stderr).toContain('does not take this code')
  expect(seen.join('')).toContain('"proof"')
  expect(seen.join('')).not.toContain(code.replace('-', ''))
  expect(await home.rig.call('pairing.get', {})).toMatchObject({ requests: [], wrongCodes: { count: 1 } })
})

test('whoever only pretends to be the bus is found out before anything is believed', async () => {
  await using home = await Home.make()
  await using thief = await between((req, res) => {
    const answer = req.method === 'GET' ? { pairing: 'ab' } : { status: 'waiting', request: 'aa', token: 'bb', expires_in: 300, proof: '0'.repeat(64) }
    res.writeHead(req.method === 'GET' ? 200 : 202).end(JSON.stringify(answer))
  })
  const { code, stderr } = await runCli(['pair', thief.url, '--code', 'K7QF-92MX'], home.env)
  expect(code).toBe(1)
  expect(stderr).toContain('Somebody may be in between')
})

test.each([
  ['a wrong code', 4, 'does not take this code', async ({ rig }: Home) => void (await rig.show())],
  ['no code that is shown', 5, 'shows no code', async () => {}]
])('%s', async (_what, exit, sentence, before) => {
  await using home = await Home.make()
  await before(home)
  const { code, stderr } = await runCli(['pair', home.url, '--code', '0000-0000'], home.env)
  expect([code, stderr]).toEqual([exit, expect.stringContaining(sentence)])
})

test('a device that is refused', async () => {
  await using home = await Home.make()
  await using command = new Command(['pair', home.url, '--code', await home.rig.show()], home.env)
  await command.says('allow "')
  await home.rig.call('pairing.decide', { id: (await home.rig.newest()).id, allow: false })
  expect(await command.finished).toMatchObject({ code: 4, stderr: expect.stringContaining('was refused on the bus') })
  expect(existsSync(home.file('buses.json'))).toBe(false)
})

test.each([
  [['pair', 'http://192.168.1.4:7610', '--code', 'K7QF-92MX'], 'Pairing needs https'],
  [['pair', '192.168.1.4', '--code', 'K7QF'], 'is not a code'],
  [['pair', '192.168.1.4/?x', '--code', 'K7QF-92MX'], 'is not the address of a bus'],
  [['pair', '192.168.1.4', '--code', 'K7QF-92MX', '--pin', 'abc'], 'is not a pin'],
  [['pair', '192.168.1.4', '--code', 'K7QF-92MX', '--save-as', '../x'], 'cannot be the name'],
  [['pair', '192.168.1.4'], 'no terminal to ask on'],
  [['list', '--bus', 'home', '--url', 'https://192.168.1.4'], 'given twice'],
  [['list', '--pin', 'sha256//x', '--url', 'http://127.0.0.1:1'], 'are for addresses with https']
])('%j is a mistake', async (args, sentence) => {
  const { code, stderr } = await runCli(args, {})
  expect([code, stderr]).toEqual([2, expect.stringContaining(sentence)])
})

test('the code is asked for on a terminal', async () => {
  await using home = await Home.make()
  const code = await home.rig.show()
  await using terminal = Terminal.run(['pair', home.url, '--name', 'pi'], home.env)
  await terminal.shows('The code that the bus shows:')
  terminal.type(`${code.toLowerCase()}\r`)
  await terminal.shows('allow "pi"')
  await home.rig.allow()
  expect(await terminal.ended).toMatchObject({ code: 0, restored: true })
})

test('the same bus again takes the place of its old key, and says so; another one gets another name', async () => {
  await using home = await Home.make()
  await using other = await PairingRig.start({ isClockReal: true, sharedAt: '127.0.0.4' })
  await home.pair(['--save-as', 'bus'])
  const before = home.buses().bus
  const again = await home.pair()
  expect(again.stderr).toContain(`That replaces what was here as bus: ${home.url}, with the key ${before.keyId}`)
  expect(home.buses().bus.keyId).not.toBe(before.keyId)

  const url = other.server.sharing.urls[0]!
  const taken = await runCli(['pair', url, '--code', await other.show(), '--save-as', 'bus'], home.env)
  expect([taken.code, taken.stderr]).toEqual([2, expect.stringContaining('There is a bus called bus here already')])
  expect(await other.call('pairing.get', {})).toMatchObject({ requests: [] })
})

test('buses are listed without their keys, told to other programs, and forgotten', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'], { limits: { scope: { roles: ['claim'], namespaces: null, goals: ['resize.*'] } } })
  const { attic } = home.buses()
  const listed = await runCli(['buses', 'list'], home.env)
  expect(listed.stdout).toContain('claim; goals resize.*')
  const { value } = await jsonOf(['buses', 'list'], home.env)
  expect(value).toMatchObject([{ name: 'attic', url: home.url, caFile: home.file('attic.pem') }])
  expect(listed.stdout + JSON.stringify(value)).not.toContain(attic.key)
  const told = await runCli(['buses', 'env', 'attic'], home.env)
  expect(told.stdout.split('\n')).toContain(`export INTENT_API_KEY=${attic.key}`)
  const variables = (await jsonOf(['buses', 'env', 'attic'], home.env)).value
  expect((await runCli(['status', '0'.repeat(32)], variables)).stderr).not.toContain('cannot be reached')
  expect((await runCli(['buses', 'forget', 'attic'], home.env)).stderr).toContain(attic.keyId)
  expect(home.buses()).toEqual({})
  expect(existsSync(home.file('attic.pem'))).toBe(false)
  expect(await runCli(['buses', 'list'], home.env)).toMatchObject({ code: 5, stdout: '' })
  expect(await runCli(['list', '--bus', 'attic'], home.env)).toMatchObject({ code: 5 })
})

test('the only bus is handed to other programs without its name, and in the words of each shell', async () => {
  await using home = await Home.make()
  expect(await runCli(['buses', 'env'], home.env)).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('intent-bus pair') })
  expect((await home.pair(['--save-as', 'attic'])).stderr).toContain(`as the worker starters: eval "$(intent-bus buses env)"\n`)
  const { key } = home.buses().attic
  const { stdout } = await runCli(['buses', 'env'], home.env)
  const shown = spawnSync('sh', ['-c', 'eval "$VARIABLES"; exec env'], { env: { ...process.env, VARIABLES: stdout }, encoding: 'utf8' })
  const given = shown.stdout.split('\n')
  expect(given).toContain(`INTENT_API_KEY=${key}`)
  expect(given).toContain(`INTENT_BUS_URL=${home.url}`)
  expect(given).toContain(`INTENT_BUS_CA=${home.file('attic.pem')}`)
  expect((await runCli(['buses', 'env', '--shell', 'powershell'], home.env)).stdout).toContain(`$env:INTENT_API_KEY = '${key}'\n`)
  expect((await runCli(['buses', 'env', '--shell', 'fish'], home.env)).stdout).toContain(`set -gx INTENT_API_KEY '${key}'\n`)
  expect((await runCli(['buses', 'env', '--shell', 'cmd'], home.env)).code).toBe(2)

  const { attic } = home.buses()
  writeFileSync(home.file('buses.json'), JSON.stringify({ version: 1, buses: { attic, cellar: attic } }), { mode: 0o600 })
  expect(await runCli(['buses', 'env'], home.env)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('There are attic, cellar.') })
})

test('nothing in an address of a bus ends its text in PowerShell, where typographic quotes are quotes, too', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  const { attic } = home.buses()
  const url = `${home.url}/'a\u2018b\u2019c\u201ad\u201b`
  writeFileSync(home.file('buses.json'), JSON.stringify({ version: 1, buses: { attic: { ...attic, url } } }), { mode: 0o600 })
  const { stdout } = await runCli(['buses', 'env', '--shell', 'powershell'], home.env)
  expect(stdout).toContain(`$env:INTENT_BUS_URL = '${home.url}/''a\u2018\u2018b\u2019\u2019c\u201a\u201ad\u201b\u201b'\n`)
})

test('nothing that acts on a terminal is in what is said of a pairing', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  const { attic } = home.buses()
  writeFileSync(home.file('buses.json'), JSON.stringify({ version: 1, buses: { '\u001b[2Jattic': attic } }), { mode: 0o600 })
  const { code, stdout, stderr } = await home.pair()
  expect([code, stdout]).toEqual([0, `Paired with \\x1b[2Jattic at ${home.url}.\n`])
  expect(stderr).not.toContain('\u001b')
})

test('the key of a pairing goes to its bus and to nobody else', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  const { key } = home.buses().attic
  const seen: string[] = []
  const stranger = createPlainServer((req, res) => (seen.push(JSON.stringify(req.headers)), res.writeHead(401).end('{}')))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`
  const { code, stderr } = await runCli(['publish', 'greet', '--url', url], home.env)
  expect([code, stderr]).toEqual([4, expect.stringContaining('There is no key')])
  await runCli(['publish', 'greet', '--url', url], { ...home.env, INTENT_API_KEY: 'another' })
  await new Promise((resolve) => stranger.close(resolve))
  expect(seen.length).toBeGreaterThan(0)
  expect(seen.join('')).not.toContain(key)

  // Somebody else answers at its address now.
  await home.rig.server.sharing.replaceIdentity()
  const after = await runCli(['publish', 'greet'], home.env)
  expect([after.code, after.stderr]).toEqual([3, expect.stringContaining('not the pinned one')])
  const { value } = await jsonOf(['doctor'], home.env)
  expect(value.checks).toContainEqual(expect.objectContaining({ name: 'pin', outcome: 'trouble' }))
})

test('a key that may operate needs no password, and one that may not is told what does', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'], { limits: { scope: { roles: ['operate', 'publish'], namespaces: null, goals: null } } })
  const { value } = await jsonOf(['publish', 'greet', '{}'], home.env)
  expect((await jsonOf(['list'], home.env)).value).toMatchObject([{ id: value.id }])
  expect(await runCli(['cancel', value.id], home.env)).toMatchObject({ code: 0 })
  expect(await runCli(['keys', 'list'], home.env)).toMatchObject({ code: 0 })
  expect(await runCli(['keys', 'create', 'me'], home.env)).toMatchObject({ code: 4, stderr: expect.stringContaining('may not manage') })

  await home.pair([], { limits: { scope: { roles: ['claim'], namespaces: null, goals: null } } })
  const refused = await runCli(['list'], home.env)
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('INTENT_BUS_PASSWORD')])
})

test('a file that others can read is told of, and one that is none is no reason to guess', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  chmodSync(home.file('buses.json'), 0o644)
  expect((await runCli(['buses', 'list'], home.env)).stderr).toContain('chmod 600')
  mkdirSync(home.file(), { recursive: true })
  writeFileSync(home.file('buses.json'), '{"buses"')
  expect(await runCli(['buses', 'list'], home.env)).toMatchObject({ code: 1, stderr: expect.stringContaining('buses.json cannot be used') })
})

const NO_LIMITS = { scope: null, expiresAt: null, rateLimit: null }
const URL_OF = 'https://10.77.0.9:7611'
const PIN = `sha256//${'A'.repeat(43)}=`
const BUS = { name: 'evil', url: URL_OF, urls: [URL_OF], pin: PIN, ca: '-----BEGIN CERTIFICATE-----' }
const ALLOWED = { status: 'allowed', key: 'tk_1', key_id: 'key_0123456789abcdef', name: 'pi', bus: BUS, limits: NO_LIMITS }

test('what a bus gives is taken as it is, and nothing beside it', () => {
  const asked = { url: URL_OF, pin: PIN }
  expect(readAllowed({ ...ALLOWED, extra: 1, limits: { ...NO_LIMITS, extra: 1 } }, asked)).toEqual(ALLOWED)
  const scope = { roles: ['claim'], namespaces: null, goals: ['a.*'] }
  expect(readAllowed({ ...ALLOWED, limits: { ...NO_LIMITS, scope } }, asked).limits.scope).toEqual(scope)
})

test('addresses are kept as the parser of addresses writes them', () => {
  const url = 'https://10.77.0.9:7611/\u2019;\u001b]0;x\u0007$(id)\n/'
  const { bus } = readAllowed({ ...ALLOWED, bus: { ...BUS, url, urls: [url, 'https://Attic.local:443/'] } }, { url: URL_OF, pin: PIN })
  expect(bus.url).toMatch(/^https:\/\/10\.77\.0\.9:7611\/[!-~]+$/)
  expect(bus.urls).toEqual([bus.url, 'https://attic.local'])
})

test.each([
  ['no limits', { limits: null }],
  ['limits that are none', { limits: {} }],
  ['roles that are none', { limits: { ...NO_LIMITS, scope: { roles: ['root'], namespaces: null, goals: null } } }],
  ['goals that are no list', { limits: { ...NO_LIMITS, scope: { roles: null, namespaces: null, goals: 'a' } } }],
  ['an end that is no time', { limits: { ...NO_LIMITS, expiresAt: 'never' } }],
  ['no bus', { bus: null }],
  ['an address without https', { bus: { ...BUS, url: 'http://10.77.0.9', urls: ['http://10.77.0.9'] } }],
  ['an address that is not among its own', { bus: { ...BUS, urls: ['https://10.77.0.1:7611'] } }],
  ['the pin of another bus', { bus: { ...BUS, pin: `sha256//${'B'.repeat(43)}=` } }],
  ['a key that is none', { key: 'a\nb' }]
])('a bus that gives %s is not believed', (_what, given) => {
  expect(() => readAllowed({ ...ALLOWED, ...given }, { url: URL_OF, pin: PIN })).toThrow('nothing that can be used')
})

test('what announces itself is a paired bus by its key, wherever it is, and by nothing else', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  await using stranger = await between((_req, res) => res.end())
  vi.stubEnv('HOME', join(home.file(), '..'))
  const paired = new Paired(() => {})
  const { signal } = new AbortController()
  const shown = (...urls: string[]) => shownBus({ name: 'any', urls }, paired, signal)
  const deserted = (await unused()).replace('http:', 'https:')
  expect(await shown(home.url)).toMatchObject({ url: home.url, paired: 'attic', isReached: true, isNewAddress: false })
  // The first announced address need not be the one that this machine can reach.
  expect(await shown(deserted, home.url)).toMatchObject({ url: home.url, paired: 'attic' })
  // Somebody else may name the address of a paired bus behind his own.
  expect(await shown(stranger.url, home.url)).toMatchObject({ url: stranger.url, paired: null, isReached: true })
  expect(await shown(deserted)).toMatchObject({ url: deserted, paired: null, isReached: false })
  vi.unstubAllEnvs()

  const { attic } = home.buses()
  writeFileSync(home.file('buses.json'), JSON.stringify({ version: 1, buses: { attic: { ...attic, url: stranger.url, urls: [stranger.url] } } }))
  vi.stubEnv('HOME', join(home.file(), '..'))
  const moved = new Paired(() => {})
  expect(await shownBus({ name: 'any', urls: [home.url] }, moved, signal)).toMatchObject({ paired: 'attic', isNewAddress: true })
  expect(await shownBus({ name: 'attic', urls: [stranger.url] }, moved, signal)).toMatchObject({ paired: null })
  vi.unstubAllEnvs()
})

test('a paired bus that is not where it was is found at an address that it gave, by its pin, and remembered', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  const { attic } = home.buses()
  const seen: string[] = []
  await using thief = await between((req, res) => {
    seen.push(JSON.stringify(req.headers))
    res.end('{"ok":true}')
  })
  const gone = (await unused()).replace('http:', 'https:')
  const keep = (bus: object): void => writeFileSync(home.file('buses.json'), JSON.stringify({ version: 1, buses: { attic: { ...attic, ...bus } } }))
  for (const url of [gone, thief.url]) {
    keep({ url, urls: [thief.url, home.url] })
    const { code, stdout, stderr } = await runCli(['publish', 'greet', '{}'], home.env)
    expect([code, stdout], stderr).toEqual([0, expect.stringMatching(/^[0-9a-f]{32}\n$/)])
    expect(stderr).toBe(`attic is at ${home.url} now, by its pin.\n`)
    expect(home.buses().attic).toMatchObject({ url: home.url, urls: expect.arrayContaining([url, home.url]), key: attic.key })
    expect((await runCli(['publish', 'greet', '{}'], home.env)).stderr).toBe('')
  }
  keep({ url: gone, urls: [home.url] })
  const { code, value } = await jsonOf(['doctor'], home.env)
  expect([code, value.url]).toEqual([0, home.url])
  expect(value.checks).toContainEqual({ name: 'address', outcome: 'fine', text: `The bus was at ${gone}, and is at ${home.url} now.` })

  // Another key is never taken for the bus's, at no address.
  keep({ url: gone, urls: [thief.url] })
  expect(await runCli(['publish', 'greet', '{}'], home.env)).toMatchObject({ code: 3, stdout: '' })
  expect((await jsonOf(['doctor'], home.env)).value.checks).toContainEqual(
    expect.objectContaining({ name: 'reachable', outcome: 'trouble', cure: expect.stringContaining('Name a new address once') })
  )
  expect(home.buses().attic.url).toBe(gone)
  expect(seen).toEqual([])
})

test('an address that is named by --url is that of a paired bus where its key is shown, and of no other', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  const { attic } = home.buses()
  await using thief = await between((_req, res) => res.end())
  const gone = (await unused()).replace('http:', 'https:')
  writeFileSync(home.file('buses.json'), JSON.stringify({ version: 1, buses: { attic: { ...attic, url: gone, urls: [gone] } } }))
  expect(await runCli(['publish', 'greet', '{}', '--url', thief.url], { ...home.env, INTENT_API_KEY: 'k' })).toMatchObject({ code: 3 })
  expect(home.buses().attic.urls).toEqual([gone])
  expect(await runCli(['publish', 'greet', '{}', '--url', home.url], home.env)).toMatchObject({ code: 0 })
  // It is one of those that are known from then on.
  expect(home.buses().attic).toMatchObject({ url: gone, urls: [home.url, gone] })
  expect(await runCli(['publish', 'greet', '{}'], home.env)).toMatchObject({ code: 0, stderr: `attic is at ${home.url} now, by its pin.\n` })
})

test('a bus that was forgotten meanwhile is not written down again', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  vi.stubEnv('HOME', join(home.file(), '..'))
  const working = new Paired(() => {})
  const attic = working.find('attic')
  new Paired(() => {}).forget('attic')
  working.note(attic, 'https://10.77.0.50:7611', { reached: true })
  expect(home.buses()).toEqual({})
  vi.unstubAllEnvs()
})

test.each([
  [['claim', 'read'], 'It gets public intents, and may not publish.', /or intent-bus work/],
  [['publish', 'read'], 'It may publish, and gets no intents.', /or intent-bus publish/],
  [['publish', 'claim'], 'It gets public intents, and those that it published itself.', /or intent-bus work/]
])('a machine that is given %j hears what that means', async (roles, sentence, next) => {
  await using home = await Home.make()
  const { stderr } = await home.pair([], { limits: { scope: { roles, namespaces: null, goals: null } } })
  expect(stderr).toContain(sentence)
  expect(stderr).toMatch(next)
})

test('who may not do something hears what the key may do, and where that is changed', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'], { limits: { scope: { roles: ['claim'], namespaces: null, goals: ['resize.*'] } } })
  const { code, stderr } = await runCli(['publish', 'resize.big', '{}'], home.env)
  expect(code).toBe(4)
  expect(stderr).toContain('This API key may not publish intents.')
  expect(stderr).toContain('its key was given: claim; goals resize.*. The interface of the bus shows and changes them: Keys, Limits.')
  expect(stderr).not.toContain('doctor')
  const { code: fine, value } = await jsonOf(['doctor'], home.env)
  expect(fine).toBe(0)
  expect(value.checks).toContainEqual({
    name: 'limits',
    outcome: 'fine',
    text: 'When this machine was paired, its key was given: claim; goals resize.*. It may not publish, read: the interface of the bus changes that, under Keys, Limits.'
  })
  expect(value.checks).toContainEqual(expect.objectContaining({ name: 'signature', outcome: 'fine' }))
  // Of a key that is none of a pairing nothing is known.
  const file = home.file('key')
  writeFileSync(file, home.buses().attic.key, { mode: 0o600 })
  expect((await runCli(['publish', 'resize.big', '{}', '--key-file', file], home.env)).stderr).toContain('The key has limits.')
})

test('an address that two buses say is theirs stands for neither, but for the one that was reached there', async () => {
  await using home = await Home.make()
  await home.pair(['--save-as', 'attic'])
  const { attic } = home.buses()
  const write = (buses: object): void => writeFileSync(home.file('buses.json'), JSON.stringify({ version: 1, buses }))
  const theirs = 'https://10.77.0.2:7611'
  const evil = { ...attic, url: theirs, urls: [theirs, home.url, 'https://10.77.0.3:7611'], pin: PIN, key: 'tk_evil' }
  write({ attic, evil, other: { ...attic, url: 'https://10.77.0.4:7611', urls: ['https://10.77.0.3:7611'] } })
  vi.stubEnv('HOME', join(home.file(), '..'))
  const paired = new Paired(() => {})
  expect(paired.at(home.url)?.name).toBe('attic')
  expect(paired.at(theirs)?.name).toBe('evil')
  expect(paired.at('https://10.77.0.3:7611')).toBeUndefined()
  vi.unstubAllEnvs()

  write({ evil })
  await home.pair()
  const after = home.buses()
  expect(after.evil).toMatchObject({ url: theirs, key: 'tk_evil' })
  expect(Object.values(after)).toContainEqual(expect.objectContaining({ url: home.url, pin: home.rig.pin }))
})
