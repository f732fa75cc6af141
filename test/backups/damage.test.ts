import { createHash, randomInt } from 'node:crypto'
import { closeSync, cpSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test, vi } from 'vitest'
import { BackupFolder } from '../../src/main/backups/backup-folder.ts'
import { backUpNow } from '../../src/main/backups/now.ts'
import { RecoveryFile } from '../../src/main/backups/recovery-file.ts'
import { recover } from '../../src/main/backups/restore.ts'
import type { Safety } from '../../src/main/backups/safety.ts'
import { openDatabase } from '../../src/main/bus/store/database.ts'
import type { DamageView } from '../../src/shared/control/backup-views.ts'
import { Signer } from '../../src/shared/client/signer.ts'
import { fillDatabase } from '../bench/fill.ts'
import { temporaryFolder } from '../support/folders.ts'
import { generator } from '../support/generator.ts'
import { HandClock } from '../support/hand-clock.ts'
import { ask as request, type HttpAnswer } from '../support/http-client.ts'
import { BackedBus, databaseIn, filesIn, idsIn, memoryVault, safetyOver } from './rig.ts'

/** A database that is damaged in every way that a file can be: nothing of it is ever overwritten. */

function flip(path: string, at: number, bytes = 1): void {
  const file = openSync(path, 'r+')
  const { size } = fstatSync(file)
  const from = at < 0 ? size + at : at
  const piece = Buffer.alloc(Math.min(bytes, size - from))
  readSync(file, piece, 0, piece.length, from)
  for (let i = 0; i < piece.length; i++) piece[i]! ^= 0x55
  writeSync(file, piece, 0, piece.length, from)
  closeSync(file)
}

function digest(path: string): string {
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'none'
}

/** What a running bus says of its damage, once it knows what can be done. */
function damageOf(bus: BackedBus): Promise<DamageView> {
  return vi.waitFor(async () => (await bus.call('status.get', {})).damage ?? expect.fail('nothing is said of damage yet'), { timeout: 20_000 })
}

/** What a bus leaves that was killed: a database, its log, a backup of some intents, and more intents since. */
async function killedBus(dataDir: string): Promise<{ readonly backedUp: Set<string>; readonly all: Set<string>; readonly backup: string }> {
  await using bus = await BackedBus.start(dataDir)
  const backedUp = new Set(await bus.publish(30))
  const { id } = await bus.makeBackup()
  const all = new Set([...backedUp, ...(await bus.publish(30))])
  await bus.process.kill('SIGKILL')
  return { backedUp, all, backup: id }
}

/** The same with all in the database and no log. */
async function stoppedBus(dataDir: string) {
  const left = await killedBus(dataDir)
  await using bus = await BackedBus.start(dataDir)
  await bus.process.kill('SIGTERM')
  return left
}

const DAMAGES: readonly (readonly [name: string, damage: (path: string) => void])[] = [
  ['the first byte of the header', (path) => flip(path, 0)],
  ['the page size in the header', (path) => flip(path, 16, 2)],
  ['the schema', (path) => flip(path, 100, 60)],
  ['a page of a table', (path) => flip(path, 8 * 4_096, 400)],
  ['the end of the file', (path) => flip(path, -4_096, 4_096)],
  ['half of the file', (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2))],
  ['all but some bytes', (path) => truncateSync(path, 50)],
  ['the whole file', (path) => truncateSync(path, 0)],
  ['a text file in its place', (path) => writeFileSync(path, 'Dear diary, today I was a database.\n'.repeat(40))]
]

test.each(DAMAGES)('damage: %s', { timeout: 60_000 }, async (_name, damage) => {
  using folder = temporaryFolder()
  const { backedUp, backup } = await stoppedBus(folder.path)
  const path = databaseIn(folder.path)
  damage(path)
  const before = digest(path)
  for (let i = 0; i < 2; i++) {
    const { code, text } = await BackedBus.refused(folder.path)
    expect(code).toBe(1)
    expect(text).toMatch(/is damaged.* Its newest good backup is of \d{4}-\d\d-\d\d \d\d:\d\d UTC[.] It is left as it is[.] --restore-backup newest .*; --start-empty /)
    expect(digest(path)).toBe(before)
  }
  await using bus = await BackedBus.start(folder.path, ['--restore-backup', 'newest'])
  const [aside] = filesIn(folder.path).filter((file) => /[.]db[.]damaged-\d{8}T\d{6}$/.test(file))
  expect(digest(join(folder.path, aside!))).toBe(before)
  const [notice] = (await bus.call('status.get', {})).notices
  expect(notice).toContain('What was changed since then is gone; how much that is cannot be told.')
  expect(notice).toContain(aside)
  expect((await bus.backups()).map(({ id }) => id)).toEqual([backup])
  await bus.publish(1)
  await bus.process.kill('SIGTERM')
  const ids = idsIn(path)
  expect(ids.size).toBe(backedUp.size + 1)
  for (const id of backedUp) expect(ids.has(id)).toBe(true)
})

