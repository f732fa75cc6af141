import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { makeBackup as waitForBackup } from '../../src/main/cli/bus/backup-calls.ts'
import type { BackupsView } from '../../src/shared/control/backup-views.ts'
import { ControlError } from '../../src/shared/control/transport.ts'
import { freePort } from '../backups/rig.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { deserted, jsonOf, runCli } from './cli.ts'

/** Backups from the command line, of a bus as users start it. */

/** A bus with a port of its own, as a restore may not move it. */
async function startBus(dataDir: string): Promise<BusProcess> {
  return BusProcess.start(dataDir, { BUS_PORT: String(await freePort()) })
}

function environment(bus: BusProcess): Record<string, string> {
  return { INTENT_BUS_URL: bus.url, INTENT_API_KEY: bus.mainKey, DASHBOARD_PASSWORD: bus.password, BUS_DATA_DIR: bus.dataDir }
}

async function publish(bus: BusProcess, goal: string): Promise<string> {
  const { json } = await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': bus.mainKey }, body: { goal, payload: {} } })
  return (json as { id: string }).id
}

async function statusOf(bus: BusProcess, id: string): Promise<number> {
  return (await ask(bus.url, { path: `/status/${id}`, headers: { 'X-API-KEY': bus.mainKey } })).status
}

async function makeBackup(bus: BusProcess): Promise<string> {
  const { stdout } = await runCli(['backups', 'make', '--json'], environment(bus))
  return (JSON.parse(stdout) as { id: string }).id
}

function startsOf(bus: BusProcess): number {
  return bus.events().filter(({ event }) => event === 'listening').length
}

