import { afterAll, describe, expect, test } from 'vitest'
import { adminAt, DESKTOP, KEY_RIGHTS, type Operator } from '../../src/main/control/control.ts'
import { halvesOf } from '../../src/main/http/sessions.ts'
import { methods, type MethodName } from '../../src/shared/control/contract.ts'
import { METHOD_RIGHTS } from '../../src/shared/control/method-rights.ts'
import { GIVEN_RIGHTS, RIGHTS, type Right } from '../../src/shared/control/rights.ts'
import type { EventFrame } from '../../src/shared/control/event-frame.ts'
import { NO_LIMITS, type Role } from '../../src/shared/scope.ts'
import { ADMIN_TOKEN, BASIC, TestServer } from '../support/test-server.ts'
import { askSigned } from '../http/signed.ts'
import { refusal, refusalWithMessage } from '../http/steps.ts'
import { EventStream } from './event-stream.ts'

const server = await TestServer.start({ isClockReal: true })
afterAll(() => server[Symbol.asyncDispose]())

const METHODS = Object.keys(methods) as MethodName[]

function browser(rights: readonly Right[]): Operator {
  return { via: 'browser', rights, address: '10.0.0.2', sessionId: 'id', name: 'phone', isPassword: () => Promise.resolve(false) }
}

/** The code of a call's refusal; undefined when it went well. The input is one that no method takes. */
async function codeOf(operator: Operator, method: MethodName): Promise<string | undefined> {
  const envelope = await server.control.call(operator, method, { surprise: 1 })
  return envelope.ok ? undefined : envelope.error.code
}

test('every method needs a right, and there is one for nothing else', () => {
  expect(Object.keys(METHOD_RIGHTS).toSorted()).toEqual(METHODS.toSorted())
})

test.each(METHODS)('%s is for who has its right and nobody else', async (method) => {
  const right = METHOD_RIGHTS[method]
  for (const held of RIGHTS) {
    // What the input is like is of no interest to who may not ask.
    expect([held, await codeOf(browser([held]), method)]).toEqual([held, held === right ? 'invalid_request' : 'forbidden'])
  }
  expect(await codeOf(browser([]), method)).toBe('forbidden')
  expect(await codeOf(browser(RIGHTS.filter((other) => other !== right)), method)).toBe('forbidden')
  expect([await codeOf(DESKTOP, method), await codeOf(adminAt(''), method)]).toEqual(['invalid_request', 'invalid_request'])
})

test('what can be given never includes managing', () => {
  expect([...GIVEN_RIGHTS, ...KEY_RIGHTS]).not.toContain('manage')
})

test('a refusal says who may not do what', async () => {
  const message = async (operator: Operator, method: MethodName) => {
    const envelope = await server.control.call(operator, method, {})
    return envelope.ok ? undefined : envelope.error.message
  }
  const key: Operator = { via: 'key', rights: KEY_RIGHTS, address: '', keyId: 'key_1' }
  expect(await message(key, 'keys.create')).toBe('This API key may not manage the bus: log in with the password of the bus, or use its own window.')
  expect(await message(browser(['watch']), 'intents.publish')).toBe('This device may not publish.')
  expect(await message(browser(['watch']), 'intents.cancel')).toBe('This device may not cancel, retry or keep views.')
})

