import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/folders.ts'
import { TestServer } from '../support/test-server.ts'
import { Command, deserted, environmentOf, jsonOf, runCli } from './cli.ts'
import { Stranger } from './stranger.ts'

interface Check {
  readonly name: string
  readonly outcome: string
  readonly text: string
  readonly cure?: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** What the doctor says of one thing. */
async function checkOf(name: string, env: Environment, args: readonly string[] = []): Promise<Check & { code: number | null }> {
  const { code, value } = await jsonOf(['doctor', ...args], env)
  const check = (value.checks as Check[]).find((candidate) => candidate.name === name)
  return { code, ...check! }
}

/** What it says when something is wrong, and how it ends then: parts of the sentence and of the cure. */
function trouble(code: number, text: string, cure = ''): object {
  return { code, outcome: 'trouble', text: expect.stringContaining(text), cure: expect.stringContaining(cure) }
}

test('finds nothing wrong with a bus that is well', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const { code, value } = await jsonOf(['doctor'], environmentOf(server))
  expect(code).toBe(0)
  expect(value).toMatchObject({ ok: true, url: server.url })
  expect(Object.fromEntries(value.checks.map(({ name, outcome }: Check) => [name, outcome]))).toEqual({
    reachable: 'fine',
    server: 'fine',
    clock: 'fine',
    key: 'fine',
    signature: 'fine',
    password: 'fine',
    disk: 'fine',
    'data folder': 'skipped'
  })
  const { stdout } = await runCli(['doctor'], environmentOf(server))
  expect(stdout).toMatch(/^ok {4}reachable {4}http:\/\/127/)
})

test('is content with a bus that insists on signatures', async () => {
  await using server = await TestServer.start({ isClockReal: true, requireSignatures: true })
  expect((await runCli(['doctor'], environmentOf(server))).code).toBe(0)
})

test('no bus', async () => {
  const check = await checkOf('reachable', {}, ['--url', await deserted()])
  expect(check).toMatchObject(trouble(3, 'ECONNREFUSED', 'npm run headless'))
})

test('a name that nobody has', async () => {
  const check = await checkOf('reachable', { INTENT_BUS_URL: 'http://no-such-host.invalid' })
  expect(check).toMatchObject(trouble(3, 'as INTENT_BUS_URL says'))
})

test('another program on the port', async () => {
  await using other = await Stranger.listen((_req, res) => void res.end('<h1>It works!</h1>'))
  expect(await checkOf('server', {}, ['--url', other.url])).toMatchObject(trouble(3, 'no Intent Bus'))
})

test('something that does not answer', async () => {
  await using silent = await Stranger.listen(() => {})
  expect(await checkOf('reachable', {}, ['--url', silent.url])).toMatchObject(trouble(3, 'does not answer'))
})

test('tells each finding as soon as it has it, and does not wait long for a bus that hangs', async () => {
  const health = (): string => JSON.stringify({ ok: true, ts: Date.now() / 1000, version: '7.61' })
  await using bus = await Stranger.listen((req, res) => void (req.url === '/health' && res.end(health())))
  const startedAt = performance.now()
  await using command = new Command(['doctor', '--url', bus.url], { INTENT_BUS_PASSWORD: 'p' })
  await command.prints('clock')
  expect(performance.now() - startedAt).toBeLessThan(4_000)
  expect(command.stdout).not.toContain('password  ')
  const { code, stdout } = await command.finished
  expect(performance.now() - startedAt).toBeLessThan(12_000)
  expect(code).toBe(4)
  expect(stdout).toMatch(/FAIL {2}password .* could not be tried: no answer within 5 seconds[.]\n/)
})

test.each([
  [400, 'trouble', 1],
  [-400, 'trouble', 1],
  [60, 'warning', 4]
])('a clock that is %d seconds off', async (off, outcome, code) => {
  await using bus = await Stranger.listen((req, res) => {
    if (req.url === '/health') res.end(JSON.stringify({ ok: true, ts: Date.now() / 1000 - off, version: '7.61' }))
    else res.writeHead(401).end('{"error":{"code":"unauthorized","message":"Invalid API key."}}')
  })
  const check = await checkOf('clock', { INTENT_API_KEY: 'k' }, ['--url', bus.url])
  expect(check).toMatchObject({ ...trouble(code, off > 0 ? 'ahead' : 'behind', 'clock'), outcome })
})

test('a signature that is refused for its time', async () => {
  await using server = await TestServer.start()
  expect(await checkOf('signature', environmentOf(server))).toMatchObject(trouble(1, 'Stale timestamp', 'clock'))
})

