import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { Command, environmentOf, jsonOf, runCli } from '../cli/cli.ts'
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
  expect(await jsonOf(['import', file, '--yes', '--without-secrets'], environmentOf(fresh))).toMatchObject({ code: 0 })
  expect(fresh.bus.counts.open).toBe(1)
  expect((await fresh.post('/intent', { goal: 'x', payload: 1 }, {}, key)).status).toBe(401)
})

test('--take-over makes the old main key and password those of the new bus, --settings takes what is not of the machine', async () => {
  await using old = await start()
  await using fresh = await start()
  using folder = temporaryFolder()
  const file = join(folder.path, 'moving.ndjson')
  await jsonOf(['keys', 'list'], environmentOf(old))
  const token = { 'X-Admin-Token': 'admin-token-of-the-tests' }
  const call = (server: TestServer, method: string, input: object) =>
    server.ask({ method: 'POST', path: `/admin/control/${method}`, body: JSON.stringify(input), headers: token })
  const { secret } = (await call(old, 'keys.rotateMain', {})).json.value as { secret: string }
  await call(old, 'settings.change', { fulfilledDays: 30, busName: 'the old one' })
  await runCli(['export', file, '--secrets'], { ...environmentOf(old), INTENT_BUS_PASSPHRASE: PASSPHRASE })
  const { code, stderr } = await runCli(['import', file, '--yes', '--take-over', '--settings'], { ...environmentOf(fresh), INTENT_BUS_PASSPHRASE: PASSPHRASE })
  expect(code).toBe(0)
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
