import { randomInt } from 'node:crypto'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { fillDatabase } from '../bench/fill.ts'
import { SCHEMA_VERSION } from '../../src/main/bus/store/database.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { makeVersion1 } from '../support/version-1.ts'
import { BackedBus, databaseIn, filesIn, idsIn } from './rig.ts'

/** SIGKILL at any moment of a backup, a restore and a migration: the old state or the new one, and nothing acknowledged is lost. */

const ROUNDS = 8

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Ids that were acknowledged, published until the bus is gone. */
async function publishOn(bus: BackedBus, acknowledged: Set<string>): Promise<void> {
  try {
    for (;;) for (const id of await bus.publish(1)) acknowledged.add(id)
  } catch {
    // It was killed, or closes.
  }
}

test('a kill in the middle of a backup costs nothing but the backup', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 20_000 }])
  const acknowledged = new Set<string>()
  let interrupted = 0
  for (let round = 0; round < ROUNDS; round++) {
    await using bus = await BackedBus.start(folder.path)
    // What an earlier round left half done is gone.
    expect(existsSync(join(folder.path, 'backups')) ? filesIn(join(folder.path, 'backups')).filter((file) => !file.endsWith('.db')) : []).toEqual([])
    const publishing = publishOn(bus, acknowledged)
    const made = bus.makeBackup().then(() => true, () => false)
    await pause(randomInt(600))
    await bus.process.kill('SIGKILL')
    await publishing
    if (!(await made)) interrupted++
  }
  expect(interrupted).toBeGreaterThan(0)
  for (const file of filesIn(join(folder.path, 'backups')).filter((name) => name.endsWith('.db'))) {
    expect(idsIn(join(folder.path, 'backups', file)).size).toBeGreaterThanOrEqual(20_000)
  }
  const stored = idsIn(databaseIn(folder.path))
  for (const id of acknowledged) expect(stored.has(id)).toBe(true)
})

test('a kill in the middle of a restore leaves what was there or what was restored, and it goes on by itself', { timeout: 180_000 }, async () => {
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 20_000 }])
  let backup: string
  {
    await using bus = await BackedBus.start(folder.path)
    backup = (await bus.makeBackup()).id
    await bus.process.kill('SIGTERM')
  }
  const old = idsIn(join(folder.path, 'backups', `${backup}.db`))
  const outcomes = { old: 0, new: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const present = new Set(idsIn(databaseIn(folder.path)))
    {
      await using bus = await BackedBus.start(folder.path)
      for (const id of await bus.publish(3)) present.add(id)
      await bus.call('backups.restore', { id: backup, confirm: true })
      await pause(randomInt(1_200))
      await bus.process.kill('SIGKILL')
    }
    // The next start is killed, too: it is the one that may be in the middle of it.
    {
      const second = BusProcess.spawn(folder.path)
      await pause(randomInt(900))
      await second.kill('SIGKILL')
    }
    await using bus = await BackedBus.start(folder.path)
    const { open } = (await bus.call('overview.get', {})).counts
    await bus.process.kill('SIGTERM')
    const now = idsIn(databaseIn(folder.path))
    expect(open).toBe(now.size)
    const isOld = now.size === old.size && [...now].every((id) => old.has(id))
    const isPresent = now.size === present.size && [...now].every((id) => present.has(id))
    expect(isOld || isPresent).toBe(true)
    outcomes[isOld ? 'new' : 'old']++
    expect(filesIn(folder.path).filter((file) => file.includes('restoring'))).toEqual([])
  }
  // It was acknowledged before the kill, so that the restore is always carried out in the end.
  expect(outcomes).toEqual({ old: 0, new: ROUNDS })
})

function migrationsIn(dataDir: string): string[] {
  const backups = join(dataDir, 'backups')
  return existsSync(backups) ? filesIn(backups).filter((file) => file.endsWith('-migration.db')) : []
}

test('a kill in the middle of a migration leaves the old version or the new one, and a backup of the old one', { timeout: 180_000 }, async () => {
  using origin = temporaryFolder()
  makeVersion1(databaseIn(origin.path), 20_000)
  const rowsIn = (path: string, at: (version: number) => void): number => {
    const db = new Database(path)
    try {
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
      at(db.pragma('user_version', { simple: true }) as number)
      return db.prepare('SELECT count(*) FROM intents').pluck().get() as number
    } finally {
      db.close()
    }
  }
  let interrupted = 0
  for (let round = 0; round < ROUNDS; round++) {
    using folder = temporaryFolder()
    const path = databaseIn(folder.path)
    copyFileSync(databaseIn(origin.path), path)
    const killed = BusProcess.spawn(folder.path)
    // The migration begins as soon as there is a way back.
    await expect.poll(() => migrationsIn(folder.path).length, { timeout: 30_000, interval: 1 }).toBe(1)
    await pause(randomInt(200))
    await killed.kill('SIGKILL')
    expect(rowsIn(path, (version) => void (version < SCHEMA_VERSION && interrupted++))).toBe(100_000)

    await using bus = await BackedBus.start(folder.path)
    const backup = (await bus.backups()).findLast(({ kind }) => kind === 'migration')
    await bus.process.kill('SIGTERM')
    expect(rowsIn(join(folder.path, 'backups', `${backup!.id}.db`), (version) => expect(version).toBe(1))).toBe(100_000)
    expect(rowsIn(path, (version) => expect(version).toBe(SCHEMA_VERSION))).toBe(100_000)
  }
  expect(interrupted).toBeGreaterThan(0)
})
