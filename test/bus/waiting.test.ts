import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Claimed } from '../../src/main/bus/intents/claimed.ts'
import type { Key } from '../../src/main/bus/keys.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { settle } from '../support/hand-clock.ts'
import { generator } from '../support/generator.ts'
import { callerOf, MAIN, TestBus } from '../support/test-bus.ts'

const ALICE: Key = { id: 'key_alice', owner: 'alice', isMain: false, limits: NO_LIMITS }
const BOB: Key = { id: 'key_bob', owner: 'bob', isMain: false, limits: NO_LIMITS }

type Fields = NonNullable<Parameters<TestBus['claim']>[0]>

/** A claim that waits, and what came of it so far. */
class Waiting {
  readonly gone = new AbortController()
  readonly answer: Promise<Claimed | null>
  /** undefined: it still waits. */
  got: string | null | undefined
  refusal: unknown

  constructor(t: TestBus, fields: Fields = {}, key = MAIN, seconds = 30) {
    this.answer = t.claim(fields, key, { seconds, signal: this.gone.signal, onHeld: () => {} })
    this.answer.then(
      (claimed) => (this.got = claimed?.id ?? null),
      (error: unknown) => (this.refusal = error)
    )
  }
}

async function waiting(t: TestBus, fields: Fields = {}, key = MAIN, seconds = 30): Promise<Waiting> {
  const one = new Waiting(t, fields, key, seconds)
  await settle()
  return one
}

test('a waiting claim gets the intent in the transaction that published it', async () => {
  await using t = new TestBus()
  const worker = await waiting(t, { goal: 'resize' })
  expect(worker.got).toBeUndefined()
  const before = t.bus.commitCounts.commits
  const id = await t.publish({ goal: 'resize' })
  expect(t.bus.commitCounts.commits).toBe(before + 1)
  await settle()
  expect(worker.got).toBe(id)
  expect(await t.bus.detail(id)).toMatchObject({ status: 'claimed', claim_attempts: 1 })
})

test('who finds something does not wait, and who finds nothing waits so long and no longer', async () => {
  await using t = new TestBus()
  const id = await t.publish()
  expect((await waiting(t)).got).toBe(id)
  const worker = await waiting(t, {}, MAIN, 7)
  await t.clock.advance(6.9)
  expect(worker.got).toBeUndefined()
  await t.clock.advance(0.1)
  expect(worker.got).toBeNull()
  const later = await t.publish()
  await settle()
  expect(await t.bus.detail(later)).toMatchObject({ status: 'open' })
})

test.each<[what: string, publish: Parameters<TestBus['publish']>, claim: [Fields, Key], doesGet: boolean]>([
  ['any goal', [{ goal: 'a' }], [{}, MAIN], true],
  ['another goal', [{ goal: 'a' }], [{ goal: 'b' }, MAIN], false],
  ['one of several goals', [{ goal: 'c' }], [{ goals: ['a', 'b', 'c'] }, MAIN], true],
  ['another namespace', [{ namespace: 'lab' }], [{}, MAIN], false],
  ['a private intent of another key', [{}, ALICE], [{}, BOB], false],
  ['a public intent of another key', [{ visibility: 'public' }, ALICE], [{}, BOB], true],
  ['the publisher that was asked for', [{}, ALICE], [{ publisher: ALICE.id }, MAIN], true],
  ['public, of the publisher that was asked for', [{ visibility: 'public' }, ALICE], [{ publisher: ALICE.id }, MAIN], true],
  ['public, of another publisher', [{ visibility: 'public' }, BOB], [{ publisher: ALICE.id }, MAIN], false],
  ['meant for it', [{ targetWorker: 'pi4' }], [{ workerId: 'pi4' }, MAIN], true],
  ['meant for another', [{ targetWorker: 'pi4' }], [{ workerId: 'mac' }, MAIN], false],
  ['needs what it offers', [{ requiredCapability: 'gpu' }], [{ capabilities: ['cpu', 'gpu'] }, MAIN], true],
  ['needs what it does not offer', [{ requiredCapability: 'gpu' }], [{ capabilities: ['cpu'] }, MAIN], false]
])('a waiting claim and what arrives: %s', async (_what, [fields, publisher], [claim, key], doesGet) => {
  await using t = new TestBus()
  t.bus.keys.activate({ key: ALICE, secret: 'alice' })
  const worker = await waiting(t, claim, key)
  const id = await t.publish(fields, publisher)
  await settle()
  expect(worker.got).toBe(doesGet ? id : undefined)
  // The same as without waiting.
  const other = doesGet ? await t.publish(fields, publisher) : id
  expect((await t.claim(claim, key))?.id).toBe(doesGet ? other : undefined)
})

