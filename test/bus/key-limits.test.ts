import { expect, test } from 'vitest'
import type { Wait } from '../../src/main/bus/bus.ts'
import type { Key } from '../../src/main/bus/keys.ts'
import { NO_LIMITS, type KeyLimits } from '../../src/shared/scope.ts'
import { settle } from '../support/hand-clock.ts'
import { callerOf, TestBus } from '../support/test-bus.ts'

const ADDRESS = '10.0.0.7'
const CLAIMS: KeyLimits = { scope: { roles: ['claim'], namespaces: null, goals: ['resize'] }, expiresAt: 2e9, rateLimit: 5 }

function held(): Wait {
  return { seconds: 30, signal: new AbortController().signal, onHeld() {} }
}

async function newKey(t: TestBus, limits: Partial<KeyLimits>): Promise<{ key: Key; secret: string }> {
  return t.bus.createKey('pi', { ...NO_LIMITS, ...limits })
}

/** Follows the events of a key; the answer says whether they have ended. */
function follow(t: TestBus, key: Key): () => boolean {
  let isOver = false
  t.bus.clientEvents.follow({ keyId: key.id, onBegin() {}, onChange() {}, onGap() {}, onEnd: () => (isOver = true) }, undefined)
  return () => isOver
}

test('limits are kept over a restart and shown to operators', async () => {
  await using t = new TestBus()
  const { key, secret } = await newKey(t, CLAIMS)
  expect(key.limits).toEqual(CLAIMS)
  expect(t.bus.keys.identify(secret)).toEqual(key)
  await t.restart()
  expect(t.bus.keys.identify(secret)).toEqual(key)
  expect((await t.bus.reader.ask('keys')).find(({ id }) => id === key.id)).toMatchObject({ ...CLAIMS, lastAddress: null })
  t.bus.admit(key, ADDRESS)
  await t.clock.advance(31)
  expect((await t.bus.reader.ask('keys')).find(({ id }) => id === key.id)).toMatchObject({ lastAddress: ADDRESS, requests: 1 })
})

test('limits change at once, with the generation of keys, and stay when the key is renamed', async () => {
  await using t = new TestBus()
  const { key, secret } = await newKey(t, {})
  const { generation } = t.bus.keys
  await t.bus.limitKey(key.id, CLAIMS)
  expect(t.bus.keys.generation).toBeGreaterThan(generation)
  await t.bus.renameKey(key.id, 'attic')
  expect(t.bus.keys.identify(secret)).toMatchObject({ owner: 'attic', limits: CLAIMS })
  await t.bus.limitKey(key.id, NO_LIMITS)
  await t.restart()
  expect(t.bus.keys.identify(secret)).toMatchObject({ owner: 'attic', limits: NO_LIMITS })
})

test('only keys that are there can be limited, and not the main one', async () => {
  await using t = new TestBus()
  const { key } = await newKey(t, {})
  await expect(t.bus.limitKey('main', CLAIMS)).rejects.toMatchObject({ status: 400, message: 'The main key cannot be limited.' })
  await t.bus.revokeKey(key.id)
  await expect(t.bus.limitKey(key.id, CLAIMS)).rejects.toMatchObject({ status: 404 })
})

test('the rate of a key is its own, and counts anew each minute', async () => {
  await using t = new TestBus()
  const { key } = await newKey(t, { rateLimit: 3 })
  const { key: plain } = await newKey(t, {})
  for (let i = 0; i < 3; i++) t.bus.admit(key, ADDRESS)
  expect(() => t.bus.admit(key, ADDRESS)).toThrow('Too many requests.')
  for (let i = 0; i < 60; i++) t.bus.admit(plain, ADDRESS)
  expect(() => t.bus.admit(plain, ADDRESS)).toThrow('Too many requests.')
  await t.bus.limitKey(plain.id, { ...NO_LIMITS, rateLimit: 61 })
  const raised = t.bus.keys.byId(plain.id)!
  t.bus.admit(raised, ADDRESS)
  expect(() => t.bus.admit(raised, ADDRESS)).toThrow('Too many requests.')
  await t.clock.advance(60)
  for (let i = 0; i < 3; i++) t.bus.admit(key, ADDRESS)
})

