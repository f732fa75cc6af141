import { expect, test } from 'vitest'
import Database from 'better-sqlite3'
import { DESKTOP } from '../../src/main/control/operator.ts'
import type { Vault } from '../../src/main/host.ts'
import type { AuditView, InterfaceView } from '../../src/shared/control/network-views.ts'
import { ADMIN_TOKEN, BASIC, MAIN_KEY, METRICS_TOKEN, PASSWORD, TestServer } from '../support/test-server.ts'
import { purge, sessionHeaders } from './steps.ts'

const ADMIN = { 'X-Admin-Token': ADMIN_TOKEN }

/** The trail, oldest first, without what every start brings. */
async function trail(server: TestServer): Promise<AuditView[]> {
  const [envelope] = await Promise.all([server.control.call(DESKTOP, 'audit.list', { limit: 500 }), server.clock.advance(1)])
  const { entries } = (envelope as { value: { entries: readonly AuditView[] } }).value
  return entries.toReversed().filter(({ event }) => event !== 'bus.started')
}

function told(entries: readonly AuditView[]): string[] {
  return entries.map(({ event, actor, subject, detail }) => [event, actor, subject, detail].filter(Boolean).join(' | '))
}

async function session(server: TestServer, password = PASSWORD) {
  const headers = { 'User-Agent': 'a browser' }
  const answer = await server.ask({ method: 'POST', path: '/admin/control/login', body: { password }, headers })
  return { ...sessionHeaders(answer), 'Content-Type': 'application/json' }
}

function call(server: TestServer, headers: Readonly<Record<string, string>>, method: string, input: object = {}) {
  return server.ask({ method: 'POST', path: `/admin/control/${method}`, body: input, headers })
}

test('a start is noted, by whom the bus is run', async () => {
  await using server = await TestServer.start()
  await server.clock.advance(1)
  const [envelope] = await Promise.all([server.control.call(DESKTOP, 'audit.list', {}), server.clock.advance(1)])
  expect(envelope).toMatchObject({ value: { entries: [{ event: 'bus.started', actor: 'headless', address: '' }], next: null } })
})

test('all that is done to access is noted: what, by whom, from where, to what', async () => {
  await using server = await TestServer.start()
  const browser = await session(server)
  const { id } = (await call(server, browser, 'keys.create', { owner: 'pi', rateLimit: 5 })).json.value
  await call(server, ADMIN, 'keys.rename', { id, owner: 'attic' })
  await server.control.call(DESKTOP, 'keys.limit', { id, scope: { roles: ['claim'], goals: ['resize.*'] }, expiresAt: 1_800_000_000 })
  await call(server, browser, 'keys.revoke', { id })
  await call(server, browser, 'keys.revealMain', { password: PASSWORD })
  await call(server, ADMIN, 'keys.rotateMain')
  await call(server, ADMIN, 'access.revealPassword')
  await call(server, ADMIN, 'access.changePassword', { next: 'another password' })
  const again = await session(server, 'another password')
  const { id: phone } = await server.bus.sessions.open({ address: '10.0.0.9', agent: 'phone', name: "Ann's phone", rights: ['watch'] })
  await call(server, again, 'sessions.end', { id: phone })
  await session(server, 'another password')
  await call(server, again, 'access.endSessions')
  await call(server, again, 'bus.pause', { paused: true })
  await call(server, ADMIN, 'bus.pause', { paused: false })
  await server.ask({ method: 'POST', path: '/admin/control/logout', headers: again })
  const { json } = await server.admin('/admin/generate_key', { owner: 'script' })
  await server.admin('/admin/revoke_key', { api_key: json.api_key })
  await server.admin('/admin/pause', undefined, 'POST')
  await purge(server, { confirm: true, namespace: 'old' })
  const entries = await trail(server)
  expect(told(entries)).toEqual([
    'login | password | a browser',
    `key.created | browser | ${id} | pi: 5 requests a minute`,
    'login | password | admin token | by credentials',
    `key.changed | password | ${id} | name attic`,
    `key.changed | desktop | ${id} | claim; goals resize.*; until 2027-01-15T08:00:00.000Z`,
    `key.revoked | browser | ${id} | attic`,
    'secret.revealed | browser | main key',
    'key.rotated | password | main',
    'secret.revealed | password | password',
    'password.changed | password',
    'login | password | a browser',
    "session.ended | browser | Ann's phone",
    'login | password | a browser',
    'session.ended | browser | all others | 1',
    'bus.paused | browser',
    'bus.resumed | password',
    'logout | browser',
    `key.created | password | ${json.id} | script`,
    `key.revoked | password | ${json.id}`,
    'bus.paused | password',
    'bus.purged | password | old'
  ])
  for (const { actor, address } of entries) expect([actor, address]).toEqual([actor, actor === 'desktop' ? '' : '127.0.0.1'])
})

