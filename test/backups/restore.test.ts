import { copyFileSync, cpSync, existsSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test, vi } from 'vitest'
import { BackupFolder } from '../../src/main/backups/backup-folder.ts'
import { backUpNow } from '../../src/main/backups/now.ts'
import { prepareDatabase } from '../../src/main/backups/prepare.ts'
import { RecoveryFile } from '../../src/main/backups/recovery-file.ts'
import type { Vault } from '../../src/main/host.ts'
import type { Log } from '../../src/main/log.ts'
import { fillDatabase } from '../bench/fill.ts'
import { sessionHeaders } from '../http/steps.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { BackedBus, databaseIn, filesIn, freePort, idsIn, memoryVault, safetyOver } from './rig.ts'

/** Backups of a running bus, and the way back to one, with real processes. */

test('a backup is a whole database of that moment, for its owner only, and listed', async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  const before = await bus.publish(20)
  const backup = await bus.makeBackup()
  await bus.publish(5)
  expect(backup).toMatchObject({ kind: 'manual' })
  expect(await bus.call('backups.list', {})).toMatchObject({ backups: [backup], folder: join(folder.path, 'backups'), making: null, problem: null })
  const file = join(folder.path, 'backups', `${backup.id}.db`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(folder.path, 'backups')).mode & 0o777).toBe(0o700)
  expect(statSync(file).size).toBe(backup.bytes)
  expect(idsIn(file)).toEqual(new Set(before))
  expect(filesIn(join(folder.path, 'backups'))).toEqual([`${backup.id}.db`])
  const { entries } = await bus.call('audit.list', {})
  expect(entries[0]).toMatchObject({ event: 'backup.made', actor: 'password', subject: backup.id })
})

test('a restore brings back that moment in the same process, and says what is missing since', async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  const before = await bus.publish(4)
  const old = await bus.call('keys.create', { owner: 'old' })
  const limited = await bus.call('keys.create', { owner: 'limited' })
  const backup = await bus.makeBackup()

  const since = await bus.publish(3, 'later')
  const claimed = await bus.request('/claim?goal=backup', '')
  await bus.request(`/fulfill/${claimed.json.id}`, { claim_token: claimed.json.claim_token, result: 1 })
  const young = await bus.call('keys.create', { owner: 'young' })
  await bus.call('keys.revoke', { id: old.id })
  const scope = { roles: ['read' as const], namespaces: null, goals: null }
  await bus.call('keys.limit', { id: limited.id, scope, expiresAt: null, rateLimit: 10 })
  await bus.call('keys.rotateMain', {})
  const held = ask(bus.url, { method: 'POST', path: '/claim?goal=never&wait=20', headers: { 'X-API-KEY': bus.process.mainKey }, body: '' })
  await bus.restore(backup.id)

  // Who waits is told to come again.
  expect([204, 503]).toContain((await held).status)
  for (const id of before) expect(await bus.call('intents.detail', { id })).toMatchObject({ status: 'open' })
  for (const id of since) expect((await bus.send('intents.detail', { id })).status).toBe(404)
  // The main key is the one in its file, however old the backup, and no other key gets back what was taken from it.
  expect((await bus.request('/intent', { goal: 'x', payload: {} })).status).toBe(201)
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, old.secret)).status).toBe(401)
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, limited.secret)).status).toBe(403)
  expect((await bus.call('keys.list', {})).find(({ id }) => id === limited.id)).toMatchObject({ scope, rateLimit: 10 })
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, young.secret)).status).toBe(401)

  const { notices } = await bus.call('status.get', {})
  expect(notices[0]).toMatch(
    /^The backup of \d{4}-\d\d-\d\d \d\d:\d\d UTC was restored at \d{4}-\d\d-\d\d \d\d:\d\d UTC[.] 3 intents published since then are gone[.] 1 intent that was finished since then is open again[.] 1 key made since then is gone[.] 2 keys revoked or changed since then stay so[.] What was there before is the backup \S+-restore[.]$/
  )
  const safety = (await bus.backups()).find(({ kind }) => kind === 'restore')!
  expect(idsIn(join(folder.path, 'backups', `${safety.id}.db`))).toEqual(new Set([...before, ...since]))
  // The trail does not go back in time.
  const events = (await bus.call('audit.list', {})).entries.map(({ event }) => event)
  expect(events).toEqual(expect.arrayContaining(['backup.restored', 'key.rotated', 'key.revoked']))

  // There and back again.
  await bus.restore(safety.id)
  for (const id of since) expect(await bus.call('intents.detail', { id })).toMatchObject({ status: 'open' })
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, young.secret)).status).toBe(201)
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, old.secret)).status).toBe(401)
  expect((await bus.call('status.get', {})).notices[0]).toContain('1 key of then that was not there any more is back.')
})

