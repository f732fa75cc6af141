import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BackupFolder } from '../../src/main/backups/backup-folder.ts'
import type { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { BackedBus, databaseIn, filesIn, safetyOver } from './rig.ts'

/** Backups are what a bus can do without: whatever lies in the place of their folder, it starts, serves and ends in order. */

const UNREADABLE = /^The folder of the backups .*backups cannot be read [(]it is no folder[)][.]/

async function endsInOrder(process: BusProcess): Promise<void> {
  expect(await process.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  expect(filesIn(process.dataDir)).not.toContain('running.json')
  // The last connection that closes takes the log with it.
  expect(existsSync(`${databaseIn(process.dataDir)}-wal`)).toBe(false)
  expect(JSON.parse(readFileSync(join(process.dataDir, 'starts.json'), 'utf8'))).toEqual({ crashes: 0 })
}

test('a file in the place of the folder is told at the start, and keeps the bus from nothing else', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'backups')
  {
    await using bus = await BackedBus.start(folder.path)
    await bus.publish(1)
    writeFileSync(path, 'in the way')
    await endsInOrder(bus.process)
  }

  await using bus = await BackedBus.start(folder.path)
  expect((await bus.call('status.get', {})).notices).toEqual([expect.stringMatching(UNREADABLE)])
  expect(await bus.call('backups.list', {})).toMatchObject({ backups: [], problem: { text: expect.stringMatching(UNREADABLE) } })
  for (const [method, input] of [['backups.newest', {}], ['backups.restore', { id: 'x', confirm: true }]] as const) {
    expect((await bus.send(method, input)).json.error).toMatchObject({ code: 'storage_unavailable', message: expect.stringMatching(UNREADABLE) })
  }
  expect((await bus.send('backups.make', {})).status).toBe(503)
  await bus.publish(1)

  // Where it is mended, nothing is said of it any more.
  rmSync(path)
  mkdirSync(path)
  await bus.makeBackup()
  expect((await bus.call('status.get', {})).notices).toEqual([])
  rmSync(path, { recursive: true })
  writeFileSync(path, 'in the way')
  await endsInOrder(bus.process)
})

test('what is asked of the folder at the start is refused with a sentence', async () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'backups'), 'in the way')
  const listing = await BackedBus.refused(folder.path, ['--list-backups'])
  expect(listing).toEqual({ code: 1, text: expect.stringMatching(UNREADABLE) })
  // There may be backups that cannot be read: no database is made in the place of one that is gone.
  expect((await BackedBus.refused(folder.path)).text).toMatch(/its file is gone.* cannot be read [(]it is no folder[)].*--start-empty/)
  await using empty = await BackedBus.start(folder.path, ['--start-empty'])
  await empty.publish(1)
})

test('damage is told, and writing ends, also where the backups cannot be read', async () => {
  using folder = temporaryFolder()
  writeFileSync(databaseIn(folder.path), 'x')
  writeFileSync(join(folder.path, 'backups'), 'in the way')
  let hasStopped = false
  const safety = safetyOver(folder.path, {
    folder: new BackupFolder(join(folder.path, 'backups')),
    bus: { commitCounts: { operations: 0 }, stopWriting: () => (hasStopped = true) } as never
  })
  safety.damaged('a page is gone')
  expect(hasStopped).toBe(true)
  await expect.poll(() => safety.damage).toMatchObject({ newest: null, recoveries: ['empty'] })
  await safety.close()
})
