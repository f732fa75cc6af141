import { once } from 'node:events'
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { BackupFolder } from '../../src/main/backups/backup-folder.ts'
import { Backups, type BackupsOptions } from '../../src/main/backups/backups.ts'
import { findFlaw } from '../../src/main/backups/check.ts'
import { systemClock, type Clock } from '../../src/main/bus/clock.ts'
import { BusClient } from '../../src/main/desktop/bus-client.ts'
import type { BusThreadData } from '../../src/main/desktop/bus-messages.ts'
import type { Log } from '../../src/main/log.ts'
import type { BackupsView } from '../../src/shared/control/backup-views.ts'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import { fillDatabase } from '../bench/fill.ts'
import { BusProcess, cleanEnvironment, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HandClock } from '../support/hand-clock.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { BackedBus, databaseIn, filesIn } from './rig.ts'

/** Backups that come by themselves by that clock, of the database of a folder. */
function scheduled(dataDir: string, clock: Clock, changes: Partial<BackupsOptions> = {}): Backups {
  return new Backups({
    databasePath: databaseIn(dataDir),
    folder: new BackupFolder(join(dataDir, 'backups'), clock),
    threadEntry: new URL('../../src/main/backup-thread.ts', import.meta.url),
    clock,
    isScheduled: true,
    operations: () => 0,
    restored: null,
    onChange() {},
    onMade() {},
    onProblem() {},
    onNotice() {},
    onDamage() {},
    ...changes
  })
}

test('a day that has no backup yet gets one soon after the start, a later start of that day none', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 5 }])
  const clock = new HandClock(new Date(2026, 8, 21, 12).getTime() / 1000)
  const kindsOf = (backups: Backups): string[] => backups.view().backups.map(({ kind }) => kind)
  const first = scheduled(folder.path, clock)
  await clock.advance(30)
  await expect.poll(() => kindsOf(first), { timeout: 20_000 }).toEqual(['daily'])
  await first.close()

  const second = scheduled(folder.path, clock)
  await clock.advance(11 * 3_600)
  expect([second.view().making, kindsOf(second)]).toEqual([null, ['daily']])
  await clock.advance(2 * 3_600)
  await expect.poll(() => kindsOf(second), { timeout: 20_000 }).toEqual(['daily', 'daily'])
  await second.close()
})

/** Copies of a backup, as if they had been made at other times. */
function pretend(dataDir: string, id: string, names: readonly string[]): void {
  for (const name of names) copyFileSync(join(dataDir, 'backups', `${id}.db`), join(dataDir, 'backups', `${name}.db`))
}

/** The name of a daily backup of so many days from now. */
function dailyOf(days: number): string {
  return `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/(\d\d):(\d\d):/, '$1$2')}-daily`
}

test('a daily backup that is ahead of the clock makes no more of them, and costs none of other days', { timeout: 90_000 }, async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BackedBus.start(folder.path)
    const { id } = await bus.makeBackup()
    await bus.process.kill('SIGTERM')
    pretend(folder.path, id, [7, -1, -2, -3, -4, -5, -6].map(dailyOf))
    rmSync(join(folder.path, 'backups', `${id}.db`))
  }
  await using bus = await BackedBus.start(folder.path)
  const before = await bus.backups()
  expect(before.map(({ isAhead }) => isAhead)).toEqual([false, false, false, false, false, false, true])
  await expect.poll(async () => (await bus.backups()).length, { timeout: 30_000, interval: 200 }).toBe(8)
  // Three more looks.
  await new Promise((resolve) => setTimeout(resolve, 32_000))
  const view = await bus.call('backups.list', {})
  expect(view.backups.slice(1)).toEqual(before)
  expect(view.totalBytes).toBe(view.backups.reduce((sum, { bytes }) => sum + bytes, 0))
  expect((await bus.call('backups.newest', {})).id).toBe(view.backups[0]!.id)
})

test('a backup that was just made stays, and can be gone back to, beside others that are ahead of the clock', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  const { id } = await bus.makeBackup()
  const year = new Date().getFullYear() + 1
  const ahead = ['manual', 'restore'].flatMap((kind) => [1, 2, 3].map((month) => `${year}-0${month}-01T090000.000Z-${kind}`))
  pretend(folder.path, id, ahead)
  const [kept] = await bus.publish(1)
  const made = await bus.makeBackup()
  expect((await bus.backups()).map((backup) => backup.id)).toContain(made.id)
  const [lost] = await bus.publish(1)
  await bus.restore(made.id)
  expect((await bus.read(`/status/${kept}`)).status).toBe(200)
  expect((await bus.read(`/status/${lost}`)).status).toBe(404)
  const { backups, restored } = await bus.call('backups.list', {})
  expect(restored?.id).toBe(made.id)
  expect(backups.filter(({ isAhead }) => !isAhead).map(({ kind }) => kind)).toContain('restore')
})

