import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { settle } from '../support/hand-clock.ts'
import { generator } from '../support/generator.ts'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

const DAY = 86_400
const HOUR = 3_600
const FULFILLED = { result: '1', resultType: 'json' } as const

describe('across a sleep', () => {
  test('a lease has what was left of it, and no more', async () => {
    await using t = new TestBus()
    await t.publish()
    const { id, claim_token: claimToken } = (await t.claim())!
    await t.clock.advance(50)
    await t.clock.sleep(8 * HOUR)
    expect((await t.bus.status(null, id)).status).toBe('claimed')
    expect((await t.bus.status(null, id)).claim_expires_at).toBeCloseTo(t.clock.now() + 10)
    await t.clock.advance(9)
    expect((await t.bus.status(null, id)).status).toBe('claimed')
    await t.clock.advance(1.1)
    expect(await t.bus.detail(id)).toMatchObject({ status: 'open', claim_attempts: 1 })
    await expect(t.bus.fulfill(callerOf(MAIN), id, { claimToken, ...FULFILLED })).rejects.toMatchObject({ code: 'not_found' })
  })

  test('a worker that slept along settles what it holds, and extends it', async () => {
    await using t = new TestBus()
    await t.publish()
    await t.publish()
    const first = (await t.claim())!
    const second = (await t.claim())!
    await t.clock.sleep(HOUR)
    await t.bus.fulfill(callerOf(MAIN), first.id, { claimToken: first.claim_token, ...FULFILLED })
    await t.bus.extend(callerOf(MAIN), second.id, { claimToken: second.claim_token, seconds: 100 })
    expect((await t.bus.status(null, second.id)).claim_expires_at).toBeCloseTo(t.clock.now() + 100)
    await t.clock.advance(99)
    await t.bus.fulfill(callerOf(MAIN), second.id, { claimToken: second.claim_token, ...FULFILLED })
  })

  test('a request that comes before the bus has noticed finds its lease as well', async () => {
    await using t = new TestBus()
    await t.publish()
    const { id, claim_token: claimToken } = (await t.claim())!
    const slept = t.clock.sleep(HOUR)
    await Promise.all([slept, t.bus.fulfill(callerOf(MAIN), id, { claimToken, ...FULFILLED })])
    expect((await t.bus.status(null, id)).status).toBe('fulfilled')
  })

  test('an open intent lives on, and what outlives its lifetime awake leaves a tombstone that can be retried', async () => {
    await using t = new TestBus()
    const id = await t.publish({ goal: 'old' })
    await t.clock.advance(DAY - 100)
    await t.clock.sleep(3 * DAY)
    expect(await t.bus.detail(id)).toMatchObject({ status: 'open' })
    await t.clock.advance(99)
    expect(await t.bus.detail(id)).toMatchObject({ status: 'open' })
    await t.clock.advance(2)
    expect(await t.bus.detail(id)).toMatchObject({ status: 'expired' })
    expect(await t.claim({ goal: 'old' })).toBeNull()
    await t.bus.retry(id)
    expect(await t.claim({ goal: 'old' })).toMatchObject({ id })
  })

  test('what is due by the clock is due at once: delays, and the key-value store’s ends', async () => {
    await using t = new TestBus()
    const id = await t.publish({ goal: 'later', delay: HOUR })
    await t.bus.set(callerOf(MAIN), 'k', { value: '1', ttl: HOUR }, null, '{}')
    await t.clock.sleep(HOUR + 1)
    expect(await t.claim({ goal: 'later' })).toMatchObject({ id })
    expect(() => t.bus.get(callerOf(MAIN), 'k')).toThrow(/not found/i)
  })

  test('nobody waits across it', async () => {
    await using t = new TestBus()
    let answer: unknown
    void t.claim({}, MAIN, { seconds: 60, signal: new AbortController().signal, onHeld: () => {} }).then((given) => (answer = given))
    await settle()
    expect(answer).toBeUndefined()
    await t.clock.sleep(HOUR)
    await settle()
    expect(answer).toBeNull()
    // And the next one waits as ever.
    const next = t.claim({}, MAIN, { seconds: 60, signal: new AbortController().signal, onHeld: () => {} })
    await settle()
    const id = await t.publish()
    expect(await next).toMatchObject({ id })
  })

  test('it costs one row, whatever there is, and a restart keeps it', async () => {
    await using t = new TestBus()
    for (let i = 0; i < 300; i++) await t.publish()
    const { id } = (await t.claim())!
    const before = t.rows('SELECT n, expires_at, claim_expires_at FROM intents ORDER BY n')
    await t.clock.sleep(DAY)
    expect(t.rows('SELECT n, expires_at, claim_expires_at FROM intents ORDER BY n')).toEqual(before)
    expect(t.rows('SELECT seconds, cause, total FROM gaps')).toEqual([{ seconds: DAY, cause: 'sleep', total: DAY }])
    await t.restart()
    expect((await t.bus.status(null, id)).status).toBe('claimed')
    await t.clock.sleep(DAY)
    expect(t.rows('SELECT total FROM gaps ORDER BY n')).toEqual([{ total: DAY }, { total: 2 * DAY }])
    await t.clock.advance(61)
    expect((await t.bus.status(null, id)).status).toBe('open')
  })

  test('a disk that refuses to note it makes nobody lose a lease', async () => {
    await using t = new TestBus()
    await t.publish()
    const { id } = (await t.claim())!
    const other = new Database(t.path)
    other.exec("CREATE TRIGGER no_gaps BEFORE INSERT ON gaps BEGIN SELECT RAISE(ABORT, 'no'); END")
    await t.clock.sleep(HOUR)
    await expect(t.publish()).rejects.toThrow()
    other.exec('DROP TRIGGER no_gaps')
    other.close()
    await t.publish()
    expect(t.rows('SELECT seconds FROM gaps')).toEqual([{ seconds: HOUR }])
    expect((await t.bus.status(null, id)).status).toBe('claimed')
  })

  test('operators see it: ends of leases, gaps in the life of an intent, and workers that are still there', async () => {
    await using t = new TestBus()
    const id = await t.publish({ goal: 'seen' })
    await t.claim({ goal: 'seen', workerId: 'nas' })
    await t.clock.advance(10)
    await t.clock.sleep(HOUR)
    await t.bus.notesWritten()
    const now = t.clock.now()
    expect(await t.bus.reader.ask('detail', id)).toMatchObject({
      leaseEndsAt: now + 50,
      expiresAt: now - 10 + DAY,
      gaps: [{ at: now, seconds: HOUR, cause: 'sleep' }]
    })
    const { workers } = await t.bus.reader.ask('workers', now)
    expect(workers).toMatchObject([{ worker: 'nas', presence: 'online', holds: [{ id, leaseEndsAt: now + 50 }] }])
    const { rows } = await t.bus.reader.ask('list', { filter: '', order: 'newest', limit: 10 }, now)
    expect(rows).toMatchObject([{ id, leaseEndsAt: now + 50 }])
  })
})

