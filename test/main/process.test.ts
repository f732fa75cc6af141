import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { BusProcess, cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, signatureHeaders } from '../support/http-client.ts'

/** Runs the headless bus with a setting that must keep it from starting; gives exit code and the sentence it said. */
async function refused(dataDir: string, env: Record<string, string>, args: string[] = []) {
  await using bus = BusProcess.spawn(dataDir, env, args)
  const { code } = await bus.exited
  expect(bus.stdout).toBe('')
  const lines = bus.stderr.trim().split('\n')
  const { level, msg } = JSON.parse(lines.at(-1)!) as { level: number; msg: string }
  expect(level).toBe(60)
  return { code, msg, lines: lines.length }
}

test('the first line on standard output says where the bus listens; logs are JSON on standard error', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path, { BUS_LOG_LEVEL: 'debug' })
  expect(bus.events()[0]).toEqual({
    event: 'listening',
    pid: bus.process.pid,
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    interface: `${bus.url}/admin/`,
    main_key: { file: join(folder.path, 'main.key') },
    dashboard_password: { file: join(folder.path, 'dashboard.password') },
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/)
  })
  expect((await ask(bus.url, { path: '/health' })).json.ok).toBe(true)
  const { code } = await bus.kill('SIGTERM')
  expect(code).toBe(0)
  expect(bus.events().map(({ event }) => event)).toEqual(['listening', 'stopping', 'stopped'])
  for (const line of bus.stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level')
})

test('keys, claim tokens and passwords never reach the log, and success is logged only at debug level', async () => {
  using folder = temporaryFolder()
  const seen: string[] = []
  for (const level of ['debug', 'info']) {
    await using bus = await BusProcess.start(folder.path, { BUS_LOG_LEVEL: level })
    const key = bus.mainKey
    const headers = { 'X-API-KEY': key }
    const basic = Buffer.from(`admin:${bus.password}`).toString('base64')
    await ask(bus.url, { method: 'POST', path: '/intent', headers, body: { goal: 'g', payload: 'secret payload' } })
    const claimed = await ask(bus.url, { method: 'POST', path: `/claim?publisher=${key}`, headers })
    const { id, claim_token } = claimed.json
    await ask(bus.url, { method: 'POST', path: `/fulfill/${id}`, headers, body: { claim_token: 'wrong' } })
    await ask(bus.url, { method: 'POST', path: `/fulfill/${id}`, headers, body: { claim_token } })
    await ask(bus.url, { path: '/admin/dead', headers: { Authorization: `Basic ${basic}` } })
    await ask(bus.url, { path: '/admin/dead', headers: { Authorization: 'Basic YWRtaW46d3JvbmctcGFzc3dvcmQ=' } })
    await ask(bus.url, { path: `/status/${id}`, headers: signatureHeaders(key, 'GET', `/status/${id}`, '') })
    await bus.kill('SIGTERM')
    for (const secret of [key, bus.password, claim_token, basic, 'secret payload', 'wrong-password']) {
      expect(bus.stderr).not.toContain(secret)
    }
    seen.push(bus.stderr)
  }
  expect(seen[0]).toContain('"path":"/intent","status":201')
  expect(seen[1]).not.toContain('"status":20')
  expect(seen[1]).toContain('"status":404')
})

test('the database, the key, the password and the folder are nobody else’s to read', async () => {
  using folder = temporaryFolder()
  const dataDir = join(folder.path, 'made', 'by', 'the', 'bus')
  await using bus = await BusProcess.start(dataDir)
  await ask(bus.url, { method: 'POST', path: '/set/a', headers: { 'X-API-KEY': bus.mainKey }, body: { value: 1 } })
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  const files = ['main.key', 'dashboard.password', 'infrastructure.db', 'infrastructure.db-wal', 'running.json']
  for (const file of files) {
    expect(statSync(join(dataDir, file)).mode & 0o777, file).toBe(0o600)
  }
})

test('a second bus on the same folder is refused with one sentence that names the first; the lock dies with it', async () => {
  using folder = temporaryFolder()
  await using first = await BusProcess.start(folder.path)
  const second = await refused(folder.path, {})
  expect(second).toEqual({ code: 2, lines: 1, msg: expect.stringContaining(`at ${first.url} (process ${first.process.pid})`) })
  expect((await ask(first.url, { path: '/health' })).status).toBe(200)
  await first.kill('SIGKILL')
  await using third = await BusProcess.start(folder.path)
  expect(third.url).not.toBe('')
})

