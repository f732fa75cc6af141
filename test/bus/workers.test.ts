import { expect, test } from 'vitest'
import { callerOf, CLAIM, MAIN, TestBus } from '../support/test-bus.ts'

const DAY = 86_400

interface Row {
  readonly ref: string
  readonly capabilities: string
  readonly asks: string
  readonly last_seen_at: number
  readonly claimed: number
}

/** The workers on disk; all of them are there once nothing else has happened for half a minute. */
async function seen(t: TestBus): Promise<Row[]> {
  await t.clock.advance(31)
  return t.rows<Row>('SELECT * FROM workers ORDER BY ref')
}

test('a worker is what its claims say: key, name or address, capabilities and what it asks for', async () => {
  await using t = new TestBus()
  const { key } = await t.bus.createKey('pi')
  const start = t.clock.now()
  await t.claim({ workerId: 'pi4', capabilities: ['gpu', 'disk'], goal: 'resize', namespace: 'lab' }, key)
  await t.claim({ publisher: key.id })
  expect(await seen(t)).toEqual([
    {
      ref: `${key.id}/w/pi4`,
      key_id: key.id,
      worker: 'pi4',
      address: '127.0.0.1',
      capabilities: 'gpu,disk',
      first_seen_at: start,
      last_seen_at: start,
      asks: JSON.stringify([['lab', 'resize', null, start]]),
      claimed: 0,
      fulfilled: 0,
      failed: 0,
      lost: 0
    },
    expect.objectContaining({
      ref: 'main/a/127.0.0.1',
      worker: null,
      capabilities: '',
      asks: JSON.stringify([['default', null, key.id, start]])
    })
  ])
})

test('every claim is a sighting, also while paused, and the latest one counts', async () => {
  await using t = new TestBus()
  await t.bus.setPaused(true)
  await t.claim({ workerId: 'pi4', capabilities: ['gpu'] })
  await t.clock.advance(100)
  await t.bus.claim({ ...callerOf(MAIN), address: '10.0.0.9' }, { ...CLAIM, workerId: 'pi4', capabilities: ['disk'] })
  const at = t.clock.now()
  expect(await seen(t)).toMatchObject([
    { ref: 'main/w/pi4', address: '10.0.0.9', capabilities: 'disk', first_seen_at: at - 100, last_seen_at: at }
  ])
})

test('the newest 32 questions of a worker are kept, newest first', async () => {
  await using t = new TestBus()
  for (let i = 0; i < 40; i++) {
    await t.claim({ goal: `goal ${i}` })
    await t.clock.advance(1)
  }
  await t.claim({ goal: 'goal 20' })
  const [worker] = await seen(t)
  const goals = (JSON.parse(worker!.asks) as [string, string][]).map(([, goal]) => goal)
  const newest = Array.from({ length: 32 }, (_, i) => `goal ${39 - i}`)
  expect(goals).toEqual(['goal 20', ...newest.filter((goal) => goal !== 'goal 20')])
})

test('a key given as the publisher to claim from is not written down, only its id', async () => {
  await using t = new TestBus()
  const { key, secret } = await t.bus.createKey('pi')
  await t.claim({ publisher: secret })
  await t.claim({ publisher: 'tk_of_nobody' })
  const [worker] = await seen(t)
  expect(worker!.asks).toContain(key.id)
  expect(worker!.asks).not.toContain('tk_')
})

test('what comes of claims is counted for who held the lease', async () => {
  await using t = new TestBus()
  for (let i = 0; i < 6; i++) await t.publish({ maxAttempts: 3, visibility: 'public' })
  const take = (workerId: string) => t.claim({ workerId }).then((claimed) => claimed!)
  const done = await take('a')
  const failed = await take('a')
  await take('b')
  await take('b')
  const late = await take('b')
  // Whoever presents the token settles; the lease is that of the worker that claimed.
  await t.bus.fulfill(callerOf(MAIN), done.id, { claimToken: done.claim_token, result: null, resultType: 'json' })
  await t.bus.fail(callerOf(MAIN), failed.id, { claimToken: failed.claim_token, error: 'no' })
  await t.bus.extend(callerOf(MAIN), late.id, { claimToken: late.claim_token, seconds: 3_600 })
  await t.clock.advance(60)
  expect(await seen(t)).toMatchObject([
    { ref: 'main/w/a', claimed: 2, fulfilled: 1, failed: 1, lost: 0 },
    { ref: 'main/w/b', claimed: 3, fulfilled: 0, failed: 0, lost: 2 }
  ])
})

test('a restart forgets no worker, and leases taken before count after', async () => {
  await using t = new TestBus()
  await t.publish()
  const lease = (await t.claim({ workerId: 'pi4', capabilities: ['gpu', 'disk'] }))!
  await t.restart()
  await t.bus.fulfill(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, result: null, resultType: 'json' })
  await t.clock.advance(31)
  await t.restart()
  const at = t.clock.now()
  await t.claim({ workerId: 'pi4', goal: 'other' })
  const [worker] = await seen(t)
  expect(worker).toMatchObject({ claimed: 1, fulfilled: 1, first_seen_at: at - 31, last_seen_at: at })
  expect(JSON.parse(worker!.asks)).toEqual([
    ['default', 'other', null, at],
    ['default', null, null, at - 31]
  ])
})

test('a worker that was forgotten is gone for good, and new when it claims again', async () => {
  await using t = new TestBus()
  await t.publish()
  const lease = (await t.claim({ workerId: 'pi4' }))!
  await t.claim({ workerId: 'mac' })
  await t.bus.forgetWorker('main/w/pi4')
  await t.bus.fulfill(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, result: null, resultType: 'json' })
  expect((await seen(t)).map(({ ref }) => ref)).toEqual(['main/w/mac'])
  await expect(t.bus.forgetWorker('main/w/pi4')).rejects.toMatchObject({ code: 'not_found' })
  await t.restart()
  await t.claim({ workerId: 'pi4' })
  expect(await seen(t)).toMatchObject([{ ref: 'main/w/mac' }, { ref: 'main/w/pi4', claimed: 0 }])
})

test('cleanup forgets workers that were not seen for 30 days', async () => {
  await using t = new TestBus()
  await t.claim({ workerId: 'old' })
  await t.clock.advance(DAY)
  await t.claim({ workerId: 'young' })
  await t.clock.advance(29 * DAY)
  const cleanup = t.bus.cleanup()
  await t.clock.advance(1)
  await cleanup
  expect((await seen(t)).map(({ ref }) => ref)).toEqual(['main/w/young'])
})

test('of too many workers the longest unseen go', async () => {
  await using t = new TestBus()
  for (let i = 0; i < 5_001; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, k) => t.claim({ workerId: `w${i + k}` })))
    await t.clock.advance(1)
  }
  const refs = new Set((await seen(t)).map(({ ref }) => ref))
  expect(refs.size).toBeLessThanOrEqual(5_000)
  expect(refs.size).toBeGreaterThan(4_500)
  expect(refs.has('main/w/w0')).toBe(false)
  expect(refs.has('main/w/w5099')).toBe(true)
  await t.restart()
  expect(t.rows('SELECT ref FROM workers')).toHaveLength(refs.size)
})
