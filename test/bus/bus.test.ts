import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Key } from '../../src/main/bus/keys.ts'
import { ProtocolError } from '../../src/shared/errors.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { callerOf, CLAIM, MAIN, PUBLISH, TestBus } from '../support/test-bus.ts'

const DAY = 86_400

test('a transaction that fails at its end leaves nothing behind in memory either', async () => {
  await using t = new TestBus()
  await t.publish({ goal: 'kept' })
  const id = await t.publish({ goal: 'leased', maxAttempts: 1 })
  const lease = (await t.claim({ goal: 'leased' }))!
  // The counts are written last: everything before has been done, believed and remembered when this fails.
  const other = new Database(t.path)
  for (const table of ['tally_base', 'tally_log']) {
    other.exec(`CREATE TRIGGER no_${table} BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'no'); END`)
  }
  t.bus.reserveNonce(MAIN, 'n1')
  const attempts = [
    t.bus.publish(callerOf(MAIN, 'n1'), { ...PUBLISH, goal: 'new' }, null, '{}'),
    t.claim({ goal: 'kept' }),
    t.bus.fulfill(callerOf(MAIN), id, { claimToken: lease.claim_token, result: '1', resultType: 'json' })
  ]
  for (const attempt of attempts) await expect(attempt).rejects.toThrow()
  other.exec('DROP TRIGGER no_tally_base; DROP TRIGGER no_tally_log')
  other.close()

  expect(await t.claim({ goal: 'kept' })).toMatchObject({ goal: 'kept', claim_attempts: 1 })
  expect(await t.claim({ goal: 'new' })).toBeNull()
  expect(t.bus.reserveNonce(MAIN, 'n1')).toBe(true)
  await t.publish({ goal: 'new' })
  expect(await t.claim({ goal: 'new' })).toMatchObject({ goal: 'new' })
  await t.bus.fulfill(callerOf(MAIN), id, { claimToken: lease.claim_token, result: '1', resultType: 'json' })
  expect(t.tallies().kept).toEqual(t.tallies().counted)
})

test('a busy database fails what was asked meanwhile, and nothing after', async () => {
  await using t = new TestBus()
  await t.publish()
  const other = new Database(t.path)
  other.exec('BEGIN IMMEDIATE')
  await expect(t.publish()).rejects.toMatchObject({ code: 'database_busy' })
  expect(await t.claim()).toBeNull()
  other.exec('COMMIT')
  other.close()
  expect(await t.claim()).not.toBeNull()
})

test('an intent that outlived its lifetime under a lease expires as soon as it is open again', async () => {
  await using t = new TestBus()
  const id = await t.publish({ maxAttempts: 2, backoffBase: 3_600 })
  await t.publish({ goal: 'other' })
  await t.clock.advance(DAY - 100)
  const lease = (await t.claim({ goal: 'test' }))!
  await t.bus.extend(callerOf(MAIN), id, { claimToken: lease.claim_token, seconds: 3_600 })
  await t.claim({ goal: 'other' })
  await t.clock.advance(90)
  await t.bus.fail(callerOf(MAIN), id, { claimToken: lease.claim_token, error: 'no' })
  await t.clock.advance(20)
  expect(t.rows('SELECT goal, status FROM intents WHERE goal = ?', 'test')).toEqual([{ goal: 'test', status: 4 }])
})

test('the status of an intent is true however many others ended with it', async () => {
  await using t = new TestBus()
  await Promise.all(Array.from({ length: 900 }, () => t.publish({ maxAttempts: 1 })))
  await Promise.all(Array.from({ length: 900 }, () => t.claim()))
  await t.clock.advance(1)
  const id = await t.publish({ maxAttempts: 1 })
  await t.claim()
  t.clock.jump(120)
  expect((await t.bus.status(null, id)).status).toBe('dead')
})