test('flipped bytes of a log that was acknowledged are damage, and what can be read of it can be kept', async () => {
  using folder = temporaryFolder()
  const { all, backedUp } = await killedBus(folder.path)
  const path = databaseIn(folder.path)
  const log = readFileSync(`${path}-wal`)
  expect(log.length).toBeGreaterThan(20 * 4_096)
  const copy = join(folder.path, 'copy')
  for (const suffix of ['', '-wal']) cpSync(path + suffix, copy + suffix)
  flip(`${path}-wal`, Math.floor(log.length * 0.7))
  const before = digest(`${path}-wal`)
  const { code, text } = await BackedBus.refused(folder.path)
  expect([code, text]).toEqual([1, expect.stringMatching(/its log has changes that cannot be read.*--keep-readable .*; --restore-backup newest/)])
  expect(digest(`${path}-wal`)).toBe(before)
  await using bus = await BackedBus.start(folder.path, ['--keep-readable'])
  const [kept] = filesIn(folder.path).filter((file) => file.endsWith('-wal') && file.includes('.damaged-'))
  expect(digest(join(folder.path, kept!))).toBe(before)
  expect((await bus.call('status.get', {})).notices[0]).toContain('went on with what could be read')
  await bus.process.kill('SIGTERM')
  const ids = idsIn(path)
  expect(ids.size).toBeGreaterThan(0)
  expect(ids.size).toBeLessThan(all.size)
  for (const id of ids) expect(all.has(id)).toBe(true)
  expect(backedUp.size).toBe(30)
})

test('an empty log, and none, are what a bus that was stopped leaves', async () => {
  using folder = temporaryFolder()
  const { all } = await stoppedBus(folder.path)
  const path = databaseIn(folder.path)
  writeFileSync(`${path}-wal`, '')
  {
    await using bus = await BackedBus.start(folder.path)
    await bus.process.kill('SIGTERM')
  }
  expect(idsIn(path)).toEqual(all)
})

test('without a backup it can be set aside, and only a damaged one can', async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BackedBus.start(folder.path)
    await bus.publish(3)
    await bus.process.kill('SIGTERM')
  }
  const path = databaseIn(folder.path)
  const sound = digest(path)
  expect(await BackedBus.refused(folder.path, ['--start-empty'])).toEqual({ code: 2, text: expect.stringContaining('The database is not damaged') })
  expect(digest(path)).toBe(sound)
  flip(path, 0, 16)
  const before = digest(path)
  const { text } = await BackedBus.refused(folder.path)
  expect(text).toMatch(/is damaged.* There is no good backup of it[.] It is left as it is[.] --start-empty sets aside what is there/)
  expect(await BackedBus.refused(folder.path, ['--restore-backup', 'newest'])).toMatchObject({ code: 2 })
  expect(digest(path)).toBe(before)
  await using bus = await BackedBus.start(folder.path, ['--start-empty'])
  // The key in its file goes on being the main key.
  await bus.publish(1)
  const aside = filesIn(folder.path).filter((file) => file.includes('.damaged-'))
  expect(aside.map((file) => digest(join(folder.path, file)))).toEqual([before])
})

test('a backup that is damaged itself is passed over', async () => {
  using folder = temporaryFolder()
  const { backup } = await killedBus(folder.path)
  {
    await using bus = await BackedBus.start(folder.path)
    const newer = await bus.makeBackup()
    await bus.process.kill('SIGTERM')
    flip(join(folder.path, 'backups', `${newer.id}.db`), 8 * 4_096, 400)
  }
  flip(databaseIn(folder.path), 0, 16)
  await using bus = await BackedBus.start(folder.path, ['--restore-backup', 'newest'])
  expect((await bus.call('audit.list', {})).entries.find(({ event }) => event === 'backup.restored')).toBeDefined()
  expect((await bus.call('overview.get', {})).counts.open).toBe(30)
  expect((await bus.backups()).some(({ id }) => id === backup)).toBe(true)
})

