import { createHash } from 'node:crypto'
import { closeSync, cpSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fillDatabase } from '../bench/fill.ts'
import { temporaryFolder } from '../support/folders.ts'
import type { HttpAnswer } from '../support/http-client.ts'
import { BackedBus, databaseIn, filesIn, idsIn } from './rig.ts'

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
    expect(text).toMatch(/is damaged.* Its newest good backup is of \d{4}-\d\d-\d\d \d\d:\d\d[.] It is left as it is[.] --restore-backup newest .*; --start-empty /)
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
  expect(text).toMatch(/is damaged.* There is no good backup of it[.] It is left as it is[.] --start-empty sets it aside/)
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
  let refused = 0
  for (let round = 0; round < 24; round++) {
    using other = temporaryFolder()
    cpSync(folder.path, other.path, { recursive: true })
    const path = databaseIn(other.path)
    const target = round % 2 === 0 ? path : `${path}-wal`
    flip(target, Math.floor(Math.random() * readFileSync(target).length), 1 + Math.floor(Math.random() * 64))
    const before = digest(target)
    const bus = await BackedBus.start(other.path).catch(() => undefined)
    if (bus === undefined) {
      refused++
      expect(digest(target)).toBe(before)
      continue
    }
    // A byte where nothing is kept harms nobody; one in the last transaction of a log is what a crash leaves.
    const there = await Promise.all([...all].map(async (id) => (await bus.send('intents.detail', { id })).status === 200))
    await bus[Symbol.asyncDispose]()
    expect(there.filter((isThere) => !isThere).length, `round ${round}`).toBeLessThanOrEqual(1)
  }
  expect(refused).toBeGreaterThan(5)
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
  const { damage } = await bus.call('status.get', {})
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
  expect((await bus.call('status.get', {})).damage).not.toBe(null)
})