test('uses of a key are on disk within half a minute, and when the bus is closed', async () => {
  await using t = new TestBus()
  const { key } = await t.bus.createKey('pi')
  const uses = (): unknown[] => t.rows('SELECT requests FROM keys WHERE id = ?', key.id)
  t.bus.admit(key, '127.0.0.1')
  await t.publish()
  t.bus.admit(key, '127.0.0.1')
  await t.publish()
  await t.clock.advance(31)
  expect(uses()).toEqual([{ requests: 2 }])
  t.bus.admit(key, '127.0.0.1')
  await t.restart()
  expect(uses()).toEqual([{ requests: 3 }])
})

test('a question after the end is refused, and a reading thread that ended starts again', async () => {
  await using t = new TestBus()
  await t.publish()
  expect((await t.bus.reader.ask('overview')).counts.open).toBe(1)
  const { reader } = t.bus
  await t.restart()
  await expect(reader.ask('overview')).rejects.toThrow('closed')
  expect((await t.bus.reader.ask('overview')).counts.open).toBe(1)
})

test('a claim in the same transaction as the publish sees the intent', async () => {
  await using t = new TestBus()
  const [, claimed] = await Promise.all([t.publish(), t.claim()])
  expect(claimed).not.toBeNull()
})

test('many claims at once share out the intents without a double', async () => {
  await using t = new TestBus()
  await Promise.all(Array.from({ length: 300 }, () => t.publish()))
  const claimed = await Promise.all(Array.from({ length: 400 }, () => t.claim()))
  const ids = claimed.flatMap((one) => one?.id ?? [])
  expect(new Set(ids).size).toBe(300)
  expect(ids).toHaveLength(300)
})

test('hundreds of leases that ended at once are all swept before a claim goes away empty', async () => {
  await using t = new TestBus()
  await Promise.all(Array.from({ length: 900 }, () => t.publish({ maxAttempts: 1, goal: 'lost' })))
  await Promise.all(Array.from({ length: 900 }, () => t.claim({ goal: 'lost' })))
  await t.clock.advance(1)
  // Its lease ends last, so it stands behind all the others in the sweep.
  const id = await t.publish({ goal: 'wanted' })
  await t.claim({ goal: 'wanted' })
  t.clock.jump(120)
  expect(await t.claim({ goal: 'wanted' })).toMatchObject({ id, claim_attempts: 2 })
  expect(t.rows('SELECT count(*) AS n FROM intents WHERE status = 3')).toEqual([{ n: 900 }])
})

test('hundreds of lifetimes that ended at once do not hide what can be claimed behind them', async () => {
  await using t = new TestBus()
  await Promise.all(Array.from({ length: 900 }, () => t.publish({ priority: 900 })))
  const id = await t.publish({ delay: 3_600 })
  t.clock.jump(DAY + 60)
  expect(await t.claim()).toMatchObject({ id })
})

test('what ended while the bus was down is swept at the start', async () => {
  await using t = new TestBus()
  const id = await t.publish({ maxAttempts: 1 })
  await t.claim()
  await t.bus.close()
  await t.clock.advance(3_600)
  t.bus = new (t.bus.constructor as new (options: object) => typeof t.bus)({
    path: t.path,
    clock: t.clock,
    random: { hex: () => 'ab', fraction: () => 0 },
    readerEntry: new URL('../../src/main/reader.ts', import.meta.url),
    claimTimeout: 60,
    cleanupInterval: 300
  })
  await t.clock.advance(0)
  expect((await t.bus.detail(id)).status).toBe('dead')
})

test('a paused bus hands out nothing, lets leases go on, and stays paused over a restart', async () => {
  await using t = new TestBus()
  await t.publish()
  await t.publish()
  const lease = (await t.claim())!
  await t.bus.setPaused(true)
  expect(await t.claim()).toBeNull()
  await t.publish()
  await t.bus.extend(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, seconds: 100 })
  await t.restart()
  expect(t.bus.isPaused).toBe(true)
  expect(await t.claim()).toBeNull()
  await t.bus.fulfill(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, result: null, resultType: 'json' })
  await t.bus.setPaused(false)
  expect(await t.claim()).not.toBeNull()
})