test('bytes flipped at random: a start is refused and changes nothing, or it has all that was acknowledged', { timeout: 240_000 }, async () => {
  using folder = temporaryFolder()
  const { all } = await killedBus(folder.path)
  const seed = randomInt(2 ** 31)
  const random = generator(seed)
  let refused = 0
  for (let round = 0; round < 24; round++) {
    using other = temporaryFolder()
    cpSync(folder.path, other.path, { recursive: true })
    const path = databaseIn(other.path)
    const target = round % 2 === 0 ? path : `${path}-wal`
    flip(target, random.below(readFileSync(target).length), 1 + random.below(64))
    const before = digest(target)
    const bus = await BackedBus.start(other.path).catch(() => undefined)
    if (bus === undefined) {
      refused++
      expect(digest(target), `seed ${seed}, round ${round}`).toBe(before)
      continue
    }
    // A byte where nothing is kept harms nobody; one in the last transaction of a log is what a crash leaves.
    const there = await Promise.all([...all].map(async (id) => (await bus.send('intents.detail', { id })).status === 200))
    await bus[Symbol.asyncDispose]()
    expect(there.filter((isThere) => !isThere).length, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(1)
  }
  expect(refused, `seed ${seed}`).toBeGreaterThan(5)
})

test('damage that shows while the bus runs stops all writing, is told, and a backup is restored from there', async () => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 3_000 }])
  await using bus = await BackedBus.start(folder.path)
  await bus.publish(2)
  const backup = await bus.makeBackup()
  const { starts } = bus
  // Behind the bus's back, all but the first pages; what it has in memory is soon not enough.
  flip(databaseIn(folder.path), 4 * 4_096, readFileSync(databaseIn(folder.path)).length)
  let refusal = await bus.request('/intent', { goal: 'x', payload: {} })
  for (let i = 0; i < 500 && refusal.status !== 503; i++) {
    await bus.send('intents.list', { filter: `goal:bench ${i}` })
    refusal = await bus.request('/intent', { goal: `x${i}`, payload: {} })
  }
  expect(refusal.status).toBe(503)
  expect(refusal.json.error).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('damaged') })
  const damage = await damageOf(bus)
  expect(damage).toMatchObject({ newest: { id: backup.id }, recoveries: ['newest', 'empty'] })
  expect((await bus.send('backups.make', {})).status).toBe(503)
  expect((await bus.request('/claim', '')).status).toBe(503)
  await bus.call('bus.start', { recovery: 'newest' })
  await bus.isBack(starts)
  expect((await bus.call('status.get', {})).damage).toBe(null)
  expect((await bus.call('overview.get', {})).counts.open).toBe(3_002)
  await bus.publish(1)
  expect(readdirSync(folder.path).some((file) => file.includes('.damaged-'))).toBe(true)
})

test('damage that only a worker\'s question meets is told, too', async () => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 3_000 }])
  const ids = [...idsIn(databaseIn(folder.path))]
  await using bus = await BackedBus.start(folder.path)
  flip(databaseIn(folder.path), 4 * 4_096, readFileSync(databaseIn(folder.path)).length)
  const ask = (id: string): Promise<HttpAnswer> => bus.read(`/status/${id}`)
  let answer = await ask(ids[0]!)
  for (let i = 1; i < ids.length && answer.status === 200; i++) answer = await ask(ids[i]!)
  expect(answer.status).toBe(503)
  expect(answer.json.error).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('damaged') })
  expect(await damageOf(bus)).toMatchObject({ recoveries: ['empty'] })
})

test.each([
  ['and its log', ['', '-wal', '-shm']],
  ['but its log is there', ['']]
])('a database file that is gone, %s, is damage where there are backups', async (_name, gone) => {
  using folder = temporaryFolder()
  const { backedUp } = await killedBus(folder.path)
  const path = databaseIn(folder.path)
  for (const suffix of gone) rmSync(path + suffix, { force: true })
  const { code, text } = await BackedBus.refused(folder.path)
  expect([code, text]).toEqual([1, expect.stringMatching(/its file is (empty or )?gone.*--restore-backup newest .*; --start-empty /)])
  expect(existsSync(path)).toBe(false)
  {
    using other = temporaryFolder()
    cpSync(folder.path, other.path, { recursive: true })
    await using empty = await BackedBus.start(other.path, ['--start-empty'])
    expect((await empty.call('overview.get', {})).counts.open).toBe(0)
    // Once it was decided, the next start asks no more.
    await empty.process.kill('SIGKILL')
    await using again = await BackedBus.start(other.path)
    await again.publish(1)
  }
  await using bus = await BackedBus.start(folder.path, ['--restore-backup', 'newest'])
  await bus.process.kill('SIGTERM')
  expect(idsIn(path)).toEqual(backedUp)
})