test('the longest waiting gets it, whatever way it asks; nobody else is served', async () => {
  await using t = new TestBus()
  const unable = await waiting(t, { workerId: 'mac' })
  const first = await waiting(t, { workerId: 'pi4', goal: 'a' })
  const second = await waiting(t, { workerId: 'pi4' })
  const third = await waiting(t, { workerId: 'pi4', goals: ['b', 'a'] })
  const ids: string[] = []
  for (let i = 0; i < 3; i++) {
    ids.push(await t.publish({ goal: 'a', targetWorker: 'pi4' }))
    await settle()
    expect([unable, first, second, third].map(({ got }) => got)).toEqual([undefined, ...ids, ...Array(2 - i).fill(undefined)])
  }
})

test('of many that arrive at once each goes to one who waits, the best first', async () => {
  await using t = new TestBus()
  const workers = [await waiting(t), await waiting(t), await waiting(t)]
  const [low, high, middle] = await Promise.all([t.publish({ priority: 1 }), t.publish({ priority: 900 }), t.publish({ priority: 50 })])
  await settle()
  expect(workers.map(({ got }) => got)).toEqual([high, middle, low])
})

test('delays, backoffs and lease ends wake at their time, one of those who wait', async () => {
  await using t = new TestBus({ claimTimeout: 20 })
  const early = await t.publish({ goal: 'a', delay: 5 })
  const first = await waiting(t, { goal: 'a' })
  const second = await waiting(t)
  const late = await t.publish({ goal: 'b', delay: 10 })
  await t.clock.advance(4.9)
  expect([first.got, second.got]).toEqual([undefined, undefined])
  await t.clock.advance(0.1)
  expect([first.got, second.got]).toEqual([early, undefined])
  await t.clock.advance(5)
  expect(second.got).toBe(late)

  const third = await waiting(t)
  const { claim_token } = (await first.answer)!
  await t.bus.fail(callerOf(MAIN), early, { claimToken: claim_token, error: 'once more' })
  const { run_at } = await t.bus.detail(early)
  await t.clock.advance(run_at - t.clock.now() - 0.01)
  expect(third.got).toBeUndefined()
  await t.clock.advance(0.01)
  expect(third.got).toBe(early)

  const fourth = await waiting(t, { goal: 'b' })
  const { claim_expires_at } = await t.bus.detail(late)
  const left = claim_expires_at! - t.clock.now()
  await t.clock.advance(left - 0.01)
  expect(fourth.got).toBeUndefined()
  await t.clock.advance(0.01)
  expect(fourth.got).toBe(late)
})

test('several that fall due one after the other wake one each', async () => {
  await using t = new TestBus()
  const ids: string[] = []
  for (const delay of [3, 1, 2]) ids.push(await t.publish({ delay, priority: delay * 100 }))
  const workers = [await waiting(t), await waiting(t), await waiting(t)]
  for (const expected of [[ids[1]], [ids[1], ids[2]], [ids[1], ids[2], ids[0]]]) {
    await t.clock.advance(1)
    expect(workers.map(({ got }) => got).filter((got) => got !== undefined)).toEqual(expected)
  }
})

