import { expect, test } from 'vitest'
import { TestBus } from '../support/test-bus.ts'

const DAY = 86_400

test('a session is found by its secret, also after a restart, and the secret is not on disk', async () => {
  await using t = new TestBus()
  const { secret, id } = await t.bus.sessions.open({ address: '10.0.0.2', agent: 'a browser' })
  expect(secret).toMatch(/^[\w-]{86}$/)
  expect(t.bus.sessions.find(secret)).toMatchObject({ id })
  expect(t.bus.sessions.find(id)).toBeUndefined()
  await t.restart()
  expect(t.bus.sessions.find(secret)).toMatchObject({ id })
  expect(t.rows('SELECT address, agent FROM sessions')).toEqual([{ address: '10.0.0.2', agent: 'a browser' }])
  expect(JSON.stringify(t.rows('SELECT * FROM sessions'))).not.toContain(secret)
})

test('a session ends after seven days without use, and after thirty in any case', async () => {
  await using t = new TestBus()
  const idle = await t.bus.sessions.open({ address: '', agent: '' })
  const used = await t.bus.sessions.open({ address: '', agent: '' })
  for (let day = 1; day < 30; day++) {
    await t.clock.advance(DAY)
    expect(t.bus.sessions.find(used.secret), `day ${day}`).toBeDefined()
    if (day === 6) expect(t.bus.sessions.find(idle.secret)).toBeDefined()
    // Its last use was on day 6.
    if (day === 13) expect(t.bus.sessions.find(idle.secret)).toBeUndefined()
  }
  await t.clock.advance(DAY)
  expect(t.bus.sessions.find(used.secret)).toBeUndefined()
  await Promise.all([t.bus.cleanup(), t.clock.advance(1)])
  expect(t.rows('SELECT * FROM sessions')).toEqual([])
})

test('a use is on disk after half a minute', async () => {
  await using t = new TestBus()
  const { secret } = await t.bus.sessions.open({ address: '', agent: '' })
  await t.clock.advance(100)
  t.bus.sessions.find(secret)
  const at = t.clock.now()
  await t.clock.advance(31)
  expect(t.rows('SELECT last_used_at FROM sessions')).toEqual([{ last_used_at: at }])
})

test('sessions end one by one, all but one, or all', async () => {
  await using t = new TestBus()
  const { sessions } = t.bus
  const [a, b, c, d] = await Promise.all(['a', 'b', 'c', 'd'].map((agent) => sessions.open({ address: '', agent })))
  await sessions.end(a!.id)
  await sessions.end(a!.id)
  expect(await sessions.endAll(c!.id)).toBe(2)
  const isThere = ({ secret }: { secret: string }): boolean => sessions.find(secret) !== undefined
  expect([a!, b!, c!, d!].map(isThere)).toEqual([false, false, true, false])
  expect(await sessions.endAll()).toBe(1)
  expect(isThere(c!)).toBe(false)
  await t.restart()
  expect(t.rows('SELECT * FROM sessions')).toEqual([])
})

test('of too many sessions the oldest end', async () => {
  await using t = new TestBus()
  const secrets: string[] = []
  for (let i = 0; i < 1_010; i++) secrets.push((await t.bus.sessions.open({ address: '', agent: '' })).secret)
  const check = (): void => {
    expect(secrets.findIndex((secret) => t.bus.sessions.find(secret) !== undefined)).toBe(10)
    expect(t.rows('SELECT * FROM sessions')).toHaveLength(1_000)
  }
  check()
  await t.restart()
  check()
})

test('a session has the rights that it was given, or all of them, and its name, over a restart', async () => {
  await using t = new TestBus()
  await t.bus.sessions.open({ address: '10.0.0.2', agent: 'a browser' })
  await t.clock.advance(1)
  const paired = await t.bus.sessions.open({ address: '10.0.0.3', agent: 'a phone', name: "Ann's phone", rights: ['act', 'act'] })
  const check = (): void => {
    expect(t.bus.sessions.list()).toMatchObject([
      { id: paired.id, name: "Ann's phone", isPaired: true, rights: ['watch', 'act'], address: '10.0.0.3', agent: 'a phone', createdAt: t.clock.now() },
      { name: null, isPaired: false, rights: ['watch', 'publish', 'act', 'manage'], address: '10.0.0.2' }
    ])
    expect(t.bus.sessions.find(paired.secret)).toMatchObject({ rights: ['watch', 'act'] })
    expect(t.bus.sessions.byId(paired.id)).toMatchObject({ name: "Ann's phone" })
  }
  check()
  await t.restart()
  check()
})

test('sessions that are over are not listed', async () => {
  await using t = new TestBus()
  const { id } = await t.bus.sessions.open({ address: '', agent: '' })
  await t.clock.advance(7 * DAY)
  expect([t.bus.sessions.list(), t.bus.sessions.byId(id)]).toEqual([[], undefined])
})
