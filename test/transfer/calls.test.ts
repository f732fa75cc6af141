import { expect, test } from 'vitest'
import { ADMIN_TOKEN, PASSWORD, TestServer } from '../support/test-server.ts'

async function start() {
  const server = await TestServer.start({ isClockReal: true })
  const call = (method: string, input: object, headers: Readonly<Record<string, string>> = { 'X-Admin-Token': ADMIN_TOKEN }) =>
    server.ask({ method: 'POST', path: `/admin/control/${method}`, body: JSON.stringify(input), headers })
  return { server, call, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const piece = { name: 'x', offset: 0, data: Buffer.from('hello').toString('base64') }

test('a key that may operate can neither export nor import', async () => {
  await using t = await start()
  const limits = { scope: { roles: ['publish', 'claim', 'read', 'operate'], namespaces: null, goals: null } }
  const { secret } = (await t.call('keys.create', { owner: 'phone', ...limits })).json.value as { secret: string }
  for (const [method, input] of [
    ['transfer.export', {}],
    ['transfer.get', {}],
    ['transfer.upload', { id: null, ...piece }]
  ] as const) {
    expect((await t.call(method, input, { 'X-API-KEY': secret })).status).toBe(403)
  }
})

test('pieces come in their order, to the import they belong to', async () => {
  await using t = await start()
  expect((await t.call('transfer.upload', { id: null, ...piece, offset: 5 })).json.error).toMatchObject({ code: 'invalid_request' })
  const { id } = (await t.call('transfer.upload', { id: null, ...piece })).json.value as { id: string }
  expect((await t.call('transfer.upload', { id, ...piece })).json.error).toMatchObject({ message: expect.stringContaining('byte 5') as string })
  expect((await t.call('transfer.upload', { id: '0'.repeat(32), ...piece })).status).toBe(404)
  expect((await t.call('transfer.start', { id, confirm: true })).json.error).toMatchObject({ code: 'invalid_request' })
  // Another file takes the place of one that does nothing.
  const { id: second } = (await t.call('transfer.upload', { id: null, ...piece })).json.value as { id: string }
  expect((await t.call('transfer.check', { id })).status).toBe(404)
  expect((await t.call('transfer.drop', { id: second })).status).toBe(200)
  expect((await t.call('transfer.get', {})).json.value).toEqual({ import: null })
})

test('the last part of an export can be had again, others only in their order', async () => {
  await using t = await start()
  const { id } = (await t.call('transfer.export', {})).json.value as { id: string }
  const first = (await t.call('transfer.read', { id, part: 0 })).json.value
  expect((await t.call('transfer.read', { id, part: 0 })).json.value).toEqual(first)
  expect((await t.call('transfer.read', { id, part: 2 })).status).toBe(400)
  expect((await t.call('transfer.read', { id, part: 1 })).json.value).toMatchObject({ isLast: true })
  expect((await t.call('transfer.read', { id: '0'.repeat(32), part: 0 })).status).toBe(404)
})

test('a fifth export at a time waits', async () => {
  await using t = await start()
  const begun = await Promise.all(Array.from({ length: 4 }, () => t.call('transfer.export', {})))
  expect(begun.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect((await t.call('transfer.export', {})).status).toBe(429)
})

test('a session alone exports no secrets: it takes the password again', async () => {
  await using t = await start()
  const origin = { Origin: t.server.url, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/json' }
  const login = await t.call('login', { password: PASSWORD }, origin)
  const session = (login.json.value as { session: string }).session
  const cookie = String(login.headers['set-cookie']).split(';')[0]!
  const browser = { ...origin, Cookie: cookie, 'X-Intent-Session': session }
  const passphrase = 'correct horse battery staple'
  expect((await t.call('transfer.export', {}, browser)).status).toBe(200)
  expect((await t.call('transfer.export', { passphrase }, browser)).json.error).toMatchObject({ code: 'forbidden', field: 'password' })
  expect((await t.call('transfer.export', { passphrase, password: PASSWORD }, browser)).status).toBe(200)
  expect((await t.call('transfer.export', { passphrase: 'short' }, browser)).json.error).toMatchObject({ field: 'passphrase' })
})
