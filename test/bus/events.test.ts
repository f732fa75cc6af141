import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { IntentChange } from '../../src/shared/control/intent-views.ts'
import { callerOf, MAIN, PUBLISH, TestBus } from '../support/test-bus.ts'

const DAY = 86_400

/** Everything that a bus tells from now on, a list for each commit. */
function listen(t: TestBus): { commits: (readonly IntentChange[])[]; stop: () => void; all: () => IntentChange[] } {
  const commits: (readonly IntentChange[])[] = []
  const stop = t.bus.onChanges((changes) => void commits.push(changes))
  return { commits, stop, all: () => commits.flat() }
}

test('every change of an intent is told with what follows from it', async () => {
  await using t = new TestBus({ random: { hex: (bytes) => 'ab'.repeat(bytes), fraction: () => 0 } })
  const { all } = listen(t)
  const start = t.clock.now()
  const id = await t.publish({ goal: 'send', delay: 5, backoffBase: 10, maxAttempts: 2 })
  await t.clock.advance(5)
  const first = (await t.claim({ workerId: 'pi4' }))!
  await t.bus.extend(callerOf(MAIN), id, { claimToken: first.claim_token, seconds: 100 })
  await t.bus.fail(callerOf(MAIN), id, { claimToken: first.claim_token, error: 'no paper' })
  await t.clock.advance(20)
  await t.claim({ workerId: 'mac' })
  await t.clock.advance(60)
  await t.bus.retry(id)
  const last = (await t.claim())!
  await t.bus.fulfill(callerOf(MAIN), id, { claimToken: last.claim_token, result: '1', resultType: 'json' })
  await t.bus.cancel(id)

  const of = { id, namespace: 'default', goal: 'send', publisher: 'main' }
  expect(all()).toEqual([
    { ...of, at: start, event: 'published', status: 'open', attempts: 0, runAt: start + 5, key: 'main' },
    { ...of, at: start + 5, event: 'claimed', status: 'claimed', attempts: 1, leaseEndsAt: start + 65, worker: 'pi4', key: 'main' },
    { ...of, at: start + 5, event: 'extended', status: 'claimed', attempts: 1, leaseEndsAt: start + 105, worker: 'pi4', key: 'main' },
    { ...of, at: start + 5, event: 'failed', status: 'open', attempts: 1, runAt: start + 25, leaseEndsAt: null, worker: 'pi4', key: 'main', error: 'no paper' },
    { ...of, at: start + 25, event: 'claimed', status: 'claimed', attempts: 2, leaseEndsAt: start + 85, worker: 'mac', key: 'main' },
    { ...of, at: start + 85, event: 'lease_lost', status: 'dead', attempts: 2, leaseEndsAt: null, worker: 'mac', key: 'main', error: 'no paper' },
    { ...of, at: start + 85, event: 'retried', status: 'open', attempts: 0, runAt: start + 85, leaseEndsAt: null, worker: null, error: null },
    { ...of, at: start + 85, event: 'claimed', status: 'claimed', attempts: 1, leaseEndsAt: start + 145, worker: null, key: 'main' },
    { ...of, at: start + 85, event: 'fulfilled', status: 'fulfilled', attempts: 1, leaseEndsAt: null, worker: null, key: 'main' },
    { ...of, at: start + 85, event: 'cancelled', status: 'dead', leaseEndsAt: null, error: 'Cancelled by an operator.' }
  ])
})