test('two folders cannot share a database either', async () => {
  using folder = temporaryFolder()
  const env = { BUS_DB_PATH: join(folder.path, 'shared', 'bus.db') }
  await using first = await BusProcess.start(join(folder.path, 'one'), env)
  const second = await refused(join(folder.path, 'two'), env)
  expect(second.code).toBe(2)
  expect(second.msg).toContain('Another bus holds')
  expect(first.process.exitCode).toBeNull()
})

test.each([
  ['BUS_PORT', '70000', 'BUS_PORT must be a whole number from 0 to 65535'],
  ['BUS_PORT', 'http', 'BUS_PORT must be a whole number'],
  ['BUS_TRUST_PROXY', 'perhaps', 'BUS_TRUST_PROXY must be true or false'],
  ['BUS_CLEANUP_INTERVAL_SECONDS', '10', 'from 300 to 86400'],
  ['BUS_SECRET', 'dev_secret', 'must not be "dev_secret"'],
  ['BUS_SECRET', '', 'BUS_SECRET is empty'],
  ['BUS_ADMIN_SECRET', '', 'BUS_ADMIN_SECRET is empty'],
  ['DASHBOARD_PASSWORD', '', 'DASHBOARD_PASSWORD is empty'],
  ['BUS_METRICS_TOKEN', '', 'BUS_METRICS_TOKEN is empty'],
  ['BUS_LOG_LEVEL', 'loud', 'BUS_LOG_LEVEL must be one of'],
  ['BUS_ALLOWED_ORIGINS', 'example.com', 'BUS_ALLOWED_ORIGINS must be exact origins'],
  ['BUS_HOST', '203.0.113.7', 'is not an address of this machine'],
  ['BUS_DATA_DIR', '/proc/nowhere', 'cannot be written to']
])('%s=%s keeps the bus from starting, with one sentence', async (name, value, sentence) => {
  using folder = temporaryFolder()
  const { code, msg, lines } = await refused(folder.path, { [name]: value })
  expect(code).toBe(2)
  expect(lines).toBe(1)
  expect(msg).toContain(sentence)
})

test('an unknown option is refused', async () => {
  using folder = temporaryFolder()
  expect((await refused(folder.path, {}, ['--verbose'])).msg).toContain('--verbose is not an option')
})

test('a taken port is refused with one sentence and leaves the folder usable', async () => {
  using folder = temporaryFolder()
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const port = String((other.address() as AddressInfo).port)
  const { code, msg } = await refused(folder.path, { BUS_PORT: port })
  other.close()
  expect(code).toBe(2)
  expect(msg).toContain(`Port ${port} on 127.0.0.1 is taken`)
  await using bus = await BusProcess.start(folder.path)
  expect(bus.mainKey).not.toBe('')
})

test('a file where the folder should be is refused', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'a-file')
  writeFileSync(path, '')
  expect((await refused(path, {})).msg).toContain('cannot be written to')
})

test('a database from the future, of another program or damaged is refused and not touched', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'infrastructure.db')
  const make = (sql: string): Buffer => {
    const db = new Database(path)
    db.exec(sql)
    db.close()
    return readFileSync(path)
  }
  const cases: [() => Buffer, string][] = [
    [() => make('CREATE TABLE intents (id TEXT PRIMARY KEY)'), 'is a database of another program'],
    [() => make('PRAGMA application_id = 1229092211; PRAGMA user_version = 999'), 'was written by a newer version'],
    [
      () => {
        writeFileSync(path, 'this is no database, but it is long enough to look like one '.repeat(20))
        return readFileSync(path)
      },
      'file is not a database'
    ]
  ]
  for (const [prepare, sentence] of cases) {
    const before = prepare()
    const { code, msg } = await refused(folder.path, {})
    expect(code).toBe(1)
    expect(msg).toContain(sentence)
    expect(readFileSync(path).equals(before)).toBe(true)
  }
  expect(existsSync(join(folder.path, 'main.key'))).toBe(false)
})