const UNDAMAGED: readonly (readonly [name: string, change: (db: Database.Database) => void, reason: RegExp])[] = [
  ['of a newer version', (db) => void db.pragma('user_version = 99'), /a newer version of Intent Bus Desktop wrote it/],
  ['of another program', (db) => void db.pragma('application_id = 1'), /it is not a database of Intent Bus Desktop/],
  ['that another program has locked', (db) => void db.pragma('locking_mode = EXCLUSIVE'), /is locked|no need to begin with an empty one/]
]

test.each(UNDAMAGED)('a database %s is neither set aside nor replaced', async (_name, change, reason) => {
  using folder = temporaryFolder()
  await stoppedBus(folder.path)
  const path = databaseIn(folder.path)
  const db = new Database(path)
  change(db)
  if (/locked/.test(reason.source)) db.exec('BEGIN EXCLUSIVE')
  else db.close()
  // Not its content: who closes a file loses the locks that the same process has on it.
  const stateOf = (): object => ({ ...statSync(path), atime: 0, atimeMs: 0 })
  const before = stateOf()
  for (const args of [['--start-empty'], ['--restore-backup', 'newest'], ['--keep-readable']]) {
    const { code, text } = await BackedBus.refused(folder.path, args)
    expect([args, code, text]).toEqual([args, 2, expect.stringMatching(args[0] === '--keep-readable' ? /Only where nothing but the log/ : reason)])
    expect(stateOf()).toEqual(before)
    expect(filesIn(folder.path).filter((file) => /damaged|restor/.test(file))).toEqual([])
  }
  db.close()
})

test('a database whose tables are gone can be replaced', async () => {
  using folder = temporaryFolder()
  const { backedUp } = await stoppedBus(folder.path)
  const db = new Database(databaseIn(folder.path))
  db.exec('DROP VIEW tallies; DROP TABLE intents')
  db.close()
  expect((await BackedBus.refused(folder.path)).text).toMatch(/is damaged.*--restore-backup newest/)
  await using bus = await BackedBus.start(folder.path, ['--restore-backup', 'newest'])
  expect((await bus.call('overview.get', {})).counts.open).toBe(backedUp.size)
})

test('where not only the log is damaged nothing of it is read into the database', async () => {
  using folder = temporaryFolder()
  await stoppedBus(folder.path)
  {
    await using bus = await BackedBus.start(folder.path)
    await bus.publish(20)
    await bus.process.kill('SIGKILL')
  }
  const path = databaseIn(folder.path)
  const sound = readFileSync(path)
  for (const isLogDamaged of [false, true]) {
    writeFileSync(path, sound)
    flip(path, 8 * 4_096, 4_096)
    if (isLogDamaged) flip(`${path}-wal`, Math.floor(readFileSync(`${path}-wal`).length / 2))
    const before = [digest(path), digest(`${path}-wal`)]
    const { code, text } = await BackedBus.refused(folder.path, ['--keep-readable'])
    expect([code, text]).toEqual([2, expect.stringMatching(isLogDamaged ? /Not only the log of the database is damaged/ : /Only where nothing but the log/)])
    expect([digest(path), digest(`${path}-wal`)]).toEqual(before)
    expect(filesIn(folder.path).filter((file) => /damaged-|restoring/.test(file))).toEqual([])
  }
})