test('a restore is refused while another one is under way, and no more once that did not come about', async () => {
  using folder = temporaryFolder()
  const file = new RecoveryFile(join(folder.path, 'restore.json'))
  const by = { actor: 'password', address: '' }
  let trouble: Error | undefined = new Error('no thread')
  const restart = (): void => {
    if (trouble !== undefined) throw trouble
  }
  const safety = safetyOver(folder.path, { file, restart })
  expect(() => safety.recover('newest', by)).toThrow('no thread')
  trouble = undefined
  safety.recover('newest', by)
  expect(() => safety.recover('empty', by)).toThrow(expect.objectContaining({ status: 503, message: expect.stringContaining('A restore is under way') }))
  expect(file.read()).toMatchObject({ state: 'wanted', what: 'newest' })
  await safety.close()
})

test('a bus that was paused stays paused', async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  const backup = await bus.makeBackup()
  await bus.call('bus.pause', { paused: true })
  await bus.restore(backup.id)
  expect((await bus.call('status.get', {})).isPaused).toBe(true)
  await bus.call('bus.pause', { paused: false })
  await bus.restore(backup.id)
  expect((await bus.call('status.get', {})).isPaused).toBe(false)
})

test('what was there before the first of many restores can be restored in the end', async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  const ids = await bus.publish(3)
  const { id } = await bus.makeBackup()
  const copies = [1, 2, 3].map((day) => `2026-01-0${day}T000000.000Z-restore`)
  for (const copy of copies) copyFileSync(join(folder.path, 'backups', `${id}.db`), join(folder.path, 'backups', `${copy}.db`))
  await bus.publish(1)
  await bus.restore(copies[0]!)
  expect(new Set((await bus.call('intents.list', {})).rows.map((row) => row.id))).toEqual(new Set(ids))
  // It had its turn; the copy of what was there took its place.
  const kept = (await bus.backups()).filter(({ kind }) => kind === 'restore').map((backup) => backup.id)
  expect(kept).toContain(copies[0])
  expect(kept.some((copy) => !copies.includes(copy))).toBe(true)
})

test('a restore that fails on the way leaves all as it was, the backups included', async () => {
  using folder = temporaryFolder()
  const path = databaseIn(folder.path)
  fillDatabase(path, [{ status: 'open', count: 20 }])
  const before = idsIn(path)
  const backups = new BackupFolder(join(folder.path, 'backups'))
  const now = Date.now() / 1000
  const { id } = await backUpNow(path, backups, 'manual', now - 60)
  for (const day of [1, 2, 3]) copyFileSync(backups.file({ id }), backups.file({ id: `2026-01-0${day}T000000.000Z-restore` }))
  const there = backups.list()
  const file = new RecoveryFile(join(folder.path, 'restore.json'))
  file.write({ state: 'wanted', at: now, what: 'backup', id, by: { actor: 'password', address: '' } })
  // The last thing that a restore asks for before it moves anything.
  const vault: Vault = { ...memoryVault, read: () => Promise.reject(new Error('the keychain is locked')) }
  const { recovered, notices } = await prepareDatabase({ databasePath: path, folder: backups, file, vault, now, log: pino({ level: 'silent' }) as Log, asked: undefined })
  expect(recovered).toBe(undefined)
  expect(notices).toEqual([expect.stringMatching(/^A restore was not carried out at \d{4}-\d\d-\d\d \d\d:\d\d UTC[.] The reason: the keychain is locked[.]$/)])
  expect(backups.list()).toEqual(there)
  expect(filesIn(folder.path).filter((name) => name.includes('restoring'))).toEqual([])
  expect(file.read()).toBe(undefined)
  expect(idsIn(path)).toEqual(before)
})