/** What counts as the daily backup of today and is none: so that no good one comes by itself in the middle of a test. */
function feignDaily(dataDir: string): void {
  const folder = join(dataDir, 'backups')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${new Date().toISOString().replace(/(\d\d):(\d\d):/, '$1$2')}-daily.db`), 'no database')
}

/** Overwrites a backup from its second page on. */
function damage(bus: BusProcess, id: string): void {
  const path = join(bus.dataDir, 'backups', `${id}.db`)
  writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 4_096), Buffer.alloc(40_960, 0x55)]))
}

test('a backup is made, listed and gone back to in one step, and the present is kept', async () => {
  using folder = temporaryFolder()
  await using bus = await startBus(folder.path)
  const env = environment(bus)
  expect((await runCli(['backups', 'list'], env)).code).toBe(5)
  feignDaily(folder.path)

  const kept = await publish(bus, 'kept')
  const id = await makeBackup(bus)
  const later = await publish(bus, 'later')
  const list = await runCli(['backups', 'list'], env)
  expect(list.stdout).toContain(id)
  expect(list.stderr).toMatch(/^Together they take \d+ KB in .*backups\.$/m)
  expect(await runCli(['backups', 'restore', 'nowhere', '--yes'], env)).toMatchObject({ code: 5, stderr: expect.stringContaining('There is no backup nowhere.') })

  const restored = await runCli(['backups', 'restore', 'newest', '--yes'], env)
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining('The bus went back to'), stderr: expect.stringContaining('1 intent') })
  expect(await statusOf(bus, later)).toBe(404)
  expect(await statusOf(bus, kept)).toBe(200)
  expect((await runCli(['backups', 'list'], env)).stdout).toMatch(/restore/)

  // What was there before the first restore is no newest one: it would undo it.
  expect((await runCli(['backups', 'restore', 'newest', '--yes'], env)).code).toBe(0)
  expect(await statusOf(bus, later)).toBe(404)
})

test.each(['its data folder', 'its address'])('a bus that has another port after a restore, found by %s, is found again', { timeout: 60_000 }, async (what) => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const env = { BUS_DATA_DIR: bus.dataDir, ...(what === 'its address' && { INTENT_BUS_URL: bus.url }) }
  const { stdout } = await runCli(['backups', 'make', '--json'], env)
  const { id } = JSON.parse(stdout) as { id: string }
  const { code, value } = await jsonOf(['backups', 'restore', id, '--yes'], env)
  expect([code, value]).toMatchObject([0, { id }])
  expect(new Set(bus.events().flatMap(({ event, url }) => (event === 'listening' ? [url] : []))).size).toBe(2)
})

test('a damaged backup is refused while the bus goes on, and newest is the newest good one', async () => {
  using folder = temporaryFolder()
  await using bus = await startBus(folder.path)
  feignDaily(folder.path)
  const env = environment(bus)
  const good = await makeBackup(bus)
  const later = await publish(bus, 'later')
  const bad = await makeBackup(bus)
  damage(bus, bad)
  const refused = await runCli(['backups', 'restore', bad, '--yes'], env)
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(new RegExp(`The backup ${bad} is not good .*choose another one`)) })
  expect([startsOf(bus), await statusOf(bus, later)]).toEqual([1, 200])

  const { code, value } = await jsonOf(['backups', 'restore', 'newest', '--yes'], env)
  expect([code, value]).toMatchObject([0, { id: good }])
  expect(await statusOf(bus, later)).toBe(404)

  damage(bus, good)
  const { stdout } = await runCli(['backups', 'list', '--json'], env)
  for (const { id } of (JSON.parse(stdout) as BackupsView).backups) damage(bus, id)
  expect(await runCli(['backups', 'restore', 'newest', '--yes'], env)).toMatchObject({ code: 5, stderr: expect.stringContaining('There is no good backup.') })
})

test('a restore that the start does not carry out is a failure, with the reason', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  await using bus = await startBus(folder.path)
  const id = await makeBackup(bus)
  const later = await publish(bus, 'later')
  const other = new Database(join(folder.path, 'infrastructure.db'), { readonly: true })
  try {
    // Another program has the database open: it cannot be replaced.
    const rows = other.prepare('SELECT n FROM intents').iterate()
    rows.next()
    const { code, stdout, stderr } = await runCli(['backups', 'restore', id, '--yes'], environment(bus))
    rows.return!()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/restore was not carried out .*locked/)
    expect(stderr).toContain('the backup was not restored')
  } finally {
    other.close()
  }
  expect(startsOf(bus)).toBe(2)
  expect(await statusOf(bus, later)).toBe(200)
})

test('without a bus it says how its start lists and restores backups', async () => {
  using folder = temporaryFolder()
  for (const env of [{ BUS_DATA_DIR: folder.path }, { INTENT_BUS_URL: await deserted(), INTENT_BUS_PASSWORD: 'p' }]) {
    const list = await runCli(['backups', 'list'], env)
    expect(list).toMatchObject({ code: 3, stderr: expect.stringContaining('`npm run headless -- --list-backups`') })
    const restore = await runCli(['backups', 'restore', 'newest', '--yes'], env)
    expect(restore).toMatchObject({ code: 3, stderr: expect.stringContaining('`npm run headless -- --restore-backup newest`') })
  }
})

const QUIET: BackupsView = {
  backups: [],
  totalBytes: 0,
  kept: { daily: 7, weekly: 4, migration: 3, restore: 3, manual: 3 },
  keptRestores: { days: 7, most: 10 },
  folder: '/backups',
  making: null,
  problem: null,
  notice: null,
  restored: null
}
const MADE = { id: 'b', kind: 'manual', at: 1, bytes: 1, isAhead: false } as const
const LOST = new ControlError({ code: 'unreachable', message: 'no answer within 300 seconds' })

/** A bus whose answer to the wish for a backup is lost, and what it tells of its backups from look to look. */
function forgetfulBus(views: readonly Partial<BackupsView>[]) {
  const looks = views.values()
  return {
    call: async (method: string) => {
      if (method === 'backups.make') throw LOST
      return { ...QUIET, ...looks.next().value }
    }
  } as unknown as Parameters<typeof waitForBackup>[0]
}

test('a backup that takes longer than the patience for an answer is waited for while the bus is at it', async () => {
  const { signal } = new AbortController()
  const making = { making: 'manual' } as const
  expect(await waitForBackup(forgetfulBus([{}, making, making, { backups: [MADE] }]), signal)).toEqual(MADE)
  const problem = { at: 2, text: 'The backup could not be made: no room.' }
  await expect(waitForBackup(forgetfulBus([{}, making, { problem }]), signal)).rejects.toMatchObject({ code: 'storage_unavailable', message: problem.text })
  await expect(waitForBackup(forgetfulBus([{ problem, backups: [MADE] }, { problem, backups: [MADE] }]), signal)).rejects.toBe(LOST)
})
