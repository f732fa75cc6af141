import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { beforeEach, describe, expect, test } from 'vitest'
import { backupFolderOf } from '../../src/main/backups/safety-net.ts'
import { DamagedDatabaseError, openAside, openForReading } from '../../src/main/bus/store/database.ts'
import { examineDatabase } from '../../src/main/doctor/database.ts'
import type { DoctorCheck } from '../../src/shared/control/doctor-views.ts'
import { BUILT_HEADLESS, BusProcess, cleanEnvironment } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, type HttpAnswer } from '../support/http-client.ts'
import { SmallDisk } from '../support/small-disk.ts'

/** `npm run doctor`, on folders that a bus has left in one state or another. */

let folder: ReturnType<typeof temporaryFolder>
beforeEach(async () => {
  folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': bus.mainKey }, body: { goal: 'g', payload: {} } })
  await bus.kill('SIGTERM')
  return () => folder[Symbol.dispose]()
})

const DOCTOR = `import(${JSON.stringify(pathToFileURL(BUILT_HEADLESS))}).then(({ runDoctor }) => runDoctor())`

interface Found {
  readonly code: number | null
  readonly lines: readonly string[]
}

function environment(env: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ...cleanEnvironment(), BUS_DATA_DIR: folder.path, BUS_PORT: '0', ...env }
}

function doctor(env: Readonly<Record<string, string>> = {}): Found {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', DOCTOR], { env: environment(env), encoding: 'utf8' })
  return { code: status, lines: `${stdout}${stderr}`.split('\n') }
}

async function doctorOn(disk: SmallDisk): Promise<Found> {
  const child = disk.spawn(process.execPath, ['-e', DOCTOR], { env: environment({ BUS_DATA_DIR: disk.path }), stdio: ['ignore', 'pipe', 'inherit'] })
  let stdout = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, lines: stdout.split('\n') }
}

function control(bus: BusProcess, method: string): Promise<HttpAnswer> {
  const headers = { Authorization: `Basic ${Buffer.from(`admin:${bus.password}`).toString('base64')}` }
  return ask(bus.url, { method: 'POST', path: `/admin/control/${method}`, headers, body: {} })
}

/** Overwrites pieces of pages. */
function damage(): void {
  const db = new Database(database())
  db.exec("CREATE TABLE IF NOT EXISTS filler (t TEXT); INSERT INTO filler SELECT hex(randomblob(2000)) FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]')")
  db.pragma('wal_checkpoint(TRUNCATE)')
  db.close()
  const file = openSync(database(), 'r+')
  for (let page = 4; page < 12; page++) writeSync(file, Buffer.alloc(64, 0xee), 0, 64, page * 4_096)
  closeSync(file)
}

/** Leaves a log of several transactions beside the database. */
async function crashWithLog(): Promise<void> {
  await using bus = await BusProcess.start(folder.path)
  const body = { goal: 'g', payload: 'x'.repeat(2_000) }
  for (let n = 0; n < 20; n++) await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': bus.mainKey }, body })
  await bus.kill('SIGKILL')
}

/** Of all files but the index of the log, which is made anew whenever the database is opened, and a log without anything in it. */
function digests(): string {
  return spawnSync('sh', ['-c', `find . -type f ! -name '*-shm' ! '(' -name '*-wal' -size 0 ')' -exec sha256sum {} + | sort -k 2`], { cwd: folder.path, encoding: 'utf8' }).stdout
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
  const { json } = await control(bus, 'doctor.run')
  const found = (json as { value: { name: string; outcome: string }[] }).value
  expect(found.map(({ name }) => name)).toEqual(['database', 'space', 'backups', 'permissions', 'secrets', 'clock', 'port', 'sharing'])
  expect(found.filter(({ outcome }) => outcome === 'trouble')).toEqual([])
})