test.each(['SIGTERM', 'SIGINT'] as const)('%s answers what is under way, takes nothing new and exits with 0', async (signal) => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const { port } = new URL(bus.url)
  const body = '{"goal":"late","payload":1}'
  const socket = connect(Number(port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
  socket.write(
    `POST /intent HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: ${bus.mainKey}\r\nContent-Length: ${body.length}\r\n\r\n`
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  const started = performance.now()
  bus.process.kill(signal)
  await new Promise((resolve) => setTimeout(resolve, 100))
  await expect(ask(bus.url, { path: '/health' })).rejects.toThrow(/ECONNREFUSED|ECONNRESET/)
  socket.write(body)
  expect(await bus.exited).toEqual({ code: 0, signal: null })
  expect(performance.now() - started).toBeLessThan(5_000)
  expect(answer).toContain('HTTP/1.1 201 Created')
  expect(answer).toContain('Connection: close')
  // A database that was closed properly has no log left over.
  expect(existsSync(join(folder.path, 'infrastructure.db-wal'))).toBe(false)
  const db = new Database(join(folder.path, 'infrastructure.db'), { readonly: true })
  expect(db.prepare('SELECT goal FROM intents').pluck().all()).toEqual(['late'])
  db.close()
})

test('a request that never ends does not keep the bus from stopping within five seconds', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const socket = connect(Number(new URL(bus.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`POST /intent HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: ${bus.mainKey}\r\nContent-Length: 100\r\n\r\n`)
  await new Promise((resolve) => setTimeout(resolve, 100))
  const started = performance.now()
  expect((await bus.kill('SIGTERM')).code).toBe(0)
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('the main key can be rotated: the old one is refused, and its intents are still there', async () => {
  using folder = temporaryFolder()
  let oldKey = ''
  {
    await using bus = await BusProcess.start(folder.path)
    oldKey = bus.mainKey
    await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': oldKey }, body: { goal: 'g', payload: 1 } })
    await bus.kill('SIGTERM')
  }
  await using bus = await BusProcess.start(folder.path, {}, ['--rotate-main-key'])
  expect(bus.mainKey).not.toBe(oldKey)
  expect((await ask(bus.url, { method: 'POST', path: '/claim', headers: { 'X-API-KEY': oldKey } })).status).toBe(401)
  expect((await ask(bus.url, { method: 'POST', path: '/claim', headers: { 'X-API-KEY': bus.mainKey } })).status).toBe(200)
})

test('a session outlives a restart, but not a password that was replaced', async () => {
  using folder = temporaryFolder()
  let secret = ''
  let half = ''
  for (const [args, expected] of [[[], 200], [[], 200], [['--rotate-dashboard-password'], 401]] as const) {
    await using bus = await BusProcess.start(folder.path, {}, args)
    if (secret === '') {
      const body = { password: readFileSync(join(folder.path, 'dashboard.password'), 'utf8').trim() }
      const { status, headers, json } = await ask(bus.url, { method: 'POST', path: '/admin/control/login', body })
      expect(status).toBe(expected)
      secret = /=([^;]+);/.exec(String(headers['set-cookie']))![1]!
      half = json.value.session
    } else {
      // The port, which is another one each time, is part of the cookie's name.
      const headers = { Cookie: `intent_bus_${new URL(bus.url).port}=${secret}`, 'X-Intent-Session': half, 'Content-Type': 'application/json' }
      expect((await ask(bus.url, { method: 'POST', path: '/admin/control/status.get', headers })).status).toBe(expected)
    }
    await bus.kill('SIGTERM')
  }
})

test('a lost key file never makes a second main key', async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BusProcess.start(folder.path)
    await bus.kill('SIGTERM')
  }
  const path = join(folder.path, 'main.key')
  const key = readFileSync(path, 'utf8').trim()
  spawnSync('rm', [path])
  await using bus = await BusProcess.start(folder.path)
  expect(existsSync(path)).toBe(false)
  expect(bus.events()[0]!.main_key).toEqual({ missing_file: path })
  expect((await ask(bus.url, { method: 'POST', path: '/claim', headers: { 'X-API-KEY': key } })).status).toBe(204)
})

test('a key file that others can read is warned about', async () => {
  using folder = temporaryFolder()
  mkdirSync(folder.path, { recursive: true })
  writeFileSync(join(folder.path, 'main.key'), 'a-key-of-my-own\n')
  chmodSync(join(folder.path, 'main.key'), 0o644)
  await using bus = await BusProcess.start(folder.path)
  expect(bus.mainKey).toBe('a-key-of-my-own')
  expect((await ask(bus.url, { method: 'POST', path: '/claim', headers: { 'X-API-KEY': 'a-key-of-my-own' } })).status).toBe(204)
  await bus.kill('SIGTERM')
  expect(bus.stderr).toContain('other users of this machine can read this secret')
})

test('secrets of the environment count before those of the folder', async () => {
  using folder = temporaryFolder()
  const env = { BUS_SECRET: 'from the environment', DASHBOARD_PASSWORD: 'pass word', BUS_METRICS_TOKEN: 'metrics' }
  await using bus = await BusProcess.start(folder.path, env)
  expect(existsSync(join(folder.path, 'main.key'))).toBe(false)
  const headers = { 'X-API-KEY': 'from the environment' }
  expect((await ask(bus.url, { method: 'POST', path: '/claim', headers })).status).toBe(204)
  const basic = `Basic ${Buffer.from('admin:pass word').toString('base64')}`
  expect((await ask(bus.url, { path: '/admin/dead', headers: { Authorization: basic } })).status).toBe(200)
  expect((await ask(bus.url, { path: '/metrics', headers: { Authorization: 'Bearer metrics' } })).status).toBe(200)
})

test('npm start says in one line why there is no window, and what to do next', async () => {
  using folder = temporaryFolder()
  const env = { ...cleanEnvironment(), BUS_DATA_DIR: folder.path, BUS_PORT: '0' }
  const npm = spawn('npm', ['start'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  npm.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const ended = new Promise<number | null>((resolve) => void npm.on('close', resolve))
  while (!output.includes('Ctrl+C')) await new Promise((resolve) => setTimeout(resolve, 50))
  expect(output).toContain('Intent Bus is running without a window: there is no display.')
  const key = readFileSync(join(folder.path, 'main.key'), 'utf8').trim()
  expect(output).not.toContain(key)
  const curl = /Publish +(curl .*)/.exec(output)![1]!
  const { stdout } = spawnSync('sh', ['-c', `${curl} -sS`], { encoding: 'utf8' })
  expect(JSON.parse(stdout)).toMatchObject({ status: 'published' })
  // npm does not pass the signal on; the bus notices all the same and closes its database.
  npm.kill('SIGTERM')
  await ended
  expect(existsSync(join(folder.path, 'infrastructure.db-wal'))).toBe(false)
  expect(existsSync(join(folder.path, 'running.json'))).toBe(false)
})

test('a database whose tables are damaged is refused with one sentence and not touched', async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BusProcess.start(folder.path)
    await bus.kill('SIGTERM')
  }
  const path = join(folder.path, 'infrastructure.db')
  const bytes = readFileSync(path)
  // The first page, with the schema, stays good.
  bytes.fill(0x5a, 4_096)
  writeFileSync(path, bytes)
  const { code, msg, lines } = await refused(folder.path, {})
  expect({ code, lines }).toEqual({ code: 1, lines: 1 })
  expect(msg).toContain('is damaged')
  expect(readFileSync(path).equals(bytes)).toBe(true)
})

test('with one secret in the environment, a rotation of both changes neither', async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BusProcess.start(folder.path)
    await bus.kill('SIGTERM')
  }
  const before = readFileSync(join(folder.path, 'main.key'), 'utf8')
  const args = ['--rotate-main-key', '--rotate-dashboard-password']
  const { msg } = await refused(folder.path, { DASHBOARD_PASSWORD: 'given' }, args)
  expect(msg).toContain('DASHBOARD_PASSWORD decides this secret')
  expect(readFileSync(join(folder.path, 'main.key'), 'utf8')).toBe(before)
})

test('what a start was told to replace is in the audit trail, over restarts', async () => {
  using folder = temporaryFolder()
  const events: string[][] = []
  for (const args of [[], ['--rotate-main-key', '--rotate-dashboard-password'], []]) {
    await using bus = await BusProcess.start(folder.path, {}, args)
    const password = readFileSync(join(folder.path, 'dashboard.password'), 'utf8').trim()
    const headers = { Authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` }
    const { json } = await ask(bus.url, { method: 'POST', path: '/admin/control/audit.list', headers })
    const entries = json.value.entries.map(({ event, actor }: { event: string; actor: string }) => `${event} ${actor}`)
    // That of this very request is of no concern.
    events.push(entries.filter((entry: string) => entry !== 'login password'))
    await bus.kill('SIGKILL')
  }
  const second = ['bus.started headless', 'password.changed headless', 'key.rotated headless', 'bus.started headless']
  expect(events).toEqual([['bus.started headless'], second, ['bus.started headless', ...second]])
})