test('a change of settings is noted with what was decided, where it decides who gets to the bus', async () => {
  await using server = await TestServer.start()
  const change = (input: object) => server.control.call(DESKTOP, 'settings.change', input)
  await change({ requireSignatures: true, maintenance: true, fulfilledDays: 9, busName: 'kitchen' })
  await change({ requireSignatures: false, shareInterface: 'eth0', sharePort: 7700 })
  await change({ fulfilledDays: 10 })
  const entries = (await trail(server)).map(({ subject, detail }) => [subject, detail])
  expect(entries).toEqual([
    ['requireSignatures, maintenance, fulfilledDays, busName', 'requireSignatures: off → on; maintenance: off → on'],
    ['requireSignatures, sharePort, shareInterface', 'requireSignatures: on → off; sharePort: 0 → 7700; shareInterface: "" → "eth0"'],
    ['fulfilledDays', '']
  ])
})

test('that sharing was turned on is noted with what came of it', async () => {
  let interfaces: readonly InterfaceView[] = [{ name: 'eth0', addresses: ['127.0.0.2'], kind: 'lan', isDefault: true }]
  const kept = new Map<string, string>()
  const vault: Vault = {
    place: 'keychain',
    where: () => 'the keychain',
    read: async (name) => kept.get(name),
    write: async (name, secret) => void kept.set(name, secret),
    remove: async () => {}
  }
  await using server = await TestServer.start({ network: { hostname: () => 'kitchen', interfaces: async () => interfaces }, host: { vault } })
  const turn = (share: boolean) => server.control.call(DESKTOP, 'settings.change', { share, sharePort: 0 })
  kept.set('sharing.keys', 'damaged')
  await turn(true)
  const { problem } = server.sharing.view()
  expect(problem).toContain('The key of this bus is damaged')
  await turn(false)
  kept.delete('sharing.keys')
  await turn(true)
  const [url] = server.sharing.urls
  await turn(false)
  interfaces = []
  await turn(true)
  const entries = (await trail(server)).filter(({ event }) => event.startsWith('sharing.'))
  expect(told(entries)).toEqual([
    `sharing.started | desktop | ${problem}`,
    'sharing.stopped | desktop',
    `sharing.started | desktop | listens at ${url}`,
    'sharing.stopped | desktop',
    'sharing.started | desktop | waits for a network'
  ])
})

test('what was refused is not noted as if it had been done', async () => {
  await using server = await TestServer.start()
  const browser = await session(server)
  await call(server, browser, 'keys.create', { owner: 'x', scope: { roles: ['operate'], goals: ['a'] } })
  await call(server, browser, 'keys.limit', { id: 'main', rateLimit: 5 })
  await call(server, browser, 'keys.revoke', { id: 'main' })
  await call(server, browser, 'keys.revealMain', {})
  await call(server, browser, 'sessions.end', { id: 'none' })
  await server.admin('/admin/purge', { namespace: 'x' })
  expect(told(await trail(server))).toEqual(['login | password | a browser', 'login | password | admin token | by credentials'])
})

test('wrong credentials are gathered; missing ones and wrong keys are no logins', async () => {
  await using server = await TestServer.start()
  for (let i = 0; i < 3; i++) await server.ask({ method: 'POST', path: '/admin/control/login', body: { password: `guess ${i}` } })
  await server.ask({ path: '/admin/dead', headers: { Authorization: `Basic ${Buffer.from('admin:guess').toString('base64')}` } })
  await server.ask({ path: '/admin/dead' })
  await server.ask({ path: '/admin/dead', headers: { Authorization: BASIC } })
  await server.get('/get/k', {}, 'a wrong key')
  expect(told(await trail(server))).toEqual(['login.failed | password | 4', 'login | password | password | by credentials'])
})