test('a lease that ends opens an intent that has attempts left, a failure without any buries it, a lifetime ends', async () => {
  await using t = new TestBus()
  const { all } = listen(t)
  await t.publish({ goal: 'lost' })
  await t.publish({ goal: 'failed', maxAttempts: 1 })
  await t.publish({ goal: 'forgotten' })
  await t.claim({ goal: 'lost' })
  const lease = (await t.claim({ goal: 'failed' }))!
  await t.bus.fail(callerOf(MAIN), lease.id, { claimToken: lease.claim_token, error: 'broken' })
  await t.clock.advance(60)
  await t.clock.advance(DAY)
  const told = all().filter(({ event }) => event !== 'published' && event !== 'claimed')
  expect(told.map(({ goal, event, status, error }) => [goal, event, status, error])).toEqual([
    ['failed', 'failed', 'dead', 'broken'],
    ['lost', 'lease_lost', 'open', undefined],
    ['lost', 'expired', 'expired', undefined],
    ['forgotten', 'expired', 'expired', undefined]
  ])
})

test('a commit is told once, with all its changes, when it is on disk', async () => {
  await using t = new TestBus()
  const seen: number[] = []
  const stop = t.bus.onChanges((changes) => {
    seen.push(changes.length)
    expect(t.rows('SELECT n FROM intents')).toHaveLength(seen.reduce((a, b) => a + b))
  })
  await Promise.all([t.publish(), t.publish(), t.publish()])
  await t.publish()
  expect(seen).toEqual([3, 1])
  stop()
  await t.publish()
  expect(seen).toEqual([3, 1])
})

test('what was refused, rolled back or done before is not told', async () => {
  await using t = new TestBus()
  const id = await t.publish()
  await t.claim()
  await t.bus.publish(callerOf(MAIN), PUBLISH, 'once', '{}')
  const { commits } = listen(t)
  const guess = { claimToken: 'guess', result: null, resultType: 'json' } as const
  await expect(t.bus.fulfill(callerOf(MAIN), id, guess)).rejects.toMatchObject({ code: 'not_found' })
  await expect(t.bus.cancel('0'.repeat(32))).rejects.toMatchObject({ code: 'not_found' })
  await t.bus.publish(callerOf(MAIN), PUBLISH, 'once', '{}')
  const other = new Database(t.path)
  other.exec(`CREATE TRIGGER no_goal BEFORE INSERT ON intents WHEN new.goal = 'faulty' BEGIN SELECT RAISE(ABORT, 'no'); END`)
  await expect(t.publish({ goal: 'faulty' })).rejects.toThrow()
  expect(commits).toEqual([])
  // The good ones are committed in another transaction than the one that failed.
  const outcomes = await Promise.allSettled([t.publish({ goal: 'good' }), t.publish({ goal: 'faulty' }), t.publish({ goal: 'better' })])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(commits.flat().map(({ goal }) => goal)).toEqual(['good', 'better'])
  other.close()
})

test('deletions are told by their number', async () => {
  await using t = new TestBus()
  for (const namespace of ['lab', 'lab', 'home']) await t.publish({ namespace })
  const id = await t.publish()
  await t.bus.cancel(id)
  let deleted = 0
  const stop = t.bus.onDeleted((count) => (deleted += count))
  const purge = t.bus.purge('lab')
  await t.clock.advance(1)
  await purge
  expect(deleted).toBe(2)
  await t.clock.advance(7 * DAY + 1)
  const cleanup = t.bus.cleanup()
  await t.clock.advance(1)
  await cleanup
  expect(deleted).toBe(3)
  stop()
  const rest = t.bus.purge(null)
  await t.clock.advance(1)
  await rest
  expect(deleted).toBe(3)
  expect(t.rows('SELECT n FROM intents')).toEqual([])
})

test('who begins to watch finds on disk what was only in memory, and soon what comes after', async () => {
  await using t = new TestBus()
  await t.claim({ workerId: 'early' })
  const workers = (): unknown[] => t.rows('SELECT worker FROM workers ORDER BY first_seen_at')
  expect(workers()).toEqual([])
  listen(t)
  await t.clock.advance(0)
  expect(workers()).toEqual([{ worker: 'early' }])
  await t.clock.advance(5)
  await t.claim({ workerId: 'late' })
  await t.clock.advance(1)
  expect(workers()).toEqual([{ worker: 'early' }, { worker: 'late' }])
})