test('a restore that a crash interrupted comes to its end before anything else that is asked for', async () => {
  using folder = temporaryFolder()
  const { backedUp, backup } = await stoppedBus(folder.path)
  const path = databaseIn(folder.path)
  // As a crash leaves it between the two renames: the damaged one is away, and the other one not yet in its place.
  const aside = `${path}.damaged-20260101T000000`
  renameSync(path, aside)
  cpSync(join(folder.path, 'backups', `${backup}.db`), `${path}.restoring`)
  const report = { at: Date.now() / 1000, backup: { id: backup, at: Date.now() / 1000 - 60 }, safety: null, aside, asideLog: null, losses: null }
  writeFileSync(join(folder.path, 'restore.json'), JSON.stringify({ state: 'ready', report, by: { actor: 'headless', address: '' } }))
  expect(await BackedBus.refused(folder.path, ['--restore-backup', '2026-typo'])).toMatchObject({ code: 2, text: expect.stringContaining('There is no backup 2026-typo') })
  await using bus = await BackedBus.start(folder.path)
  expect((await bus.call('status.get', {})).notices[0]).toContain('was restored at')
  await bus.process.kill('SIGTERM')
  expect(idsIn(path)).toEqual(backedUp)
})

test('what was signed before the spent nonces were lost is not carried out a second time', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const body = JSON.stringify({ goal: 'open-the-door', payload: 1 })
  const send = async (bus: BackedBus, key: string, headers: object): Promise<HttpAnswer> =>
    request(bus.url, { method: 'POST', path: '/intent', headers: { ...headers, 'X-API-KEY': key, 'Content-Type': 'application/json' }, body })
  let key: string
  let signed: object
  {
    await using bus = await BackedBus.start(folder.path)
    key = (await bus.call('keys.create', { owner: 'pi' })).secret
    await bus.makeBackup()
    signed = await new Signer(key).headers('POST', '/intent', [], body)
    expect((await send(bus, key, signed)).status).toBe(201)
    await bus.process.kill('SIGTERM')
  }
  flip(databaseIn(folder.path), 8 * 4_096, 4_096)
  await using bus = await BackedBus.start(folder.path, ['--restore-backup', 'newest'])
  const refusal = await send(bus, key, signed)
  expect(refusal).toMatchObject({ status: 403, json: { error: { code: 'invalid_signature' } } })
  expect((await bus.call('signatures.failures', {}))[0]).toMatchObject({ text: expect.stringContaining('before the database of this bus was restored') })
  // What is signed now is taken, as soon as its second is another one.
  await expect.poll(async () => (await send(bus, key, await new Signer(key).headers('POST', '/intent', [], body))).status, { timeout: 10_000 }).toBe(201)
})

test('a file that is there already is never overwritten by one that is set aside', async () => {
  using folder = temporaryFolder()
  const path = databaseIn(folder.path)
  const options = {
    databasePath: path,
    folder: new BackupFolder(join(folder.path, 'backups')),
    file: new RecoveryFile(join(folder.path, 'restore.json')),
    vault: memoryVault,
    now: 1_790_000_000.25
  }
  for (const content of ['first', 'second', 'third']) {
    writeFileSync(path, content.repeat(1_000))
    await recover({ state: 'wanted', at: options.now, what: 'empty', id: null, by: { actor: 'headless', address: '' } }, options)
  }
  const kept = filesIn(folder.path).filter((file) => file.includes('.damaged-'))
  expect(kept.map((file) => readFileSync(join(folder.path, file), 'utf8').slice(0, 5)).toSorted()).toEqual(['first', 'secon', 'third'])
})

test('a running bus names a backup that it has read, and what was there before a restore where there is nothing else', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 50 }])
  const backups = new BackupFolder(join(folder.path, 'backups'))
  const now = Date.now() / 1000
  const copy = await backUpNow(databaseIn(folder.path), backups, 'restore', now - 120)
  const good = await backUpNow(databaseIn(folder.path), backups, 'manual', now - 60)
  const bad = await backUpNow(databaseIn(folder.path), backups, 'daily', now - 30)
  flip(backups.file(bad), 4 * 4_096, 4 * 4_096)
  const told = async (): Promise<DamageView | null> => {
    const safety = safetyOver(folder.path)
    safety.damaged('a page is gone')
    await expect.poll(() => safety.damage, { timeout: 20_000 }).not.toBe(null)
    await safety.close()
    return safety.damage
  }
  expect(await told()).toMatchObject({ newest: { id: good.id }, recoveries: ['newest', 'empty'] })
  rmSync(backups.file(good))
  expect(await told()).toMatchObject({ newest: { id: copy.id }, recoveries: ['newest', 'empty'] })
  rmSync(backups.file(copy))
  expect(await told()).toMatchObject({ newest: null, recoveries: ['empty'] })
})

