import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { childEnvironment, CLI, Command, environmentOf, jsonOf, runCli } from '../cli/cli.ts'
import { temporaryFolder } from '../support/folders.ts'
import { TestServer } from '../support/test-server.ts'
import { PASSPHRASE } from './moving.ts'
import { ReferenceDatabase } from './reference-database.ts'

function start(): Promise<TestServer> {
  return TestServer.start({ isClockReal: true })
}

/** The database, its log and what else lies beside it, with their digests and times. */
function stateOf(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !name.endsWith('-shm'))
  return Object.fromEntries(names.map((name) => [name, `${createHash('sha256').update(readFileSync(join(folder, name))).digest('hex')} ${statSync(join(folder, name)).mtimeMs}`]))
}

test('a bus moves by two commands: its intents are claimed and its keys work there', async () => {
  await using old = await start()
  await using fresh = await start()
  using folder = temporaryFolder()
  const file = join(folder.path, 'moving.ndjson')
  const key = await old.newKey('raspberry pi')
  const id = await old.publish({ goal: 'mine', payload: { n: 1 } }, key)
  const forWorker = await old.publish({ goal: 'public', visibility: 'public', payload: { text: 'hello' } })
  const exported = await jsonOf(['export', file, '--secrets'], { ...environmentOf(old), INTENT_BUS_PASSPHRASE: PASSPHRASE })
  expect(exported).toMatchObject({ code: 0, value: { counts: { keys: 1, intents: { open: 2 } } } })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder.path)).toEqual(['moving.ndjson'])
  const env = { ...environmentOf(fresh), INTENT_BUS_PASSPHRASE: PASSPHRASE }
  const { code, stdout, stderr } = await runCli(['import', file, '--yes'], env)
  expect(stderr).toContain('2 intents and 1 key')
  expect({ code, stdout }).toEqual({ code: 0, stdout: '2 intents added.\n1 key added.\n' })
  expect((await fresh.post('/intent', { goal: 'new', payload: {} }, {}, key)).status).toBe(201)
  expect((await fresh.post('/claim?goal=mine', undefined, {}, key)).json).toMatchObject({ id, goal: 'mine' })
  expect((await fresh.get(`/status/${id}`, {}, key)).json.status).toBe('claimed')
  {
    await using worker = new Command(['work', 'public', '--', 'cat'], { ...env, INTENT_API_KEY: key })
    while ((await fresh.get(`/status/${forWorker}`)).json.status !== 'fulfilled') await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await fresh.get(`/result/${forWorker}`)).json.result).toEqual({ text: 'hello' })
    await worker.kill('SIGTERM')
  }
  expect((await runCli(['import', file, '--yes'], env)).stdout).toBe('0 intents added, 2 there already.\n0 keys added, 1 there already.\n')
  const trail = (await fresh.ask({ method: 'POST', path: '/admin/control/audit.list', body: '{}', headers: { 'X-Admin-Token': 'admin-token-of-the-tests' } })).json
  expect((trail.value as { entries: { event: string }[] }).entries.map(({ event }) => event)).toContain('data.imported')
})

test('a wrong passphrase changes nothing, and none leaves the secrets out', async () => {
  await using old = await start()
  await using fresh = await start()
  using folder = temporaryFolder()
  const file = join(folder.path, 'moving.ndjson')
  const key = await old.newKey('raspberry pi')
  await old.publish()
  await runCli(['export', file, '--secrets'], { ...environmentOf(old), INTENT_BUS_PASSPHRASE: PASSPHRASE })
  const wrong = await runCli(['import', file, '--yes'], { ...environmentOf(fresh), INTENT_BUS_PASSPHRASE: 'not the one at all' })
  expect(wrong).toMatchObject({ code: 1, stdout: '' })
  expect(wrong.stderr).toContain('This is not the passphrase of the export. Nothing was imported.')
  const none = await runCli(['import', file, '--yes'], environmentOf(fresh))
  expect(none).toMatchObject({ code: 2 })
  expect(none.stderr).toContain('--without-secrets')
  expect(fresh.bus.counts.open).toBe(0)
  // Neither left the file behind.
  expect(readdirSync(join(dirname(fresh.databasePath), 'imports'))).toEqual([])
  const without = await runCli(['import', file, '--yes', '--without-secrets'], environmentOf(fresh))
  expect(without).toMatchObject({ code: 0, stdout: '1 intent added.\n1 key by name only: they let nobody in; import again with the passphrase.\n' })
  expect(fresh.bus.counts.open).toBe(1)
  expect((await fresh.post('/intent', { goal: 'x', payload: 1 }, {}, key)).status).toBe(401)
  const later = await runCli(['import', file, '--yes'], { ...environmentOf(fresh), INTENT_BUS_PASSPHRASE: PASSPHRASE })
  expect(later.stdout).toBe('0 intents added, 1 there already.\n1 key completed: here by name only until now, and good for requests again.\n')
  expect((await fresh.post('/intent', { goal: 'x', payload: 1 }, {}, key)).status).toBe(201)
})