test('everything that matters survives a restart: leases, nonces, rates, counts, keys', async () => {
  await using t = new TestBus()
  const { key, secret } = await t.bus.createKey('pi')
  const id = await t.publish({ visibility: 'public' })
  const lease = (await t.claim({}, key))!
  expect(t.bus.reserveNonce(key, 'once')).toBe(true)
  await t.bus.set(callerOf(key, 'once'), 'color', { value: '"red"', ttl: 600 }, null, '{}')
  for (let i = 0; i < 60; i++) t.bus.admit(key, '127.0.0.1')
  await t.restart()
  const again = t.bus.keys.identify(secret)!
  expect(again).toEqual(key)
  expect(t.bus.reserveNonce(again, 'once')).toBe(false)
  expect(() => t.bus.admit(again, '127.0.0.1')).toThrow(ProtocolError)
  expect(t.bus.get(callerOf(again), 'color')).toBe('"red"')
  await t.bus.fulfill(callerOf(again), id, { claimToken: lease.claim_token, result: '1.10', resultType: 'json' })
  expect(await t.bus.detail(id)).toMatchObject({ status: 'fulfilled', result: '1.10', claimed_by: key.id })
  expect(t.tallies().kept).toEqual(t.tallies().counted)
})

test('a nonce is free again when the disk did not take its request, and spent when the request was refused', async () => {
  await using t = new TestBus()
  const other = new Database(t.path)
  other.exec('BEGIN IMMEDIATE')
  expect(t.bus.reserveNonce(MAIN, 'n1')).toBe(true)
  await expect(t.bus.publish(callerOf(MAIN, 'n1'), PUBLISH, null, '{}')).rejects.toMatchObject({ status: 503 })
  expect(t.bus.reserveNonce(MAIN, 'n1')).toBe(true)
  other.exec('COMMIT')
  other.close()
  await t.bus.publish(callerOf(MAIN, 'n1'), PUBLISH, null, '{}')
  expect(t.bus.reserveNonce(MAIN, 'n1')).toBe(false)
  expect(t.bus.reserveNonce(MAIN, 'n2')).toBe(true)
  const unknown = { claimToken: 'x', result: null, resultType: 'json' } as const
  await expect(t.bus.fulfill(callerOf(MAIN, 'n2'), 'no such id', unknown)).rejects.toMatchObject({ status: 404 })
  expect(t.bus.reserveNonce(MAIN, 'n2')).toBe(false)
})

test('the nonce of a claim that found nothing is on disk with its answer', async () => {
  await using t = new TestBus()
  t.bus.reserveNonce(MAIN, 'polled')
  expect(await t.bus.claim(callerOf(MAIN, 'polled'), CLAIM)).toBeNull()
  expect(t.rows('SELECT nonce FROM nonces')).toEqual([{ nonce: 'polled' }])
})

test('nonces of reads are on disk with the next change, or within half a minute', async () => {
  await using t = new TestBus()
  t.bus.spendNonce(callerOf(MAIN, 'first'))
  expect(t.rows('SELECT * FROM nonces')).toEqual([])
  await t.publish()
  t.bus.spendNonce(callerOf(MAIN, 'second'))
  expect(t.rows('SELECT nonce FROM nonces')).toEqual([{ nonce: 'first' }])
  await t.clock.advance(31)
  expect(t.rows('SELECT nonce FROM nonces')).toEqual([{ nonce: 'first' }, { nonce: 'second' }])
})