test('credentials that come with every request are one entry an hour and address', async () => {
  await using server = await TestServer.start({ trustProxy: true })
  const ask = (headers: Readonly<Record<string, string>>) => server.ask({ path: '/admin/dead', headers })
  const afar = { 'X-Forwarded-For': '10.0.0.7', 'X-Forwarded-Proto': 'https' }
  for (let i = 0; i < 3; i++) for (const headers of [ADMIN, { Authorization: BASIC }, { ...ADMIN, ...afar }]) await ask(headers)
  await server.clock.advance(3_600)
  await ask(ADMIN)
  expect((await trail(server)).map(({ event, address, subject, detail }) => `${event} ${address} ${subject}, ${detail}`)).toEqual([
    'login 127.0.0.1 admin token, by credentials',
    'login 127.0.0.1 password, by credentials',
    'login 10.0.0.7 admin token, by credentials',
    'login 127.0.0.1 admin token, by credentials'
  ])
})

test('a key that is made is in the trail from the very transaction on, behind what was noted before', async () => {
  await using server = await TestServer.start()
  server.bus.audit.note({ event: 'login', actor: 'password', address: '' })
  await Promise.all([server.control.call(DESKTOP, 'keys.create', { owner: 'pi' }), server.newKey('script')])
  // No time has passed in which anything else could have been written.
  const db = new Database(server.databasePath, { readonly: true })
  const rows = db.prepare("SELECT event FROM audit WHERE event IN ('login', 'key.created') AND detail NOT LIKE 'by%' ORDER BY n").pluck().all()
  db.close()
  expect(rows).toEqual(['login', 'key.created', 'key.created'])
})

test('no secret is in any row of the trail, nor in what is told of wrong signatures', async () => {
  await using server = await TestServer.start()
  const browser = await session(server)
  const secrets = [MAIN_KEY, ADMIN_TOKEN, PASSWORD, METRICS_TOKEN, 'guessed-secret', 'the next password', browser.Cookie.split('=')[1]!, browser['X-Intent-Session']]
  const created = (await call(server, browser, 'keys.create', { owner: 'pi' })).json.value
  secrets.push(created.secret, await server.newKey())
  for (const headers of [{ 'X-Admin-Token': 'guessed-secret' }, { Authorization: `Bearer guessed-secret` }, { Authorization: `Basic ${Buffer.from('admin:guessed-secret').toString('base64')}` }]) {
    await server.ask({ path: '/metrics', headers })
  }
  await call(server, browser, 'keys.revealMain', { password: 'guessed-secret' })
  await call(server, browser, 'keys.revealMain', { password: PASSWORD })
  await call(server, browser, 'keys.revoke', { id: created.secret })
  await server.admin('/admin/revoke_key', { api_key: secrets.at(-1) })
  const rotated = (await call(server, browser, 'keys.rotateMain', { password: PASSWORD })).json.value
  secrets.push(rotated.secret)
  await server.post('/claim', undefined, { 'X-Timestamp': String(server.clock.now()), 'X-Nonce': rotated.secret, 'X-Signature': '0'.repeat(64) }, rotated.secret)
  await call(server, browser, 'access.changePassword', { password: PASSWORD, next: 'the next password' })
  await server.ask({ method: 'POST', path: '/admin/control/logout', headers: browser })
  expect((await trail(server)).length).toBeGreaterThan(9)
  const db = new Database(server.databasePath, { readonly: true })
  const rows = JSON.stringify(db.prepare('SELECT * FROM audit').all())
  db.close()
  const failures = JSON.stringify(await server.control.call(DESKTOP, 'signatures.failures', {}))
  expect(failures).toContain('Bad signature')
  for (const secret of secrets) expect([rows.includes(secret), failures.includes(secret)]).toEqual([false, false])
})