test('--take-over makes the old main key and password those of the new bus, --settings takes what is not of the machine and says what changes', async () => {
  await using old = await start()
  await using fresh = await start()
  using folder = temporaryFolder()
  const file = join(folder.path, 'moving.ndjson')
  await jsonOf(['keys', 'list'], environmentOf(old))
  const token = { 'X-Admin-Token': 'admin-token-of-the-tests' }
  const call = (server: TestServer, method: string, input: object) =>
    server.ask({ method: 'POST', path: `/admin/control/${method}`, body: JSON.stringify(input), headers: token })
  await old.publish()
  const { secret } = (await call(old, 'keys.rotateMain', {})).json.value as { secret: string }
  await call(old, 'settings.change', { fulfilledDays: 30, busName: 'the old one' })
  await call(fresh, 'settings.change', { requireSignatures: true })
  const next = 'password of the old bus'
  expect((await call(old, 'access.changePassword', { next })).status).toBe(200)
  await runCli(['export', file, '--secrets'], { ...environmentOf(old), INTENT_BUS_PASSWORD: next, INTENT_BUS_PASSPHRASE: PASSPHRASE })
  const { code, stdout, stderr } = await runCli(['import', file, '--yes', '--take-over', '--settings'], { ...environmentOf(fresh), INTENT_BUS_PASSPHRASE: PASSPHRASE })
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1 intent added.\n' })
  expect(stderr.split('\n')).toEqual(expect.arrayContaining(['Setting fulfilledDays: 7 becomes 30.', 'Setting requireSignatures: true becomes false.']))
  expect(stderr.match(/^Setting /gm)).toHaveLength(2)
  expect(stderr).toContain('The password of the old bus is the password here from now on.')
  expect((await runCli(['keys', 'list'], environmentOf(fresh))).code).toBe(4)
  expect((await runCli(['keys', 'list'], { ...environmentOf(fresh), INTENT_BUS_PASSWORD: next })).code).toBe(0)
  expect(stderr).toContain('The main key of the old bus is the main key here from now on.')
  expect((await fresh.post('/intent', { goal: 'x', payload: 1 }, {}, secret)).status).toBe(201)
  expect((await fresh.post('/intent', { goal: 'x', payload: 1 })).status).toBe(401)
  const { values } = (await call(fresh, 'settings.get', {})).json.value as { values: { fulfilledDays: number; busName: string } }
  expect(values).toMatchObject({ fulfilledDays: 30, busName: '' })
})

test('the database of the reference server comes over with its log, and neither is touched', async () => {
  using old = new ReferenceDatabase()
  using folder = temporaryFolder()
  const now = Date.now() / 1000
  const key = `tk_${'0a'.repeat(20)}`
  old.insert('tester_keys', { api_key: key, owner: 'pi', total_requests: 1, created_at: now })
  const row = { id: 'ab'.repeat(16), goal: 'old', payload: '{"n":12345678901234567890}', status: 'open', created_at: now - 5, expires_at: now + 900, run_at: now - 5, publisher: key }
  old.insert('intents', row)
  const path = join(folder.path, 'infrastructure.db')
  old.copyTo(path)
  const before = stateOf(folder.path)
  expect(Object.keys(before)).toEqual(['infrastructure.db', 'infrastructure.db-wal'])
  await using fresh = await start()
  const { code, stdout, stderr } = await runCli(['import', path, '--yes'], environmentOf(fresh))
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1 intent added.\n1 key added.\n' })
  expect(stderr).toContain('A database of the reference server: 1 intent and 1 key.')
  expect(stderr + stdout).not.toContain('tk_')
  expect(stateOf(folder.path)).toEqual(before)
  // A worker with its old key gets it.
  const claim = await fresh.post('/claim?goal=old', undefined, {}, key)
  expect(claim.text).toContain('"payload":{"n":12345678901234567890}')
})

test('a file that cannot be used is refused in one sentence, and nothing is left of it', async () => {
  await using fresh = await start()
  using folder = temporaryFolder()
  const file = join(folder.path, 'letter.txt')
  writeFileSync(file, 'Dear bus,\n')
  const { code, stderr } = await runCli(['import', file, '--yes'], environmentOf(fresh))
  expect(code).toBe(1)
  expect(stderr).toBe('intent-bus: This is no export of an Intent Bus: its first line does not say that it is one.\n')
  expect((await runCli(['import', join(folder.path, 'nothing'), '--yes'], environmentOf(fresh))).stderr).toContain('cannot be read (ENOENT)')
  expect((await runCli(['export', file], environmentOf(fresh))).stderr).toContain('is there already')
  expect(readFileSync(file, 'utf8')).toBe('Dear bus,\n')
  expect(readdirSync(join(dirname(fresh.databasePath), 'imports'))).toEqual([])
})