test('a hundred thousand nonces of reads do not wait for each other', async () => {
  await using t = new TestBus()
  for (let i = 0; i < 100_000; i++) {
    t.bus.spendNonce(callerOf(MAIN, `n${i}`))
    if (i % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await t.publish()
  expect(t.rows('SELECT count(*) AS n FROM nonces')).toEqual([{ n: 100_000 }])
})

test('a timer that wakes too early is set again', async () => {
  await using t = new TestBus()
  const after = t.clock.after.bind(t.clock)
  t.clock.after = (seconds, wake) => after(seconds > 1 ? seconds - 0.01 : seconds, wake)
  await t.publish({ maxAttempts: 1 })
  await t.claim()
  await t.clock.advance(60.5)
  expect(t.rows('SELECT status FROM intents')).toEqual([{ status: 3 }])
})

test('short-lived entries of the store do not pile up until the next cleanup', async () => {
  await using t = new TestBus()
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 20; i++) {
      await t.bus.set(callerOf(MAIN), `${round}-${i}`, { value: '1', ttl: 1 }, null, '{}')
    }
    await t.clock.advance(2)
  }
  expect(t.rows<{ n: number }>('SELECT count(*) AS n FROM store')[0]!.n).toBeLessThan(60)
})

test('a nonce stays spent for 600 seconds and is forgotten in the end', async () => {
  await using t = new TestBus()
  expect(t.bus.reserveNonce(MAIN, 'once')).toBe(true)
  await t.clock.advance(599)
  expect(t.bus.reserveNonce(MAIN, 'other')).toBe(true)
  expect(t.bus.reserveNonce(MAIN, 'once')).toBe(false)
  await t.clock.advance(1_000)
  t.bus.reserveNonce(MAIN, 'third')
  expect(t.bus.reserveNonce(MAIN, 'once')).toBe(true)
})

test('cleanup comes with traffic, at most once per interval', async () => {
  await using t = new TestBus({ cleanupInterval: 300 })
  const id = await t.publish()
  const lease = (await t.claim())!
  await t.bus.fulfill(callerOf(MAIN), id, { claimToken: lease.claim_token, result: null, resultType: 'json' })
  await t.clock.advance(7 * DAY + 1)
  expect(t.rows('SELECT count(*) AS n FROM intents')).toEqual([{ n: 1 }])
  await t.bus.set(callerOf(MAIN), 'any', { value: '1', ttl: 1 }, null, '{}')
  await t.clock.advance(1)
  expect(t.rows('SELECT count(*) AS n FROM intents')).toEqual([{ n: 0 }])
})

test('cleanup removes the names of lanes that nobody uses, and their intents can still come back', async () => {
  await using t = new TestBus()
  const id = await t.publish({ goal: 'rare', maxAttempts: 1 })
  const lease = (await t.claim())!
  await t.bus.fail(callerOf(MAIN), id, { claimToken: lease.claim_token, error: 'no' })
  await t.publish({ goal: 'waiting' })
  const cleanup = t.bus.cleanup()
  await t.clock.advance(1)
  await cleanup
  const names = t.rows<{ name: string }>('SELECT name FROM lanes').map(({ name }) => name)
  expect(names.some((name) => name.endsWith('waiting'))).toBe(true)
  expect(names.some((name) => name.endsWith('rare'))).toBe(false)
  await t.bus.retry(id)
  expect(await t.claim({ goal: 'rare' })).toMatchObject({ id })
  expect(await t.claim()).toMatchObject({ goal: 'waiting' })
})

test('an operation of a stranger is refused before it changes anything', async () => {
  await using t = new TestBus()
  const stranger: Key = { id: 'key_stranger', owner: 'x', isMain: false, limits: NO_LIMITS }
  const id = await t.publish()
  await t.claim()
  const before = t.rows('SELECT * FROM intents')
  const attempt = t.bus.fail(callerOf(stranger), id, { claimToken: 'guess', error: 'x' })
  await expect(attempt).rejects.toMatchObject({ status: 404 })
  expect(t.rows('SELECT * FROM intents')).toEqual(before)
})

test('ids grow with time and never repeat, not even when the clock goes back', async () => {
  await using t = new TestBus()
  const first = await t.publish()
  await t.clock.advance(-3_600)
  const second = await t.publish()
  await t.restart()
  const third = await t.publish()
  expect([third, first, second].sort()).toEqual([first, second, third])
})