test('a key that the bus does not know, and none at all', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const env = environmentOf(server)
  const wrong = await checkOf('key', { ...env, INTENT_API_KEY: 'wrong' })
  expect(wrong).toMatchObject(trouble(4, 'INTENT_API_KEY', 'revoked'))
  expect(await checkOf('signature', { ...env, INTENT_API_KEY: 'wrong' })).toMatchObject({ outcome: 'skipped' })
  expect(await checkOf('key', { ...env, INTENT_API_KEY: undefined })).toMatchObject(trouble(4, 'no key'))
})

test('a key file that cannot be read, and one that holds something else', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const env = { ...environmentOf(server), HOME: folder.path, INTENT_API_KEY: undefined }
  mkdirSync(join(folder.path, '.apikey'))
  expect(await checkOf('key', env)).toMatchObject(trouble(4, 'cannot be read (EISDIR)'))
  const file = join(folder.path, 'pem')
  writeFileSync(file, '-----BEGIN-----\nabc\n', { mode: 0o600 })
  expect(await checkOf('key', env, ['--key-file', file])).toMatchObject(trouble(4, 'does not hold a key'))
})

test('the wrong password, and none', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  const env = environmentOf(server)
  expect(await checkOf('password', { ...env, INTENT_BUS_PASSWORD: 'wrong' })).toMatchObject(trouble(4, 'does not take the password'))
  expect(await checkOf('password', { ...env, INTENT_BUS_PASSWORD: undefined })).toMatchObject({ code: 0, outcome: 'warning' })
})

test.each([
  ['a disk that is full', { damage: null, storage: { state: 'full', problem: 'The disk is full. Make room.' } }, 'disk', { code: 1, outcome: 'trouble', text: 'The disk is full. Make room.' }],
  ['a disk with little room', { damage: null, storage: { state: 'low', problem: 'Only 9 MB left.' } }, 'disk', { outcome: 'warning', text: 'Only 9 MB left.' }],
  ['a damaged database', { damage: { problem: 'It is damaged.' }, storage: { state: 'fine', problem: null } }, 'database', { code: 1, outcome: 'trouble', text: 'It is damaged.' }]
])('%s, as the bus says to who knows the password', async (_name, status, name, found) => {
  await using bus = await Stranger.listen((req, res) => {
    if (req.url === '/health') res.end(JSON.stringify({ ok: true, ts: Date.now() / 1000, version: '7.61' }))
    else if (req.url?.startsWith('/admin/') === true) res.end(JSON.stringify({ value: status }))
    else res.writeHead(404).end('{"error":{"code":"not_found","message":"No."}}')
  })
  expect(await checkOf(name, { INTENT_API_KEY: 'k', INTENT_BUS_PASSWORD: 'p' }, ['--url', bus.url])).toMatchObject(found)
})

test('a bus of an early version says nothing of its disk', async () => {
  await using bus = await Stranger.listen((req, res) => {
    if (req.url === '/health') res.end(JSON.stringify({ ok: true, ts: Date.now() / 1000, version: '7.61' }))
    else if (req.url?.startsWith('/admin/') === true) res.end('{"value":{}}')
    else res.writeHead(404).end('{"error":{"code":"not_found","message":"No."}}')
  })
  const { code, value } = await jsonOf(['doctor', '--url', bus.url], { INTENT_API_KEY: 'k', INTENT_BUS_PASSWORD: 'p' })
  expect(code).toBe(0)
  expect(value.checks.map(({ name }: Check) => name)).toContain('password')
  expect(value.checks.map(({ name }: Check) => name)).not.toContain('disk')
})

test('secrets that others can read', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'main.key'), 'k\n')
  chmodSync(join(folder.path, 'main.key'), 0o644)
  chmodSync(folder.path, 0o755)
  const env = { ...environmentOf(server), BUS_DATA_DIR: folder.path }
  expect(await checkOf('secrets', env)).toMatchObject(trouble(1, 'can read', 'chmod 600'))
  expect(await checkOf('data folder', env)).toMatchObject({ outcome: 'warning', cure: expect.stringContaining('chmod 700') })
})

test('a bus that does not know itself by the name it was reached by', async () => {
  await using bus = await Stranger.listen((_req, res) => void res.writeHead(403).end('{"error":{"code":"invalid_host","message":"No."}}'))
  expect(await checkOf('server', {}, ['--url', bus.url])).toMatchObject(trouble(1, 'by this name', 'BUS_ALLOWED_HOSTS'))
})

test('a bus in maintenance', async () => {
  await using server = await TestServer.start({ isClockReal: true, maintenanceMode: true })
  expect(await checkOf('server', environmentOf(server))).toMatchObject({ outcome: 'warning', text: expect.stringContaining('maintenance') })
})