test('a restore that was asked for long before the database was last written is not carried out', async () => {
  using folder = temporaryFolder()
  let backup: string
  let ids: string[]
  {
    await using bus = await BackedBus.start(folder.path)
    backup = (await bus.makeBackup()).id
    ids = await bus.publish(2)
    await bus.process.kill('SIGTERM')
  }
  const mark = { state: 'wanted', at: Date.now() / 1000 - 3_600, what: 'backup', id: backup, by: { actor: 'password', address: '' } }
  writeFileSync(join(folder.path, 'restore.json'), JSON.stringify(mark))
  await using bus = await BackedBus.start(folder.path)
  for (const id of ids) expect(await bus.call('intents.detail', { id })).toMatchObject({ status: 'open' })
  expect((await bus.call('status.get', {})).notices).toContainEqual(expect.stringMatching(/A restore was not carried out.* the bus went on to take in more until/))
  expect(existsSync(join(folder.path, 'restore.json'))).toBe(false)
})

test('a restore asked for while the bus still starts is carried out', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  const port = String(await freePort())
  let backup: string
  {
    await using bus = await BackedBus.start(folder.path, [], { BUS_PORT: port })
    backup = (await bus.makeBackup()).id
    await bus.process.kill('SIGTERM')
  }
  // Sharing comes up after the listener, and takes a moment.
  const env = { BUS_PORT: port, BUS_ADMIN_SECRET: 'admin-of-the-backups', BUS_SHARE: 'true', BUS_SHARE_INTERFACE: 'lo', BUS_SHARE_PORT: '0', BUS_DISCOVERY: 'false' }
  for (let round = 0; round < 4; round++) {
    await using process = BusProcess.spawn(folder.path, env)
    const request = { method: 'POST', path: '/admin/control/backups.restore', headers: { 'X-Admin-Token': env.BUS_ADMIN_SECRET }, body: { id: backup, confirm: true } }
    const answer = await vi.waitFor(() => ask(`http://127.0.0.1:${port}`, request), { timeout: 20_000, interval: 1 })
    expect(answer.status).toBe(200)
    await expect.poll(() => process.events().map(({ event }) => event), { timeout: 20_000 }).toEqual(['listening', 'restarting', 'listening'])
    expect((await process.kill('SIGTERM')).code).toBe(0)
    expect(JSON.parse(readFileSync(join(folder.path, 'restore.json'), 'utf8'))).toMatchObject({ state: 'done', report: { backup: { id: backup } } })
  }
})

test('where the bus cannot restart nothing is left that a later start would carry out', () => {
  using folder = temporaryFolder()
  const file = new RecoveryFile(join(folder.path, 'restore.json'))
  const safety = safetyOver(folder.path, { file, restart: () => { throw new Error('not now') } })
  expect(() => safety.recover('newest', { actor: 'password', address: '' })).toThrow('not now')
  expect(file.read()).toBe(undefined)
})

test.skipIf(SmallDisk.trouble() !== undefined)('a restore that finds no room says so, and takes none', { timeout: 120_000 }, async () => {
  using disk = await SmallDisk.create(100)
  using folder = temporaryFolder()
  fillDatabase(databaseIn(folder.path), [{ status: 'open', count: 20_000 }])
  const { id } = await backUpNow(databaseIn(folder.path), new BackupFolder(join(folder.path, 'backups')), 'manual', Date.now() / 1000 - 60)
  cpSync(folder.path, disk.outside, { recursive: true })
  const backups = new BackupFolder(join(disk.outside, 'backups'))
  // Room for one copy more, but not for two.
  const { bavail, bsize } = statfsSync(disk.outside)
  const { size } = statSync(backups.file({ id }))
  writeFileSync(join(disk.outside, 'other'), Buffer.alloc(bavail * bsize - Math.floor(size * 1.5) - 12 * 1024 ** 2))
  const files = filesIn(disk.outside)
  for (let attempt = 0; attempt < 2; attempt++) {
    await using refused = BusProcess.spawn(disk.path, {}, ['--restore-backup', id], disk)
    expect((await refused.exited).code).toBe(2)
    expect(refused.stderr).toMatch(/There is not enough room on the disk of .*: \d+ MB are needed, and \d+ MB are free[.] Make room on it, then try again[.] Nothing was changed[.]/)
    expect(backups.list().map((backup) => backup.id)).toEqual([id])
    expect(filesIn(disk.outside).filter((name) => !files.includes(name) && /restor|damaged|wal/.test(name))).toEqual([])
  }
})

