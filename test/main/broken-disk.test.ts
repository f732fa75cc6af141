import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, expect, test } from 'vitest'
import type { BusStatus } from '../../src/shared/control/status-views.ts'
import { BusProcess, type Exit } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, type HttpAnswer } from '../support/http-client.ts'

const library = temporaryFolder()
const preload = join(library.path, 'broken-disk.so')
const compiled =
  process.platform === 'linux' &&
  spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', preload, join(import.meta.dirname, '..', 'support', 'broken-disk.c'), '-ldl']).status === 0
afterAll(() => library[Symbol.dispose]())
if (!compiled) process.stderr.write('skipped, the bus on a disk that becomes read-only: this needs a C compiler (cc), and Linux\n')

test.skipIf(!compiled)('a disk that becomes read-only under a running bus: writes are refused, reads go on, and it goes on by itself', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const dataDir = join(folder.path, 'data')
  const broken = join(folder.path, 'broken')
  await using bus = await BusProcess.start(dataDir, { LD_PRELOAD: preload, BROKEN_DISK: dataDir, BROKEN_DISK_SWITCH: broken })
  const key = bus.mainKey
  const password = bus.password
  const post = (path: string, body: unknown = ''): Promise<HttpAnswer> =>
    ask(bus.url, { method: 'POST', path, headers: { 'X-API-KEY': key }, body })
  const control = (method: string, input: object = {}): Promise<HttpAnswer> => {
    const Authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
    return ask(bus.url, { method: 'POST', path: `/admin/control/${method}`, headers: { Authorization }, body: JSON.stringify(input) })
  }
  const storage = async (): Promise<BusStatus['storage']> => (await control('status.get')).json.value.storage as BusStatus['storage']
  const { id } = (await post('/intent', { goal: 'g', payload: 1 })).json
  const lease = (await post('/claim?goal=g')).json
  writeFileSync(broken, '')
  const refused = { status: 503, json: { error: { code: 'storage_unavailable' } } }
  expect(await post('/intent', { goal: 'g', payload: 2 })).toMatchObject(refused)
  expect(await post(`/fulfill/${id}`, { claim_token: lease.claim_token, result: 1 })).toMatchObject(refused)
  expect(await control('settings.change', { deadDays: 9 })).toMatchObject(refused)
  expect(await control('keys.rotateMain', { password })).toMatchObject(refused)
  expect((await ask(bus.url, { path: `/status/${id}`, headers: { 'X-API-KEY': key } })).json.status).toBe('claimed')
  await expect.poll(storage).toEqual({ state: 'readonly', problem: expect.stringContaining('cannot be written to (EROFS): nothing can be published') })
  rmSync(broken)
  await expect.poll(async () => (await storage()).state, { timeout: 10_000 }).toBe('fine')
  expect((await post(`/fulfill/${id}`, { claim_token: lease.claim_token, result: 1 })).status).toBe(200)
  expect((await control('settings.change', { deadDays: 9 })).status).toBe(200)
  expect((await post('/intent', { goal: 'g', payload: 2 })).status).toBe(201)
  expect(readdirSync(dataDir).filter((name) => /\.(tmp|next)$/.test(name))).toEqual([])
  expect(await bus.kill('SIGTERM')).toEqual<Exit>({ code: 0, signal: null })
  const db = new Database(join(dataDir, 'infrastructure.db'), { readonly: true })
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  expect(db.prepare('SELECT status, count(*) FROM intents GROUP BY 1 ORDER BY 1').raw().all()).toEqual([[0, 1], [2, 1]])
  db.close()
})

test.skipIf(!compiled)('a bus whose disk is read-only still ends in order', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const dataDir = join(folder.path, 'data')
  const broken = join(folder.path, 'broken')
  await using bus = await BusProcess.start(dataDir, { LD_PRELOAD: preload, BROKEN_DISK: dataDir, BROKEN_DISK_SWITCH: broken })
  await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': bus.mainKey }, body: { goal: 'g', payload: 1 } })
  writeFileSync(broken, '')
  expect(await bus.kill('SIGTERM')).toEqual<Exit>({ code: 0, signal: null })
  rmSync(broken)
  await using again = await BusProcess.start(dataDir)
  expect((await ask(again.url, { method: 'POST', path: '/claim?goal=g', headers: { 'X-API-KEY': again.mainKey } })).status).toBe(200)
})