test('a key expires at its time, over a restart, too, and works again when it is given more', async () => {
  await using t = new TestBus()
  const expiresAt = t.clock.now() + 100
  const { key } = await newKey(t, { expiresAt })
  await t.clock.advance(99)
  t.bus.admit(key, ADDRESS)
  await t.restart()
  const { generation } = t.bus.keys
  await t.clock.advance(1)
  expect(t.bus.keys.generation).toBeGreaterThan(generation)
  const expired = t.bus.keys.byId(key.id)!
  expect(() => t.bus.admit(expired, ADDRESS)).toThrow('This API key has expired.')
  expect(t.bus.liveKey(key.id)).toBeUndefined()
  await t.bus.limitKey(key.id, { ...NO_LIMITS, expiresAt: expiresAt + 100 })
  t.bus.admit(t.bus.liveKey(key.id)!, ADDRESS)
  expect(() => t.bus.admit(expired, ADDRESS)).toThrow('This API key has expired.')
})

test('what is held for a key ends when the key expires, and nothing of others', async () => {
  await using t = new TestBus()
  const { key } = await newKey(t, { expiresAt: t.clock.now() + 10 })
  const { key: other } = await newKey(t, { expiresAt: t.clock.now() + 1_000 })
  const id = await t.publish({ targetWorker: 'nobody' }, key)
  const isOver = [key, other].map((one) => follow(t, one))
  const waits = [t.claim({}, key, held()), t.bus.settled(callerOf(key), id, held())]
  const outcomes = Promise.allSettled(waits)
  const claim = t.claim({}, other, held())
  await t.clock.advance(10)
  const refused = { status: 'rejected', reason: expect.objectContaining({ status: 401, message: 'This API key has expired.' }) as unknown }
  expect(await outcomes).toEqual([refused, refused])
  expect(isOver.map((is) => is())).toEqual([true, false])
  const published = await t.publish({}, other)
  expect(await claim).toMatchObject({ id: published })
})

test('a timer that is late is made up for by the next change of keys', async () => {
  await using t = new TestBus()
  const { key } = await newKey(t, { expiresAt: t.clock.now() + 10 })
  const claim = expect(t.claim({}, key, held())).rejects.toMatchObject({ message: 'This API key has expired.' })
  await settle()
  t.clock.jump(10)
  await newKey(t, {})
  await claim
})

test('a lease of a key that expires ends by itself', async () => {
  await using t = new TestBus()
  const { key } = await newKey(t, { expiresAt: t.clock.now() + 10 })
  const id = await t.publish({ visibility: 'public' })
  expect(await t.claim({}, key)).toMatchObject({ id })
  await t.clock.advance(59)
  expect((await t.bus.status(null, id)).status).toBe('claimed')
  await t.clock.advance(1)
  expect((await t.bus.status(null, id)).status).toBe('open')
})

test('what is held for a key ends when its limits change: it asks again and is told then', async () => {
  await using t = new TestBus()
  const { key } = await newKey(t, {})
  const isOver = follow(t, key)
  const id = await t.publish({ targetWorker: 'nobody' }, key)
  const claim = t.claim({}, key, held())
  const result = t.bus.settled(callerOf(key), id, held())
  await settle()
  await t.bus.limitKey(key.id, CLAIMS)
  expect([await claim, (await result).status, isOver()]).toEqual([null, 'open', true])
})

test('a key that expires after longer than timers run expires in time', async () => {
  await using t = new TestBus()
  const year = 365 * 86_400
  const { key } = await newKey(t, { expiresAt: t.clock.now() + year })
  await t.clock.advance(year - 1)
  t.bus.admit(key, ADDRESS)
  await t.clock.advance(1)
  expect(() => t.bus.admit(key, ADDRESS)).toThrow('This API key has expired.')
})

test('who listens hears of every change of keys and sessions', async () => {
  await using t = new TestBus()
  const heard: string[] = []
  const take = () => heard.splice(0).join(' ')
  const stop = t.bus.onAccess((what) => heard.push(what))
  const { key } = await newKey(t, { expiresAt: t.clock.now() + 10 })
  expect(take()).toBe('keys')
  await t.bus.renameKey(key.id, 'attic')
  expect(take()).toBe('keys')
  await t.clock.advance(10)
  expect(take()).toBe('keys')
  await t.bus.limitKey(key.id, NO_LIMITS)
  await t.bus.revokeKey(key.id)
  expect(take()).toBe('keys keys')
  const { id } = await t.bus.sessions.open({ address: '', agent: '' })
  await t.bus.sessions.end(id)
  expect(take()).toBe('sessions sessions')
  stop()
  await newKey(t, {})
  expect(take()).toBe('')
})