test('of a bus whose database is damaged, the interface gets all that can be known', async () => {
  await using bus = await BusProcess.start(folder.path)
  await control(bus, 'backups.make')
  damage()
  const damaged = await control(bus, 'doctor.run')
  expect(damaged.status).toBe(200)
  // What the clock is compared with may lie in what is damaged.
  expect(damaged.json.value.map(({ name }: DoctorCheck) => name)).toEqual(expect.arrayContaining(['database', 'space', 'backups', 'permissions', 'secrets', 'port', 'sharing']))
  const found = { name: 'database', outcome: 'trouble', text: expect.stringContaining('is damaged'), next: expect.stringMatching(/^Restore the backup of .* UTC, under Storage\.$/) }
  expect(damaged.json.value[0]).toMatchObject(found)
  rmSync(database())
  const gone = await control(bus, 'doctor.run')
  expect(gone.status).toBe(200)
  expect(gone.json.value[0]).toMatchObject(found)
})

test('of a bus whose database is gone, the interface gets all that can be known', async () => {
  await using bus = await BusProcess.start(folder.path)
  rmSync(database())
  const { status, json } = await control(bus, 'doctor.run')
  expect(status).toBe(200)
  expect(json.value[0]).toMatchObject({ name: 'database', outcome: 'trouble', text: expect.stringMatching(/gone|deleted/), next: expect.stringContaining('under Storage') })
})

test('a log that a running bus begins anew under the eyes of the doctor is no damage, one that stays so is', async () => {
  await crashWithLog()
  const log = `${database()}-wal`
  const good = readFileSync(log)
  const bad = Buffer.from(good).fill(0xee, good.length / 2, good.length / 2 + 64)
  const backups = backupFolderOf(folder.path)
  writeFileSync(log, bad)
  expect((await examineDatabase(database(), backups, true)).check).toMatchObject({ outcome: 'trouble', text: expect.stringContaining('its log') })
  expect((await examineDatabase(database(), backups, false)).check).toMatchObject({ outcome: 'trouble' })
  const found = examineDatabase(database(), backups, true)
  // The first look is over.
  writeFileSync(log, good)
  expect((await found).check).toMatchObject({ outcome: 'fine', text: expect.stringContaining('sound') })
})