describe('a paired browser', () => {
  const open = async (rights: readonly Right[]) => {
    const { secret } = await server.bus.sessions.open({ address: '10.0.0.2', agent: 'phone', name: "Ann's phone", rights })
    const { port } = new URL(server.url)
    const { cookie, page } = halvesOf(secret)
    return { Cookie: `intent_bus_${port}=${cookie}`, 'X-Intent-Session': page }
  }
  const call = (headers: Readonly<Record<string, string>>, method: string, input: object = {}) =>
    server.ask({ method: 'POST', path: `/admin/control/${method}`, body: input, headers: { 'Content-Type': 'application/json', ...headers } })

  test('may do what it was given and is told so', async () => {
    const session = await open(['publish'])
    expect((await call(session, 'access.whoami')).json.value).toEqual({ via: 'browser', rights: ['watch', 'publish'] })
    expect((await call(session, 'intents.publish', { goal: 'g', payload: '1' })).status).toBe(200)
    expect(refusal(await call(session, 'bus.pause', { paused: true }))).toBe('403 forbidden')
    expect(refusal(await call(session, 'audit.list'))).toBe('403 forbidden')
  })

  test('sees neither in calls nor in events where files and secrets lie', async () => {
    const session = await open(['watch'])
    const full = (await call({ 'X-Admin-Token': ADMIN_TOKEN }, 'status.get')).json.value
    expect([full.dataDir, full.databasePath, full.mainKey]).toEqual([expect.stringMatching(/./), expect.stringMatching(/./), expect.any(Object)])
    const hidden = { dataDir: '', databasePath: '', mainKey: null, password: null, notices: [], pairingRequests: 0 }
    expect((await call(session, 'status.get')).json.value).toMatchObject({ ...hidden, state: 'running' })
    using events = await EventStream.open(server.url, session)
    using all = await EventStream.open(server.url, { 'X-Admin-Token': ADMIN_TOKEN })
    await events.frame(({ status }) => status !== undefined)
    await call({ 'X-Admin-Token': ADMIN_TOKEN }, 'settings.change', { maintenance: true })
    await call({ 'X-Admin-Token': ADMIN_TOKEN }, 'settings.change', { maintenance: false })
    const view = await call({ 'X-Admin-Token': ADMIN_TOKEN }, 'views.save', { name: 'x', filter: '' })
    expect(view.status).toBe(200)
    await all.frame(({ changed }) => changed?.includes('settings') === true)
    await all.frame(({ changed }) => changed?.includes('views') === true)
    await events.frame(({ changed }) => changed?.includes('views') === true)
    for (const { status } of events.frames) if (status !== undefined) expect(status).toMatchObject(hidden)
    const changed = events.frames.flatMap((frame: EventFrame) => frame.changed ?? [])
    expect(changed).not.toContain('settings')
    expect(JSON.stringify(events.frames)).not.toContain(full.dataDir)
  })

  test('is out once its session is ended, events and all', async () => {
    const session = await open(['watch'])
    using events = await EventStream.open(server.url, session)
    const list = (await call({ 'X-Admin-Token': ADMIN_TOKEN }, 'sessions.list')).json.value
    const mine = list.find(({ name, rights }: { name: string; rights: Right[] }) => name === "Ann's phone" && rights.length === 1)
    expect(mine).toMatchObject({ isPaired: true, isYours: false, rights: ['watch'], address: '10.0.0.2', agent: 'phone' })
    await call({ 'X-Admin-Token': ADMIN_TOKEN }, 'sessions.end', { id: mine.id })
    await events.ended
    expect((await call(session, 'status.get')).status).toBe(401)
    expect(refusal(await call({ 'X-Admin-Token': ADMIN_TOKEN }, 'sessions.end', { id: mine.id }))).toBe('404 not_found')
  })

  test('follows events eight times at once, and all of them leave room for the owner', async () => {
    const streams: EventStream[] = []
    const follow = async (headers: Readonly<Record<string, string>>): Promise<number> => {
      const stream = await EventStream.open(server.url, headers)
      streams.push(stream)
      return stream.status
    }
    const first = await open(['watch'])
    const statuses = await Promise.all(Array.from({ length: 12 }, () => follow(first)))
    expect(statuses.filter((status) => status === 200)).toHaveLength(8)
    for (let phone = 0; phone < 6; phone++) {
      const session = await open(['watch'])
      await Promise.all(Array.from({ length: 8 }, () => follow(session)))
    }
    expect(streams.filter(({ status }) => status === 200)).toHaveLength(48)
    expect(await follow({ 'X-Admin-Token': ADMIN_TOKEN })).toBe(200)
    for (const stream of streams) stream[Symbol.dispose]()
    await expect.poll(async () => follow(first)).toBe(200)
    streams.at(-1)![Symbol.dispose]()
  })

  test('that may only publish still cannot see what it may not', async () => {
    const session = await open(['watch'])
    for (const method of METHODS.filter((name) => METHOD_RIGHTS[name] === 'manage')) {
      expect([method, refusal(await call(session, method))]).toEqual([method, '403 forbidden'])
    }
  })
})