test('open intents do not expire by the age of a backup, and the timeline says why', async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  const [id] = await bus.publish(1)
  const { expiresAt } = await bus.call('intents.detail', { id: id! })
  const backup = await bus.makeBackup()
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  await bus.restore(backup.id)
  const after = await bus.call('intents.detail', { id: id! })
  expect(after.expiresAt - expiresAt).toBeGreaterThan(1.9)
  expect(after.gaps).toMatchObject([{ cause: 'restore' }])
})

test('who was logged out stays out, and who is logged in stays in', async () => {
  using folder = temporaryFolder()
  // The name of the cookie has the port in it.
  await using bus = await BackedBus.start(folder.path, [], { BUS_PORT: String(await freePort()) })
  const login = async (): Promise<Readonly<Record<string, string>>> => {
    const answer = await ask(bus.url, { method: 'POST', path: '/admin/control/login', body: { password: bus.process.password } })
    return sessionHeaders(answer)
  }
  const statusWith = async (session: Readonly<Record<string, string>>): Promise<number> => {
    const headers = { ...session, 'Content-Type': 'application/json' }
    return (await ask(bus.url, { method: 'POST', path: '/admin/control/status.get', headers, body: {} })).status
  }
  const first = await login()
  const backup = await bus.makeBackup()
  await bus.call('access.endSessions', {})
  const second = await login()
  await bus.restore(backup.id)
  expect(await statusWith(second)).toBe(200)
  expect(await statusWith(first)).toBe(401)
})

test('the command line lists backups and restores the newest or one by its name', async () => {
  using folder = temporaryFolder()
  let first: string[]
  let name: string
  {
    await using bus = await BackedBus.start(folder.path)
    first = await bus.publish(2)
    name = (await bus.makeBackup()).id
    await bus.publish(2)
    await bus.makeBackup()
    await bus.publish(2)
    await bus.process.kill('SIGTERM')
  }
  {
    await using listing = BusProcess.spawn(folder.path, {}, ['--list-backups'])
    expect(await listing.exited).toEqual({ code: 0, signal: null })
    expect(listing.events()).toMatchObject([{ kind: 'manual' }, { id: name, kind: 'manual' }])
  }
  {
    await using bus = await BackedBus.start(folder.path, ['--restore-backup', 'newest'])
    await bus.process.kill('SIGKILL')
    expect(idsIn(databaseIn(folder.path)).size).toBe(4)
  }
  await using bus = await BackedBus.start(folder.path, ['--restore-backup', `${name}.db`])
  expect((await bus.call('overview.get', {})).counts.open).toBe(2)
  for (const id of first) expect(await bus.call('intents.detail', { id })).toMatchObject({ status: 'open' })
  expect(existsSync(join(folder.path, 'restore.json'))).toBe(true)
})

test('a backup that is not there, or not good, changes nothing', async () => {
  using folder = temporaryFolder()
  await using bus = await BackedBus.start(folder.path)
  await bus.publish(2)
  expect((await bus.send('backups.restore', { id: '../../etc/passwd', confirm: true })).json.error).toMatchObject({ code: 'not_found' })
  expect((await bus.send('backups.restore', { id: 'x' })).json.error).toMatchObject({ code: 'invalid_request' })
  await bus.process.kill('SIGTERM')
  const { code, text } = await BackedBus.refused(folder.path, ['--restore-backup', 'newest'])
  expect([code, text]).toEqual([2, expect.stringContaining('There is no good backup in')])
  expect(existsSync(join(folder.path, 'restore.json'))).toBe(false)
  expect(idsIn(databaseIn(folder.path)).size).toBe(2)
})
