import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sessionHeaders } from '../http/steps.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask } from '../support/http-client.ts'
import { BackedBus, databaseIn, filesIn, freePort, idsIn } from './rig.ts'

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
  const backup = await bus.makeBackup()

  const since = await bus.publish(3, 'later')
  const claimed = await bus.request('/claim?goal=backup', '')
  await bus.request(`/fulfill/${claimed.json.id}`, { claim_token: claimed.json.claim_token, result: 1 })
  const young = await bus.call('keys.create', { owner: 'young' })
  await bus.call('keys.revoke', { id: old.id })
  await bus.call('keys.rotateMain', {})
  const held = ask(bus.url, { method: 'POST', path: '/claim?goal=never&wait=20', headers: { 'X-API-KEY': bus.process.mainKey }, body: '' })
  await bus.restore(backup.id)

  // Who waits is told to come again.
  expect([204, 503]).toContain((await held).status)
  for (const id of before) expect(await bus.call('intents.detail', { id })).toMatchObject({ status: 'open' })
  for (const id of since) expect((await bus.send('intents.detail', { id })).status).toBe(404)
  // The main key is the one in its file, however old the backup; other keys are what they were.
  expect((await bus.request('/intent', { goal: 'x', payload: {} })).status).toBe(201)
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, old.secret)).status).toBe(201)
  expect((await bus.request('/intent', { goal: 'x', payload: {} }, young.secret)).status).toBe(401)

  const { notices } = await bus.call('status.get', {})
  expect(notices[0]).toMatch(
    /^On .* the backup of \d{4}-\d\d-\d\d \d\d:\d\d was restored[.] 3 intents published since then are gone[.] 1 intent that was finished since then is open again[.] 1 key made since then is gone[.] 1 key revoked since then counts again[.] What was there before is the backup \S+-restore[.]$/
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
    await using listing = BusProcess.spawn(folder.path, {}, ['--backups'])
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