test('files of the user in the folder of backups stay, what an interrupted backup left does not', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'backups')
  mkdirSync(path)
  const mine = ['before-partition-move.partial-copy.db', 'notes.part', 'notes.party.txt']
  const left = ['.part', '.part-wal', '.part-journal'].map((suffix) => `2026-11-21T192605.123Z-daily${suffix}`)
  for (const name of [...mine, ...left]) writeFileSync(join(path, name), 'x')
  await using bus = await BackedBus.start(folder.path)
  expect(filesIn(path)).toEqual(mine.toSorted())
  await bus.process.kill('SIGTERM')
  expect(filesIn(path)).toEqual(mine.toSorted())
})

test('a bus that closes ends a copy also after a check beside it has ended', async () => {
  using folder = temporaryFolder()
  writeFileSync(databaseIn(folder.path), 'x')
  const thread = `
    import { parentPort, workerData } from 'node:worker_threads'
    if (workerData.kind === 'check') parentPort.postMessage({ kind: 'done', flaw: null })
    else setInterval(() => {}, 1_000)`
  const backups = scheduled(folder.path, new HandClock(), { isScheduled: false, threadEntry: new URL(`data:text/javascript,${encodeURIComponent(thread)}`) })
  const making = backups.make('manual')
  const ended = making.catch((error: Error) => error.message)
  await backups.check()
  await backups.close()
  expect(await ended).toMatch(/its thread ended|is shutting down/)
})

test.each(['alone', 'with its log'])('the file of the database is emptied %s while the bus runs: it is damage, and what is left of the log stays', async (what) => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  await bus.publish(5)
  if (what !== 'alone') truncateSync(`${databaseIn(folder.path)}-wal`)
  const log = readFileSync(`${databaseIn(folder.path)}-wal`)
  truncateSync(databaseIn(folder.path))
  expect((await bus.send('backups.make', {})).status).toBe(503)
  await expect.poll(async () => (await bus.call('status.get', {})).damage?.problem, { timeout: 20_000 }).toContain('empty')
  expect(readFileSync(`${databaseIn(folder.path)}-wal`).subarray(0, log.length).equals(log)).toBe(true)
  expect(findFlaw(databaseIn(folder.path))).toEqual({ text: 'its file is empty', isDamaged: true })
})

test('a backup that cannot be made is said, leaves nothing, and the next one ends the trouble', async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  await bus.publish(3)
  const path = join(folder.path, 'backups')
  writeFileSync(path, 'in the way')
  const { status, json } = await bus.send('backups.make', {})
  expect([status, json.error.code]).toEqual([503, 'storage_unavailable'])
  expect((await bus.call('status.get', {})).notices[0]).toContain('The backup could not be made')
  rmSync(path)
  mkdirSync(path)
  expect((await bus.call('backups.list', {})).problem?.text).toContain('The backup could not be made')
  await bus.makeBackup()
  expect((await bus.call('backups.list', {})).problem).toBe(null)
  expect((await bus.call('status.get', {})).notices).toEqual([])
})

test.skipIf(SmallDisk.trouble() !== undefined)('a disk without room for a backup has none of it, and the bus goes on', { timeout: 60_000 }, async () => {
  using disk = await SmallDisk.create(48)
  await using bus = new BackedBus(BusProcess.spawn(disk.path, { BUS_ADMIN_SECRET: 'admin-of-the-backups' }, [], disk))
  await bus.process.listening()
  const key = readFileSync(join(disk.outside, 'main.key'), 'utf8').trim()
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, key)).status).toBe(201)
  const { status, json } = await bus.send('backups.make', {})
  expect([status, json.error.message]).toEqual([503, expect.stringContaining('there is not enough room in')])
  expect(filesIn(join(disk.outside, 'backups'))).toEqual([])
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, key)).status).toBe(201)
})

test.skipIf(SmallDisk.trouble() !== undefined)('little room costs the oldest weekly backups, never the newest good one, and is said', { timeout: 60_000 }, async () => {
  using disk = await SmallDisk.create(170)
  await using bus = new BackedBus(BusProcess.spawn(disk.path, { BUS_ADMIN_SECRET: 'admin-of-the-backups' }, [], disk))
  await bus.process.listening()
  const folder = join(disk.outside, 'backups')
  const { id } = await bus.makeBackup()
  const weekly = ['2026-01-01', '2026-01-08'].map((day) => `${day}T000000.000Z-weekly.db`)
  for (const name of weekly) writeFileSync(join(folder, name), Buffer.alloc(25 * 1024 ** 2))
  const made = await bus.makeBackup()
  expect(filesIn(folder)).toEqual([weekly[1], `${id}.db`, `${made.id}.db`].toSorted())
  const said = expect.stringMatching(/too little room for a new backup, so that the oldest weekly ones were removed [(]of 2026-01-01 00:00[^,]*[)]/)
  expect((await bus.call('backups.list', {})).notice).toEqual(said)
  expect((await bus.call('status.get', {})).notices).toEqual([said])

  // The only good one left is a weekly one, and without it there would be room.
  const good = '2026-01-15T000000.000Z-weekly.db'
  writeFileSync(join(folder, good), Buffer.concat([readFileSync(join(folder, `${id}.db`)), Buffer.alloc(25 * 1024 ** 2)]))
  for (const name of [id, made.id]) rmSync(join(folder, `${name}.db`))
  rmSync(join(folder, weekly[1]!))
  writeFileSync(join(disk.outside, 'ballast'), Buffer.alloc(30 * 1024 ** 2))
  expect(await bus.send('backups.make', {})).toMatchObject({ status: 503, json: { error: { message: expect.stringContaining('there is not enough room in') } } })
  expect(filesIn(folder)).toEqual([good])
})