test('an export goes to standard output, too, and one that fails leaves no file', async () => {
  await using old = await start()
  using folder = temporaryFolder()
  await old.publish({ goal: 'there' })
  const { code, stdout } = await runCli(['export', '-'], environmentOf(old))
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines[0]).toMatchObject({ format: 'intent-bus-export', version: 1, counts: { intents: { open: 1 }, saved_views: 0 } })
  expect(lines.at(-1)).toMatchObject({ type: 'end', lines: lines.length - 1 })
  const file = join(folder.path, 'moving.ndjson')
  const failed = await runCli(['export', file], { ...environmentOf(old), INTENT_BUS_PASSWORD: 'wrong password' })
  expect(failed.code).toBe(4)
  expect(existsSync(file) || existsSync(`${file}.part`)).toBe(false)
})

test('a compressed export comes from a file or from standard input, and a damaged one says so', async () => {
  await using old = await start()
  await using fresh = await start()
  using folder = temporaryFolder()
  for (let i = 0; i < 200; i++) await old.publish({ goal: 'moved', payload: randomBytes(3_000).toString('hex') })
  const { stdout: plain } = await runCli(['export', '-'], environmentOf(old))
  const file = join(folder.path, 'moving.ndjson.gz')
  writeFileSync(file, gzipSync(plain))
  expect(await runCli(['import', file, '--yes'], environmentOf(fresh))).toMatchObject({ code: 0, stdout: '200 intents added.\n' })
  const present = { code: 0, stdout: '0 intents added, 200 there already.\n' }
  const piped = new Command(['import', '-', '--yes'], environmentOf(fresh), gzipSync(plain))
  expect(await piped.finished).toMatchObject(present)
  const pipedPlain = new Command(['import', '-', '--yes'], environmentOf(fresh), plain)
  expect(await pipedPlain.finished).toMatchObject(present)
  const compressed = gzipSync(plain)
  writeFileSync(file, compressed.subarray(0, compressed.length - 100))
  const cut = await runCli(['import', file, '--yes'], environmentOf(fresh))
  expect(cut).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be decompressed: it was cut off, or it is damaged.\nCopy it again.') as string })
  expect(readdirSync(join(dirname(fresh.databasePath), 'imports'))).toEqual([])
  expect(await runCli(['import', '-'], environmentOf(fresh))).toMatchObject({ code: 2, stderr: expect.stringContaining('Add --yes') as string })
})

test('what is left out is told once', async () => {
  using old = new ReferenceDatabase()
  using folder = temporaryFolder()
  const now = Date.now() / 1000
  const row = { payload: '{}', status: 'open', created_at: now, expires_at: now + 900, run_at: now, publisher: 'x' }
  old.insert('intents', { ...row, id: 'ab'.repeat(16), goal: 'fine' })
  old.insert('intents', { ...row, id: 'cd'.repeat(16), goal: 'nan', payload: 'NaN' })
  const path = join(folder.path, 'infrastructure.db')
  old.copyTo(path)
  await using fresh = await start()
  const { code, stdout, stderr } = await runCli(['import', path, '--yes'], environmentOf(fresh))
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1 intent added, 1 left out.\n' })
  expect(stderr.split('its payload is not JSON')).toHaveLength(2)
})

test('what would be deleted soon after is told beforehand, with what to do', async () => {
  await using old = await start()
  await using fresh = await start()
  using folder = temporaryFolder()
  for (let i = 0; i < 250; i++) await old.publish({ goal: 'moved', payload: randomBytes(3_000).toString('hex') })
  const { id, claim_token } = (await old.post('/claim?goal=moved')).json as { id: string; claim_token: string }
  await old.post(`/fulfill/${id}`, { claim_token })
  await fresh.ask({ method: 'POST', path: '/admin/control/settings.change', body: '{"maxDatabaseMegabytes":1}', headers: { 'X-Admin-Token': 'admin-token-of-the-tests' } })
  const file = join(folder.path, 'moving.ndjson')
  await runCli(['export', file], environmentOf(old))
  const { stderr } = await runCli(['import', file, '--yes'], environmentOf(fresh))
  expect(stderr).toMatch(/warning: the database would have about \d MB, and may have 1 MB: the oldest finished intents would be deleted soon after\. Raise the bound first/)
})

test('Ctrl+C leaves nothing of a file that was on its way', async () => {
  await using fresh = await start()
  const child = spawn(process.execPath, [CLI, 'import', '-', '--yes'], { env: childEnvironment(environmentOf(fresh)), stdio: 'pipe' })
  try {
    child.stdin.on('error', () => {})
    child.stdin.write(Buffer.alloc(3_000_000, 'x'))
    const imports = join(dirname(fresh.databasePath), 'imports')
    while (!existsSync(imports) || readdirSync(imports).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const ended = once(child, 'close')
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    expect(readdirSync(imports)).toEqual([])
  } finally {
    child.kill('SIGKILL')
  }
})
