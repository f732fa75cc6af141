import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, test } from 'vitest'
import { BusProcess, cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'

/** `npm run doctor`, on folders that a bus has left in one state or another. */

let folder: ReturnType<typeof temporaryFolder>
beforeEach(async () => {
  folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': bus.mainKey }, body: { goal: 'g', payload: {} } })
  await bus.kill('SIGTERM')
  return () => folder[Symbol.dispose]()
})

function doctor(env: Readonly<Record<string, string>> = {}): { readonly code: number | null; readonly lines: readonly string[] } {
  const code = "import('./out/main/headless.js').then(({ runDoctor }) => runDoctor())"
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], {
    cwd: ROOT,
    env: { ...cleanEnvironment(), BUS_DATA_DIR: folder.path, BUS_PORT: '0', ...env },
    encoding: 'utf8'
  })
  return { code: status, lines: `${stdout}${stderr}`.split('\n') }
}

function line(lines: readonly string[], name: string): string {
  return lines.find((one) => one.slice(6).startsWith(name)) ?? ''
}

const database = (): string => join(folder.path, 'infrastructure.db')

test('finds nothing wrong with a bus that runs', async () => {
  await using bus = await BusProcess.start(folder.path)
  const { code, lines } = doctor()
  expect(line(lines, 'database')).toMatch(/^ok .*sound/)
  expect(line(lines, 'port')).toContain(`ok    port         The bus listens at ${bus.url}.`)
  for (const name of ['space', 'permissions', 'secrets', 'clock', 'sharing']) expect(line(lines, name)).toMatch(/^ok/)
  expect(code).toBe(0)
  // The bus tells the same of itself.
  const headers = { Authorization: `Basic ${Buffer.from(`admin:${bus.password}`).toString('base64')}` }
  const { json } = await ask(bus.url, { method: 'POST', path: '/admin/control/doctor.run', headers, body: {} })
  const found = (json as { value: { name: string; outcome: string }[] }).value
  expect(found.map(({ name }) => name)).toEqual(['database', 'space', 'backups', 'permissions', 'secrets', 'clock', 'port', 'sharing'])
  expect(found.filter(({ outcome }) => outcome === 'trouble')).toEqual([])
})

describe('without a bus', () => {
  test('says that none runs, and whether its port is free', async () => {
    const { code, lines } = doctor()
    expect(line(lines, 'port')).toMatch(/^FAIL .*No bus runs on this folder; port \d+ is free/)
    expect(code).toBe(1)
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    expect(line(doctor({ BUS_PORT: String(port) }).lines, 'port')).toContain(`port ${port} cannot be had (EADDRINUSE)`)
    other.close()
  })

  test('finds damage, and says how to get a backup back', () => {
    const db = new Database(database())
    db.exec("CREATE TABLE filler (t TEXT); INSERT INTO filler SELECT hex(randomblob(2000)) FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]')")
    db.pragma('wal_checkpoint(TRUNCATE)')
    db.close()
    const file = openSync(database(), 'r+')
    for (let page = 4; page < 12; page++) writeSync(file, Buffer.alloc(64, 0xee), 0, 64, page * 4_096)
    closeSync(file)
    const { code, lines } = doctor()
    expect(line(lines, 'database')).toMatch(/^FAIL .*damaged/)
    expect(lines.join('\n')).toContain('--restore-backup newest')
    expect(code).toBe(1)
  })

  test('finds a database that is gone', () => {
    rmSync(database())
    expect(line(doctor().lines, 'database')).toMatch(/^FAIL .*its file is not there/)
  })

  test.skipIf(process.platform === 'win32')('finds files that others may read, and a folder that they may change', () => {
    chmodSync(join(folder.path, 'main.key'), 0o644)
    expect(line(doctor().lines, 'permissions')).toMatch(/^FAIL .*can read .*main\.key/)
    chmodSync(folder.path, 0o777)
    expect(line(doctor().lines, 'permissions')).toMatch(/^FAIL .*can change what is in the data folder/)
  })

  test('finds a secret that is another than the one that counts, and one that is gone', () => {
    writeFileSync(join(folder.path, 'main.key'), 'bus_another\n', { mode: 0o600 })
    expect(line(doctor().lines, 'secrets')).toMatch(/^warn .*cannot show the main key:/)
    rmSync(join(folder.path, 'dashboard.password'))
    expect(line(doctor().lines, 'secrets')).toContain('the main key and the password')
    expect(line(doctor({ BUS_SECRET: 'x'.repeat(32), DASHBOARD_PASSWORD: 'y'.repeat(32) }).lines, 'secrets')).toMatch(/^ok .*in the environment/)
  })

  test('finds a clock that is behind, and one that was set', () => {
    const db = new Database(database())
    const now = Date.now() / 1000
    db.prepare('INSERT INTO gaps (at, seconds, cause, total) VALUES (?, ?, ?, ?)').run(now - 60, -7_200, 'clock', -7_200)
    expect(line(doctor().lines, 'clock')).toMatch(/^warn .*it was set 7,200 s back/)
    db.prepare('UPDATE intents SET created_at = ?').run(now + 86_400)
    db.close()
    expect(line(doctor().lines, 'clock')).toMatch(/^FAIL .*the clock is behind, or was ahead/)
  })

  test('finds no folder where there is none', () => {
    const { code, lines } = doctor({ BUS_DATA_DIR: join(folder.path, 'nowhere') })
    expect(lines[0]).toMatch(/^There is no folder .*nowhere/)
    expect(code).toBe(2)
  })

  test('changes nothing', () => {
    const before = spawnSync('sh', ['-c', `cd ${folder.path} && find . -type f ! -name '*-shm' ! -name '*-wal' -exec sha256sum {} + | sort`], { encoding: 'utf8' }).stdout
    doctor()
    const after = spawnSync('sh', ['-c', `cd ${folder.path} && find . -type f ! -name '*-shm' ! -name '*-wal' -exec sha256sum {} + | sort`], { encoding: 'utf8' }).stdout
    expect(after).toBe(before)
  })
})