test.each([HOUR, -HOUR])('a clock that is set by %i s takes nothing from leases and lifetimes, and gives them nothing', async (seconds) => {
  await using t = new TestBus()
  const open = await t.publish({ goal: 'open' })
  await t.publish({ goal: 'held' })
  const { id } = (await t.claim({ goal: 'held' }))!
  await t.clock.set(seconds)
  await t.clock.advance(59)
  expect((await t.bus.status(null, id)).status).toBe('claimed')
  await t.clock.advance(2)
  expect((await t.bus.status(null, id)).status).toBe('open')
  await t.clock.advance(DAY)
  expect(await t.bus.detail(open)).toMatchObject({ status: 'expired' })
})

test.each([1, 2, 3])('on random days no lease and no lifetime is longer or shorter than it should be, seed %i', async (seed) => {
  await using t = new TestBus()
  const random = generator(seed)
  let slept = 0
  for (let i = 0; i < 60; i++) {
    await t.publish({ goal: `g${i}` })
    const claimed = (await t.claim({ goal: `g${i}` }))!
    let left = 60
    while (left > 5) {
      const awake = Math.min(left - 1, 1 + random.below(30))
      await t.clock.advance(awake)
      left -= awake
      expect((await t.bus.status(null, claimed.id)).status).toBe('claimed')
      const pause = 10 + random.below(100_000)
      slept += pause
      await t.clock.sleep(pause)
    }
    await t.clock.advance(left + 0.5)
    expect((await t.bus.status(null, claimed.id)).status).toBe('open')
  }
  expect(t.rows('SELECT total FROM gaps ORDER BY n DESC LIMIT 1')).toEqual([{ total: slept }])
})