test('retry and resume wake, a pause does not let anything through', async () => {
  await using t = new TestBus()
  const id = await t.publish()
  await t.bus.cancel(id)
  const worker = await waiting(t)
  await t.bus.setPaused(true)
  await t.bus.retry(id)
  await settle()
  expect(worker.got).toBeUndefined()
  const paused = await waiting(t)
  const other = await t.publish()
  await t.bus.setPaused(false)
  await settle()
  expect([worker.got, paused.got]).toEqual([id, other])
})

test('who went away is served nothing, and does not stand in the way of others', async () => {
  await using t = new TestBus()
  const gone = await waiting(t)
  const worker = await waiting(t)
  gone.gone.abort()
  await settle()
  expect(gone.got).toBeNull()
  const id = await t.publish()
  await settle()
  expect(worker.got).toBe(id)
  const late = new AbortController()
  late.abort()
  expect(await t.claim({}, MAIN, { seconds: 30, signal: late.signal, onHeld: () => {} })).toBeNull()
})

test('a claim whose answer was lost is taken back: no attempt is spent, and the next one waiting gets it', async () => {
  await using t = new TestBus()
  const id = await t.publish({ maxAttempts: 1 })
  const claimed = (await t.claim())!
  const worker = await waiting(t)
  await t.bus.takeBack(claimed)
  await settle()
  expect(worker.got).toBe(id)
  expect(await t.bus.detail(id)).toMatchObject({ status: 'claimed', claim_attempts: 1 })
  expect(await t.bus.detail(id).then(({ history }) => history.map(({ event }) => event))).toEqual(['published', 'claimed', 'returned', 'claimed'])
  // Late, it is nobody's business any more.
  await t.bus.takeBack(claimed)
  expect(await t.bus.detail(id)).toMatchObject({ status: 'claimed', claim_attempts: 1 })
  await expect(t.bus.fulfill(callerOf(MAIN), id, { claimToken: claimed.claim_token, result: null, resultType: 'json' })).rejects.toMatchObject({
    code: 'not_found'
  })
})

test('a revoked key is refused while it waits; the end of all waits is an answer without anything', async () => {
  await using t = new TestBus()
  const { key, secret } = await t.bus.createKey('pi')
  const revoked = await waiting(t, {}, key)
  const other = await waiting(t)
  await t.bus.revokeKey(secret)
  await settle()
  expect(revoked.refusal).toMatchObject({ code: 'unauthorized' })
  t.bus.endWaits()
  await settle()
  expect(other.got).toBeNull()
  const again = await waiting(t)
  t.bus.endWaits(true)
  await settle()
  expect(again.got).toBeNull()
  expect((await waiting(t)).got).toBeNull()
})

test('a key may have 64 requests held, the main key more', async () => {
  await using t = new TestBus()
  const { key } = await t.bus.createKey('pi')
  const held = Array.from({ length: 64 }, () => new Waiting(t, {}, key))
  await settle()
  expect((await waiting(t, {}, key)).got).toBeNull()
  expect(held.every(({ got }) => got === undefined)).toBe(true)
  held[0]!.gone.abort()
  await settle()
  expect((await waiting(t, {}, key)).got).toBeUndefined()
  const ofMain = Array.from({ length: 100 }, () => new Waiting(t, { goal: 'main' }))
  await settle()
  expect(ofMain.every(({ got }) => got === undefined)).toBe(true)
})

test('a transaction that fails takes nothing from those who wait, and what is good in it still reaches them', async () => {
  await using t = new TestBus()
  const first = await waiting(t, { goal: 'good' })
  const second = await waiting(t, { goal: 'good' })
  const other = new Database(t.path)
  other.exec(`CREATE TRIGGER no_goal BEFORE INSERT ON intents WHEN new.goal = 'faulty' BEGIN SELECT RAISE(ABORT, 'no'); END`)
  const outcomes = await Promise.allSettled([t.publish({ goal: 'good' }), t.publish({ goal: 'faulty' })])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  await settle()
  expect(first.got).toBe((outcomes[0] as PromiseFulfilledResult<string>).value)
  expect(second.got).toBeUndefined()
  // An intent that cannot be written is a matter between it and who was to get it; nobody else's.
  other.exec(`CREATE TRIGGER no_claim BEFORE UPDATE ON intents WHEN new.status = 1 BEGIN SELECT RAISE(ABORT, 'no'); END`)
  const third = await waiting(t, { goal: 'other' })
  const id = await t.publish({ goal: 'good' })
  await settle()
  expect(second.refusal).toMatchObject({ code: 'SQLITE_CONSTRAINT_TRIGGER' })
  expect(third.got).toBeUndefined()
  other.exec('DROP TRIGGER no_claim')
  expect((await t.claim({ goal: 'good' }))?.id).toBe(id)
  other.close()
})