test.each([
  ['is gone since an update of the app', 'file:///nowhere/backup-thread.js'],
  ['ends without an answer', 'data:text/javascript,process.exit(1)'],
  ['cannot be begun', 'https://localhost/backup-thread.js']
])('a thread of backups that %s says nothing against them: the newest one is offered, and can be asked for', async (_name, entry) => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 5 }])
  const backups = new BackupFolder(join(folder.path, 'backups'))
  const now = Date.now() / 1000
  await backUpNow(databaseIn(folder.path), backups, 'manual', now - 60)
  const newest = await backUpNow(databaseIn(folder.path), backups, 'daily', now - 30)
  const safety = safetyOver(folder.path, { threadEntry: new URL(entry) })
  expect(await safety.backups.newest()).toEqual({ backup: newest, unread: expect.stringMatching(/^its thread (could not run [(][^)]+[)]; start the bus again|ended)$/) })
  expect(await safety.backups.findForRestore(newest.id)).toEqual(newest)
  await expect(safety.make('manual')).rejects.toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('could not be made: its thread') })
  safety.damaged('a page is gone')
  await expect.poll(() => safety.damage, { timeout: 20_000 }).not.toBe(null)
  expect(safety.damage).toMatchObject({ newest, recoveries: ['newest', 'empty'], problem: expect.stringContaining('could not be read now') })
  await safety.close()
})

test('a database that is gone with its backups is not begun anew where one was restored, and nothing is told of that restore', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BackedBus.start(folder.path)
    await bus.publish(1)
    await bus.restore((await bus.makeBackup()).id)
    expect((await bus.call('status.get', {})).notices[0]).toContain('was restored')
    await bus.process.kill('SIGTERM')
  }
  rmSync(join(folder.path, 'backups'), { recursive: true })
  for (const suffix of ['', '-wal', '-shm']) rmSync(databaseIn(folder.path) + suffix, { force: true })
  for (let i = 0; i < 2; i++) {
    const { code, text } = await BackedBus.refused(folder.path)
    expect([code, text]).toEqual([1, expect.stringMatching(/its file is gone, though there was one before.* There is no good backup of it.*--start-empty /)])
    expect(existsSync(databaseIn(folder.path))).toBe(false)
  }
  await using bus = await BackedBus.start(folder.path, ['--start-empty'])
  expect((await bus.call('status.get', {})).notices).toEqual([expect.stringContaining('began with an empty database')])
})

test.skipIf(process.platform === 'win32').each<readonly [string, (safety: Safety) => Promise<unknown>, object]>([
  ['an operator', (safety) => safety.make('manual'), { code: 'storage_unavailable', message: expect.stringContaining('damaged') }],
  ['the bus itself', (safety) => safety.backups.make('daily'), { code: 'storage_unavailable', message: expect.stringMatching(/^The backup could not be made: the database file .* is gone[.]$/) }]
])('a database that was deleted while the bus runs is told at once when %s wants a backup of it', async (_name, make, refusal) => {
  using folder = temporaryFolder()
  const path = databaseIn(folder.path)
  fillDatabase(path, [{ status: 'open', count: 5 }])
  const safety = safetyOver(folder.path)
  rmSync(path)
  await expect(make(safety)).rejects.toMatchObject(refusal)
  await expect.poll(() => safety.damage, { timeout: 20_000 }).toMatchObject({ problem: expect.stringContaining('was deleted or replaced while the bus runs') })
  await safety.close()
})

test.skipIf(process.platform === 'win32').each<readonly [string, (path: string) => void]>([
  ['deleted', (path) => rmSync(path)],
  ['replaced', (path) => (cpSync(path, `${path}.other`), renameSync(`${path}.other`, path))],
  ['robbed of its log', (path) => rmSync(`${path}-wal`)]
])('a database that is %s while the bus runs is told within about a minute', async (_name, change) => {
  using folder = temporaryFolder()
  const path = databaseIn(folder.path)
  fillDatabase(path, [{ status: 'open', count: 5 }])
  const writer = openDatabase(path)
  writer.exec(`INSERT INTO meta VALUES ('write_probe', '1')`)
  const clock = new HandClock()
  const safety = safetyOver(folder.path, { clock })
  await clock.advance(600)
  expect(safety.damage).toBe(null)
  change(path)
  await clock.advance(61)
  await expect.poll(() => safety.damage, { timeout: 20_000 }).toMatchObject({ problem: expect.stringContaining('was deleted or replaced while the bus runs') })
  await safety.close()
  writer.close()
})