test.skipIf(SmallDisk.trouble() !== undefined)('a disk that is full in the middle of a backup has none of it afterwards', async () => {
  using folder = temporaryFolder()
  using disk = await SmallDisk.create(4)
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 40_000 }])
  const module = (name: string): string => pathToFileURL(join(ROOT, 'src', 'main', 'backups', name)).href
  // SQLite follows links: only a program that sees the disk under its own name writes to it.
  const code = `
    import { BackupFolder } from '${module('backup-folder.ts')}'
    import { backUpNow } from '${module('now.ts')}'
    await backUpNow('${databaseIn(folder.path)}', new BackupFolder('${disk.path}'), 'manual', 0).catch(({ message }) => console.log(message))`
  const child = disk.spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  let told = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (told += text))
  await once(child, 'close')
  expect(told).toContain('full')
  expect(filesIn(disk.outside)).toEqual([])
})

test('a large database is read as a whole after the start, and damage in it is found while the bus runs', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'fulfilled', count: 300_000 }])
  {
    // Where no start and no request looks.
    const file = openSync(databaseIn(folder.path), 'r+')
    writeSync(file, Buffer.alloc(2_000, 0x55), 0, 2_000, 30 * 1024 ** 2)
    closeSync(file)
  }
  await using bus = await BackedBus.start(folder.path)
  await expect.poll(async () => (await bus.call('status.get', {})).damage, { timeout: 30_000, interval: 100 }).toMatchObject({ newest: null, recoveries: ['empty'] })
  expect((await bus.request('/intent', { goal: 'x', payload: {} })).status).toBe(503)
  // Nothing that is damaged takes a place among the backups.
  expect((await bus.send('backups.make', {})).status).toBe(503)
})

test('in the desktop app the thread of the bus is another one after a restore, and a damaged database can be recovered', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'settings.json'), '{"port":0}')
  const refuse = () => Promise.reject(new Error('There is no keychain here.'))
  const threads: Worker[] = []
  const createClient = (): BusClient =>
    new BusClient({
      spawn: async (recovery) => {
        const workerData: BusThreadData = { logFile: join(folder.path, 'bus.log'), keychain: null, unavailableSettings: {}, notices: [], recovery }
        const env = { ...cleanEnvironment(), BUS_DATA_DIR: folder.path }
        const thread = new Worker(join(ROOT, 'out', 'main', 'bus-thread.js'), { workerData, env })
        threads.push(thread)
        return thread
      },
      services: { seal: refuse, unseal: refuse, show: async () => {}, applySettings: async () => {} },
      dataDir: folder.path,
      logFile: join(folder.path, 'bus.log'),
      log: pino({ level: 'silent' }) as Log,
      clock: systemClock
    })
  const call = async <T>(client: BusClient, method: string, input: object): Promise<T> => {
    const envelope = await client.call(method, input)
    if (!envelope.ok) throw new Error(envelope.error.message)
    return envelope.value as T
  }
  const client = createClient()
  client.start()
  const { id } = await call<{ id: string }>(client, 'intents.publish', { goal: 'x', payload: '{}' })
  const backup = await call<{ id: string }>(client, 'backups.make', {})
  const later = await call<{ id: string }>(client, 'intents.publish', { goal: 'x', payload: '{}' })
  const gone = once(threads[0]!, 'exit')
  await call(client, 'backups.restore', { id: backup.id, confirm: true })
  await gone
  expect(await call(client, 'intents.detail', { id })).toMatchObject({ status: 'open' })
  expect(await client.call('intents.detail', { id: later.id })).toMatchObject({ ok: false, error: { code: 'not_found' } })
  expect(threads).toHaveLength(2)
  await client.close(500)

  writeFileSync(databaseIn(folder.path), 'no database')
  const next = createClient()
  next.start()
  expect(await next.call('intents.detail', { id })).toMatchObject({ ok: false, error: { code: 'bus_stopped' } })
  const { state, damage } = await call<BusStatus>(next, 'status.get', {})
  expect([state, damage]).toMatchObject(['stopped', { recoveries: ['newest', 'empty'] }])
  expect(await call<BusStatus>(next, 'bus.start', { recovery: 'newest' })).toMatchObject({ state: 'running', damage: null })
  expect(await call(next, 'intents.detail', { id })).toMatchObject({ status: 'open' })
  expect((await call<BackupsView>(next, 'backups.list', {})).backups.length).toBeGreaterThan(0)
  await next.close(500)
})