describe('without a bus', () => {
  test('a free port is fine, and the next thing is to start', () => {
    const { code, lines } = doctor()
    expect(line(lines, 'port')).toMatch(/^ok .*No bus runs on this folder/)
    expect(lines.join('\n')).toContain('Start the bus: npm start.')
    expect(code).toBe(0)
  })

  test('the port is that of the settings, and another program on it is trouble', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    writeFileSync(join(folder.path, 'settings.json'), JSON.stringify({ port }))
    const { code, lines } = doctor({ BUS_PORT: '' })
    expect(line(lines, 'port')).toMatch(new RegExp(`^FAIL .*another program has port ${port}\\.$`))
    expect(code).toBe(1)
    await new Promise((resolve) => other.close(resolve))
    const after = doctor({ BUS_PORT: '' })
    expect(line(after.lines, 'port')).toMatch(new RegExp(`^ok .*port ${port} is free\\.$`))
    expect(after.code).toBe(0)
  })

  test('settings that cannot be used are told, and the rest is looked at', () => {
    writeFileSync(join(folder.path, 'settings.json'), '{')
    const { code, lines } = doctor({ BUS_PORT: '' })
    expect(line(lines, 'port')).toMatch(/^FAIL .*settings\.json cannot be used/)
    expect(line(lines, 'database')).toMatch(/^ok/)
    expect(code).toBe(1)
  })

  test('after a crash the port is free again', async () => {
    await using bus = await BusProcess.start(folder.path)
    await bus.kill('SIGKILL')
    const { code, lines } = doctor()
    expect(line(lines, 'port')).toMatch(/^ok .*No bus runs on this folder/)
    expect(code).toBe(0)
  })

  test.skipIf(process.platform === 'win32')('a bus that hangs is trouble', { timeout: 60_000 }, async () => {
    await using bus = await BusProcess.start(folder.path)
    bus.process.kill('SIGSTOP')
    const { code, lines } = doctor()
    bus.process.kill('SIGCONT')
    expect(line(lines, 'port')).toContain(`FAIL  port         The bus of this folder does not answer at ${bus.url}.`)
    expect(lines.join('\n')).toContain(`End its process ${bus.process.pid}`)
    expect(code).toBe(1)
  })

  test('finds damage, and names a backup only where there is a good one', async () => {
    damage()
    const without = doctor()
    expect(line(without.lines, 'database')).toMatch(/^FAIL .*damaged/)
    expect(without.lines.join('\n')).toContain('--start-empty')
    expect(without.lines.join('\n')).not.toContain('--restore-backup')
    expect(without.code).toBe(1)
    rmSync(database())
    await using bus = await BusProcess.start(folder.path)
    await control(bus, 'backups.make')
    await bus.kill('SIGTERM')
    damage()
    const { code, lines } = doctor()
    expect(line(lines, 'database')).toMatch(/^FAIL .*damaged/)
    expect(lines.join('\n')).toMatch(/--restore-backup newest, which restores the backup of .* UTC\./)
    expect(lines.join('\n')).not.toContain('--start-empty')
    expect(code).toBe(1)
  })

  test('finds a log that the next start refuses', async () => {
    await crashWithLog()
    const file = openSync(`${database()}-wal`, 'r+')
    writeSync(file, Buffer.alloc(64, 0xee), 0, 64, Math.floor(statSync(`${database()}-wal`).size / 2))
    closeSync(file)
    const before = digests()
    const { code, lines } = doctor()
    expect(digests()).toEqual(before)
    expect(line(lines, 'database')).toMatch(/^FAIL .*its log has changes that cannot be read/)
    expect(lines.join('\n')).toContain('--keep-readable')
    expect(code).toBe(1)
    expect((await BusProcess.spawn(folder.path).exited).code).toBe(1)
  })

  test('leaves the log of a database whose file was emptied or deleted', async () => {
    await crashWithLog()
    truncateSync(database(), 0)
    const before = digests()
    expect(before).toContain('infrastructure.db-wal')
    expect(line(doctor().lines, 'database')).toMatch(/^FAIL .*its file is empty or gone, while its log is there/)
    expect(digests()).toBe(before)
    // Whoever else opens it: the guard is where it is opened.
    expect(() => openAside(database())).toThrow(DamagedDatabaseError)
    expect(() => openForReading(database())).toThrow(DamagedDatabaseError)
    expect(digests()).toBe(before)
    rmSync(database())
    const log = digests()
    expect(line(doctor().lines, 'database')).toMatch(/^FAIL .*while its log is there/)
    expect(digests()).toBe(log)
  })

  test('a database that is gone: damage where there are backups, else the first start', async () => {
    rmSync(database())
    expect(line(doctor().lines, 'database')).toMatch(/^ok .*There is no database .* yet\./)
    await using bus = await BusProcess.start(folder.path)
    await control(bus, 'backups.make')
    await bus.kill('SIGTERM')
    rmSync(database())
    const { code, lines } = doctor()
    expect(line(lines, 'database')).toMatch(/^FAIL .*is damaged: its file is gone/)
    expect(lines.join('\n')).toContain('--restore-backup newest')
    expect(code).toBe(1)
  })

  test.each([
    ['a newer version', (db: Database.Database) => db.pragma('user_version = 99'), /^FAIL .*was written by a newer version .*schema 99/, 'Start that version, or update this one'],
    ['another program', (db: Database.Database) => db.pragma('application_id = 1'), /^FAIL .*is a file of another program/, 'Set BUS_DB_PATH to another file']
  ])('that of %s is not damaged, and no cure costs data', async (_name, change, text, cure) => {
    await using bus = await BusProcess.start(folder.path)
    await control(bus, 'backups.make')
    await bus.kill('SIGTERM')
    const db = new Database(database())
    change(db)
    db.close()
    const { code, lines } = doctor()
    expect(line(lines, 'database')).toMatch(text)
    expect(lines.join('\n')).toContain(cure)
    expect(lines.join('\n')).not.toMatch(/is damaged|--restore-backup|--start-empty/)
    expect(code).toBe(1)
  })

  test('a database that another program holds is not damaged', () => {
    const db = new Database(database())
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE')
    const { lines } = doctor()
    db.close()
    expect(line(lines, 'database')).toMatch(/^FAIL .*is held by another program/)
    expect(lines.join('\n')).not.toMatch(/is damaged|--restore-backup|--start-empty/)
  })

  test.skipIf(SmallDisk.trouble() !== undefined)('on a disk that may only be read it says that, and not damage', async () => {
    using disk = await SmallDisk.create(12)
    await using bus = await BusProcess.start(disk.path, {}, [], disk)
    await bus.kill('SIGTERM')
    disk.remount('ro')
    const { code, lines } = await doctorOn(disk)
    expect(code).toBe(1)
    expect(line(lines, 'database')).toMatch(/^FAIL .*cannot be opened: its folder cannot be written to \(EROFS\)/)
    expect(line(lines, 'space')).toMatch(/^FAIL .*cannot be written to \(EROFS\)/)
    expect(lines.join('\n')).not.toMatch(/is damaged|--restore-backup|--start-empty/)
  })

  test.skipIf(process.platform === 'win32')('finds files that others may read, and a folder that they may change', () => {
    chmodSync(join(folder.path, 'main.key'), 0o644)
    expect(line(doctor().lines, 'permissions')).toMatch(/^FAIL .*can read .*main\.key/)
    chmodSync(folder.path, 0o777)
    expect(line(doctor().lines, 'permissions')).toMatch(/^FAIL .*can change what is in the data folder/)
  })

  test.skipIf(process.platform === 'win32')('finds backups that others may read, and a cure that works', async () => {
    await using bus = await BusProcess.start(folder.path)
    await control(bus, 'backups.make')
    await bus.kill('SIGTERM')
    expect(line(doctor().lines, 'permissions')).toMatch(/^ok/)
    const backups = join(folder.path, 'backups')
    const [name] = readdirSync(backups)
    chmodSync(backups, 0o755)
    chmodSync(join(backups, name!), 0o644)
    const { code, lines } = doctor()
    expect(line(lines, 'permissions')).toMatch(/^FAIL .*can read .*backups, .*backups\/.*\.db\.$/)
    expect(code).toBe(1)
    const [, cure] = /Run (chmod go= .*)\.$/m.exec(lines.join('\n'))!
    spawnSync('sh', ['-c', cure!])
    expect(line(doctor().lines, 'permissions')).toMatch(/^ok/)
  })

  test('a folder of backups that cannot be read keeps nothing else from being looked at', () => {
    writeFileSync(join(folder.path, 'backups'), 'a file')
    const { code, lines } = doctor()
    expect(line(lines, 'backups')).toMatch(/^FAIL .*backups/)
    for (const name of ['database', 'space', 'secrets', 'clock', 'port']) expect(line(lines, name)).toMatch(/^ok/)
    expect(code).toBe(1)
  })

  test('refuses arguments', () => {
    const script = DOCTOR.replace('runDoctor()', "runDoctor(['--help', 'x'])")
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', script], { env: environment(), encoding: 'utf8' })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toBe('The doctor takes no arguments, but got --help x. BUS_DATA_DIR and BUS_DB_PATH name what it examines.\n')
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

  test('changes nothing', async () => {
    const afterStop = digests()
    doctor()
    expect(digests()).toBe(afterStop)
    await crashWithLog()
    const afterCrash = digests()
    expect(afterCrash).toContain('infrastructure.db-wal')
    doctor()
    expect(digests()).toBe(afterCrash)
  })
})