test('after a pause, and after a disk in trouble, everybody is still woken at their time', async () => {
  const halts: ((t: TestBus) => Promise<() => Promise<void>>)[] = [
    async (t) => {
      await t.bus.setPaused(true)
      return () => t.bus.setPaused(false)
    },
    async (t) => {
      const other = new Database(t.path)
      other.exec('BEGIN IMMEDIATE')
      return async () => void other.close()
    }
  ]
  for (const halt of halts) {
    await using t = new TestBus()
    const early = await t.publish({ delay: 2 })
    const late = await t.publish({ delay: 10 })
    const [first, second] = [await waiting(t), await waiting(t)]
    await t.clock.advance(1)
    const goOn = await halt(t)
    await t.clock.advance(2)
    await goOn()
    await t.clock.advance(2)
    expect(first.got).toBe(early)
    await t.clock.advance(6)
    expect(second.got).toBe(late)
  }
})

test('who waits for a disk in trouble does not keep it busy', async () => {
  let failures = 0
  await using t = new TestBus({ claimTimeout: 3, onRollback: () => failures++ })
  for (let i = 0; i < 250; i++) await t.publish({ goal: 'a' })
  for (let i = 0; i < 250; i++) await t.claim({ goal: 'a' })
  const worker = await waiting(t, { goal: 'b' })
  const other = new Database(t.path)
  other.exec('BEGIN IMMEDIATE')
  await t.clock.advance(6)
  expect(failures).toBeGreaterThan(3)
  expect(failures).toBeLessThan(10)
  other.close()
  const id = await t.publish({ goal: 'b' })
  await t.clock.advance(1)
  expect(worker.got).toBe(id)
})

test('a thousand that are each waited for by somebody else fall due at once', async () => {
  await using t = new TestBus()
  const count = 1_000
  const names = Array.from({ length: count }, (_, i) => `worker-${i}`)
  const runAt = 5
  await Promise.all(names.map((targetWorker) => t.publish({ targetWorker, delay: runAt })))
  const workers = names.map((workerId) => new Waiting(t, { workerId }))
  await settle()
  const before = process.cpuUsage()
  await t.clock.advance(runAt)
  const { user, system } = process.cpuUsage(before)
  expect(workers.every(({ got }) => typeof got === 'string')).toBe(true)
  // It was 3.8 seconds when every hand-over looked at all of them.
  expect((user + system) / 1e6).toBeLessThan(2)
})

test('a claim that was under way when its key was revoked, or the settings changed, is not held', async () => {
  await using t = new TestBus()
  const { key, secret } = await t.bus.createKey('pi')
  const under = new Waiting(t, {}, key)
  await t.bus.revokeKey(secret)
  await settle()
  expect(under.refusal ?? under.got).not.toBeUndefined()
  const other = new Waiting(t)
  t.bus.endWaits()
  await settle()
  expect(other.got).toBeNull()
})

test('a held result is answered when its intent is deleted, and others go on', async () => {
  await using t = new TestBus()
  const ask = (id: string) => t.bus.settled(callerOf(MAIN), id, { seconds: 30, signal: new AbortController().signal, onHeld: () => {} })
  const [gone, kept] = [ask(await t.publish({ namespace: 'lab' })), ask(await t.publish())]
  gone.catch(() => {})
  let isAnswered = false
  void kept.then(() => (isAnswered = true))
  await settle()
  const purge = t.bus.purge('lab')
  await t.clock.advance(1)
  await purge
  await expect(gone).rejects.toMatchObject({ code: 'not_found' })
  expect(isAnswered).toBe(false)
})