describe('a key', () => {
  const newKey = async (roles: readonly Role[] | null, more = {}) =>
    server.bus.createKey('cli', { ...NO_LIMITS, scope: roles && { roles, namespaces: null, goals: null }, ...more })
  const call = (key: string, method: string, input: object = {}, headers = {}) =>
    server.ask({ method: 'POST', path: `/admin/control/${method}`, body: input, headers: { 'X-API-KEY': key, ...headers } })

  test('that may operate watches, publishes and acts, and does not manage', async () => {
    const { key, secret } = await newKey(['operate'])
    expect((await call(secret, 'access.whoami')).json.value).toEqual({ via: 'key', rights: ['watch', 'publish', 'act'] })
    const { id } = (await call(secret, 'intents.publish', { goal: 'g', payload: '1' })).json.value
    expect((await call(secret, 'intents.cancel', { id })).status).toBe(200)
    expect((await call(secret, 'status.get')).json.value).toMatchObject({ dataDir: '' })
    expect(refusal(await call(secret, 'keys.create', { owner: 'x' }))).toBe('403 forbidden')
    expect(refusal(await call(secret, 'keys.limit', { id: key.id }))).toBe('403 forbidden')
    // It is let in to the contract, not to what SPEC keeps for the admin.
    const headers = { 'X-API-KEY': secret }
    expect(refusal(await server.ask({ path: '/admin/dead', headers }))).toMatch(/^401/)
    expect(refusal(await server.ask({ path: '/metrics', headers }))).toMatch(/^401/)
  })

  test.each<[string, readonly Role[] | null]>([
    ['without limits', null],
    ['of a client', ['publish', 'claim', 'read']]
  ])('%s may not', async (_name, roles) => {
    const { secret } = await newKey(roles)
    expect(refusalWithMessage(await call(secret, 'status.get'))).toBe('403 forbidden: This API key may not operate the bus.')
    using events = await EventStream.open(server.url, { 'X-API-KEY': secret })
    expect(events.status).toBe(403)
  })

  test('that is wrong, revoked or expired is nobody', async () => {
    const { key, secret } = await newKey(['operate'])
    const { secret: expired } = await newKey(['operate'], { expiresAt: Date.now() / 1000 - 1 })
    expect(refusal(await call(`${secret}0`, 'status.get'))).toBe('401 unauthorized')
    expect(refusalWithMessage(await call(expired, 'status.get'))).toBe('401 unauthorized: This API key has expired.')
    using events = await EventStream.open(server.url, { 'X-API-KEY': secret })
    expect(events.status).toBe(200)
    await server.bus.revokeKey(key.id)
    await events.ended
    expect(refusal(await call(secret, 'status.get'))).toBe('401 unauthorized')
  })

  test('whose limits take the role away hears no more', async () => {
    const { key, secret } = await newKey(['operate'])
    using events = await EventStream.open(server.url, { 'X-API-KEY': secret })
    await server.bus.limitKey(key.id, NO_LIMITS)
    await events.ended
  })

  test('that expires hears no more', async () => {
    const { secret } = await newKey(['operate'], { expiresAt: Date.now() / 1000 + 0.5 })
    using events = await EventStream.open(server.url, { 'X-API-KEY': secret })
    expect(events.status).toBe(200)
    await events.ended
  })

  test('counts against its rate', async () => {
    const { secret } = await newKey(['operate'], { rateLimit: 2 })
    const statuses = [await call(secret, 'status.get'), await call(secret, 'status.get'), await call(secret, 'status.get')]
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429])
  })

  test('in a page gets nowhere: pages have sessions', async () => {
    const { secret } = await newKey(['operate'])
    expect(refusal(await call(secret, 'status.get', {}, { Origin: server.url }))).toBe('401 unauthorized')
  })

  test('signs its calls where signatures are required, and none twice', async () => {
    await using strict = await TestServer.start({ requireSignatures: true })
    const { secret: key } = await strict.bus.createKey('cli', { ...NO_LIMITS, scope: { roles: ['operate'], namespaces: null, goals: null } })
    const request = { path: '/admin/control/intents.publish', body: '{"goal":"g","payload":"1"}', key, nonce: 'once' }
    expect(refusal(await strict.ask({ method: 'POST', path: request.path, body: request.body, headers: { 'X-API-KEY': key } }))).toBe('403 invalid_signature')
    expect(refusal(await askSigned(strict, { ...request, signedBody: '{}' }))).toBe('403 invalid_signature')
    expect((await askSigned(strict, request)).status).toBe(200)
    expect(refusalWithMessage(await askSigned(strict, request))).toBe('403 invalid_signature: Replay detected')
    expect(strict.bus.counts.open).toBe(1)
  })

  test('is passed over where the admin asks', async () => {
    const { secret } = await newKey(['read'])
    expect((await call(secret, 'keys.list', {}, { Authorization: BASIC })).status).toBe(200)
  })
})