test('an idle bus does not write because clients wait and listen', async () => {
  await using t = new TestBus()
  const id = await t.publish()
  void t.bus.settled(callerOf(MAIN), id, { seconds: 60, signal: new AbortController().signal, onHeld: () => {} })
  await settle()
  const before = t.bus.commitCounts.commits
  for (let i = 0; i < 20; i++) {
    await t.claim({ goal: 'none' })
    await t.clock.advance(1)
  }
  expect(t.bus.commitCounts.commits - before).toBeLessThanOrEqual(2)
})

test('a question for a result waits until the intent is settled', async () => {
  await using t = new TestBus()
  const caller = callerOf(MAIN)
  const ask = (id: string, seconds = 30) => t.bus.settled(caller, id, { seconds, signal: new AbortController().signal, onHeld: () => {} })
  const [good, bad, slow] = [await t.publish({ goal: 'a' }), await t.publish({ goal: 'b' }), await t.publish({ goal: 'c' })]
  const answers = [ask(good), ask(bad), ask(slow, 5)]
  const { claim_token } = (await t.claim({ goal: 'a' }))!
  await t.bus.fulfill(caller, good, { claimToken: claim_token, result: '1.10', resultType: 'json' })
  expect(await answers[0]).toMatchObject({ status: 'fulfilled', result: '1.10' })
  await t.bus.cancel(bad)
  expect(await answers[1]).toMatchObject({ status: 'dead' })
  await t.clock.advance(5)
  expect(await answers[2]).toMatchObject({ status: 'open' })
  expect(await ask(good)).toMatchObject({ status: 'fulfilled' })
  await expect(t.bus.settled(callerOf(ALICE), slow, { seconds: 5, signal: new AbortController().signal, onHeld: () => {} })).rejects.toMatchObject({ code: 'forbidden' })
})

test('whatever happens, who waits gets what a claim would have got, and nothing is left lying that somebody waits for', async () => {
  const random = generator(7)
  for (let run = 0; run < 20; run++) {
    await using t = new TestBus({ claimTimeout: 30 })
    const open: Waiting[] = []
    const held = new Map<string, string>()
    const goals = ['a', 'b', 'c']
    const fields = (): Fields => ({
      goals: random.pick([[], ['a'], ['b'], ['a', 'c']]),
      workerId: random.pick([null, 'pi4', 'mac']),
      capabilities: random.pick([[], ['gpu'], ['disk', 'gpu']])
    })
    const asked = new Map<Waiting, { fields: Fields; key: Key }>()
    for (let step = 0; step < 150; step++) {
      const key = random.pick([MAIN, ALICE, BOB])
      const what = random.below(10)
      if (what < 3) {
        const claim = fields()
        const one = new Waiting(t, claim, key, random.pick([3, 30]))
        asked.set(one, { fields: claim, key })
        open.push(one)
      } else if (what < 7) {
        await t.publish(
          {
            goal: random.pick(goals),
            visibility: random.pick(['private', 'public']),
            delay: random.pick([0, 0, 1, 4]),
            targetWorker: random.pick([null, null, 'pi4']),
            requiredCapability: random.pick([null, null, 'gpu'])
          },
          key
        )
      } else if (what === 7) open[random.below(open.length + 1)]?.gone.abort()
      else await t.clock.advance(random.pick([0.5, 1, 5]))
      await settle()
      for (const one of open) {
        if (typeof one.got !== 'string') continue
        expect(held.has(one.got) && held.get(one.got) === 'held').toBe(false)
        held.set(one.got, 'once')
      }
      // A claim of the same kind finds nothing that a waiting one should have got.
      for (const one of open) {
        if (one.got !== undefined) continue
        const { fields: claim, key: owner } = asked.get(one)!
        expect(await t.claim(claim, owner), `step ${step} of run ${run}`).toBeNull()
      }
    }
  }
})
