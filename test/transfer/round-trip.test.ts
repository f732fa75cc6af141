import { expect, test } from 'vitest'
import { systemClock } from '../../src/main/bus/clock.ts'
import type { Key } from '../../src/main/bus/keys.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { callerOf, MAIN, type TestBus } from '../support/test-bus.ts'
import { exportOf, linesOf, Mover, outcomeOf, PASSPHRASE, realBus, withLines } from './moving.ts'

/** JSON that a JavaScript value would not give back. */
const ODD = [
  '12345678901234567890',
  '1.10',
  '-0',
  '1e400',
  '""',
  '"😀 \\ud83d\\ude00 \\u0000 \\n\\t \u2028"',
  '{"__proto__":{"a":1},"a":1,"a":2.50,"":[]}',
  '"\\ud800"',
  `${'['.repeat(1_000)}${']'.repeat(1_000)}`
]

async function claimed(bus: TestBus, goal: string, key = MAIN) {
  return (await bus.claim({ goal, workerId: 'worker 1' }, key))!
}

async function keyOf(bus: TestBus, owner: string, limits = NO_LIMITS): Promise<{ key: Key; secret: string }> {
  return bus.bus.createKey(owner, limits)
}

/** A bus with some of everything. */
async function fill(bus: TestBus): Promise<{ key: Key; secret: string; limited: { key: Key; secret: string } }> {
  const { key, secret } = await keyOf(bus, 'raspberry pi')
  const limits = { scope: { roles: ['publish' as const], namespaces: ['home'], goals: ['light_*'] }, expiresAt: 4_000_000_000, rateLimit: 7 }
  const limited = await keyOf(bus, 'limited', limits)
  const gone = await keyOf(bus, 'gone')
  await bus.publish({ goal: 'of a key that is gone' }, gone.key)
  await bus.bus.revokeKey(gone.key.id)
  for (const payload of ODD) await bus.publish({ goal: 'odd', payload })
  await bus.publish({ goal: 'private', visibility: 'private' }, key)
  await bus.publish({ goal: 'public', visibility: 'public', namespace: 'home', targetWorker: 'pi', requiredCapability: 'gpu', priority: 1_000 }, key)
  await bus.publish({ goal: 'later', delay: 3_600, maxAttempts: 20, backoffBase: 1.5, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })
  for (const [i, result] of ['{"n":12345678901234567890}', '1.10', '"text 😀"'].entries()) {
    const id = await bus.publish({ goal: 'fulfilled' })
    const { claim_token } = await claimed(bus, 'fulfilled')
    await bus.bus.extend(callerOf(MAIN), id, { claimToken: claim_token, seconds: 60 })
    await bus.bus.fulfill(callerOf(MAIN), id, { claimToken: claim_token, result, resultType: i === 2 ? 'text' : 'json' })
  }
  const plain = await bus.publish({ goal: 'no result' })
  await bus.bus.fulfill(callerOf(MAIN), plain, { claimToken: (await claimed(bus, 'no result')).claim_token, result: null, resultType: 'json' })
  const dead = await bus.publish({ goal: 'dead', maxAttempts: 1 })
  await bus.bus.fail(callerOf(MAIN), dead, { claimToken: (await claimed(bus, 'dead')).claim_token, error: 'broken "pipe"\n\u001b[2J' })
  const failed = await bus.publish({ goal: 'backs off' })
  await bus.bus.fail(callerOf(MAIN), failed, { claimToken: (await claimed(bus, 'backs off')).claim_token, error: 'again' })
  await bus.bus.cancel(await bus.publish({ goal: 'cancelled' }))
  await bus.bus.set(callerOf(key), 'greeting', { value: '{"n":1.10}', ttl: 3_600 }, null, '{}')
  const content = { ...templateFields, name: 'tidy up' }
  await bus.bus.templates.save({ id: null, ...content })
  await bus.bus.savedViews.save({ id: null, name: 'dead ones', filter: 'status:dead' })
  return { key, secret, limited }
}

const templateFields = {
  goal: 'tidy',
  payload: '{"n": 12345678901234567890}',
  namespace: 'default',
  visibility: 'private',
  priority: 100,
  delay: 0,
  maxAttempts: 3,
  backoffBase: 5,
  target: null,
  capability: null,
  publisher: 'main',
  schema: null
} as const

/** Everything about all intents, as operators see it. */
async function viewsOf(bus: TestBus): Promise<unknown[]> {
  const { rows } = await bus.bus.reader.ask('list', { filter: '', order: 'oldest', limit: 1_000 }, systemClock.now())
  return Promise.all(rows.map(({ id }) => bus.bus.reader.ask('detail', id)))
}

test('a bus with some of everything comes over as it was, digit for digit', async () => {
  await using from = realBus()
  // Both machines have slept, so that the ends of leases and lifetimes are stored otherwise than they are meant.
  await from.clock.sleep(5_000)
  await fill(from)
  await using to = realBus()
  await to.clock.sleep(300)
  using mover = new Mover(to)
  const view = await mover.import(await exportOf(from))
  expect(view.problem).toBe(null)
  const before = await viewsOf(from)
  expect(await viewsOf(to)).toEqual(before)
  expect(outcomeOf(view, 'intents')).toEqual({ added: before.length, present: 0, skipped: 0 })
  const { kept, counted } = to.tallies()
  expect(kept).toEqual(counted)
  expect(to.bus.templates.list()).toEqual(from.bus.templates.list())
  expect(to.bus.savedViews.list()).toEqual(from.bus.savedViews.list())
  expect((await to.bus.reader.ask('names')).goals.length).toBe((await from.bus.reader.ask('names')).goals.length)
})

test('the lanes are right: whoever may claim an intent there may do so here, and nobody else', async () => {
  await using from = realBus()
  const { key } = await fill(from)
  await using to = realBus()
  using mover = new Mover(to)
  await mover.import(await exportOf(from, { secrets: { clear: { mainKey: null, password: null }, passphrase: PASSPHRASE } }), PASSPHRASE)
  expect(await to.claim({ goal: 'private' })).toBe(null)
  expect(await to.claim({ goal: 'private' }, key)).toMatchObject({ goal: 'private', claim_attempts: 1 })
  expect(await to.claim({ goal: 'public', namespace: 'home', workerId: 'pi' })).toBe(null)
  expect(await to.claim({ goal: 'public', namespace: 'home', workerId: 'pi', capabilities: ['gpu'] })).toMatchObject({ goal: 'public' })
  expect(await to.claim({ goal: 'later' })).toBe(null)
  expect(await to.claim({ goal: 'odd' })).toMatchObject({ payload: ODD[0] })
})

test('a worker that waits already gets what comes in', async () => {
  await using from = realBus()
  await from.publish({ goal: 'awaited' })
  const file = await exportOf(from)
  await using to = realBus()
  using mover = new Mover(to)
  const waiting = to.claim({ goal: 'awaited' }, MAIN, { seconds: 20, signal: new AbortController().signal, onHeld: () => {} })
  await mover.import(file)
  expect(await waiting).toMatchObject({ goal: 'awaited' })
})

test('what was claimed comes open, with its attempts, and one is left', async () => {
  await using from = realBus()
  const once = await from.publish({ goal: 'once', maxAttempts: 1 })
  const more = await from.publish({ goal: 'more', maxAttempts: 5 })
  await claimed(from, 'once')
  await claimed(from, 'more')
  await using to = realBus()
  using mover = new Mover(to)
  await mover.import(await exportOf(from))
  expect(await to.bus.detail(more)).toMatchObject({ status: 'open', claim_attempts: 1, claimed_by: null, claim_expires_at: null, worker: null })
  expect((await to.bus.detail(more)).history.map(({ event }) => event)).toEqual(['published', 'claimed', 'moved'])
  expect(await to.bus.detail(once)).toMatchObject({ status: 'open', claim_attempts: 0 })
  expect(await to.claim({ goal: 'once' })).toMatchObject({ id: once, claim_attempts: 1 })
})

test('a lifetime that is over by then leaves a tombstone, which can be opened again', async () => {
  await using from = realBus()
  const id = await from.publish({ goal: 'too late' })
  const file = linesOf(await exportOf(from)).map((line) => line.replace(/"expires_at":[\d.]+,"claim_attempts"/, '"expires_at":1700000000,"claim_attempts"'))
  await using to = realBus()
  using mover = new Mover(to)
  await mover.import(withLines(file))
  expect(await to.bus.detail(id)).toMatchObject({ status: 'expired', expires_at: 1_700_000_000 })
  await to.bus.retry(id)
  expect(await to.claim({ goal: 'too late' })).toMatchObject({ id })
})

test('the same file once more changes nothing, nor does the file of the bus itself', async () => {
  await using from = realBus()
  await fill(from)
  const file = await exportOf(from, { secrets: { clear: { mainKey: null, password: null }, passphrase: PASSPHRASE } })
  await using to = realBus()
  for (const bus of [to, to, from]) {
    using mover = new Mover(bus)
    const before = bus === from ? from.rows('SELECT * FROM intents') : undefined
    const first = await mover.import(file, PASSPHRASE)
    const again = await mover.import(file, PASSPHRASE)
    for (const what of ['intents', 'keys', 'templates', 'savedViews', 'keyValues'] as const) {
      expect(outcomeOf(again, what)).toMatchObject({ added: 0, skipped: 0 })
      expect(outcomeOf(again, what).present).toBe(outcomeOf(first, what).present! + outcomeOf(first, what).added!)
    }
    if (before !== undefined) expect(from.rows('SELECT * FROM intents')).toEqual(before)
    expect(bus.tallies().kept).toEqual(bus.tallies().counted)
  }
})

test('two intents of the same instant of two machines both have their place, also the second time', async () => {
  await using from = realBus()
  const id = await from.publish({ goal: 'from there' })
  const file = await exportOf(from)
  const twin = id.slice(0, 14) + 'f'.repeat(18)
  await using to = realBus()
  using mover = new Mover(to)
  await mover.import(withLines(linesOf(file).map((line) => line.replace(id, twin))))
  expect(outcomeOf(await mover.import(file), 'intents')).toEqual({ added: 1, present: 0, skipped: 0 })
  expect(outcomeOf(await mover.import(file), 'intents')).toEqual({ added: 0, present: 1, skipped: 0 })
  const tails = to.rows<{ tail: string }>('SELECT tail FROM intents ORDER BY n').map(({ tail }) => tail)
  expect(tails).toEqual([twin.slice(14), id.slice(14)])
  await to.publish({ goal: 'and from here' })
  expect(to.rows('SELECT 1 FROM intents')).toHaveLength(3)
})

test('keys without the passphrase lend their names; with it they count, with their limits', async () => {
  await using from = realBus()
  const { key, secret, limited } = await fill(from)
  const file = await exportOf(from, { secrets: { clear: { mainKey: null, password: null }, passphrase: PASSPHRASE } })
  expect(file).not.toContain(secret)
  for (const { digest } of from.rows<{ digest: string }>('SELECT digest FROM keys')) if (digest !== '') expect(file).not.toContain(digest)
  await using to = realBus()
  using mover = new Mover(to)
  // One of the three was revoked there, and is here, too.
  expect(outcomeOf(await mover.import(file), 'keys')).toEqual({ added: 1, named: 2, present: 0, skipped: 0 })
  expect(outcomeOf(await mover.import(file), 'keys')).toEqual({ added: 0, named: 2, present: 1, skipped: 0 })
  expect(to.bus.keys.identify(secret)).toBe(undefined)
  expect((await to.bus.reader.ask('keys')).map(({ id }) => id)).toEqual(['main'])
  expect(outcomeOf(await mover.import(file, PASSPHRASE), 'keys')).toEqual({ added: 0, completed: 2, present: 1, skipped: 0 })
  expect(to.bus.keys.identify(secret)).toEqual(key)
  expect(to.bus.keys.identify(limited.secret)).toEqual(limited.key)
  await to.restart()
  expect(to.bus.keys.identify(limited.secret)).toEqual(limited.key)
  // A key that was revoked here stays so.
  await to.bus.revokeKey(key.id)
  using later = new Mover(to)
  await later.import(file, PASSPHRASE)
  expect(to.bus.keys.identify(secret)).toBe(undefined)
  expect(to.bus.get(callerOf(key), 'greeting')).toBe('{"n":1.10}')
})

test('a key that is here under another id keeps that, and what it published is its own', async () => {
  await using from = realBus()
  const { key, secret } = await keyOf(from, 'pi')
  await from.publish({ goal: 'mine' }, key)
  const file = await exportOf(from, { secrets: { clear: { mainKey: null, password: null }, passphrase: PASSPHRASE } })
  await using to = realBus()
  using mover = new Mover(to)
  await mover.import(file, PASSPHRASE)
  // The same digest under another id, as it comes from a third machine.
  const other = linesOf(file).map((line) => (line.includes('"type":"secrets"') ? line : line.replaceAll(key.id, 'key_00000000000000aa')))
  const { id } = await mover.check(withLines(other.map((line) => line.replace(/("id":")[0-9a-f]{14}([0-9a-f]{18})/, '$100000000001000$2'))))
  const digest = from.rows<{ digest: string }>('SELECT digest FROM keys WHERE id = ?', key.id)[0]!.digest
  mover.imports.start(id, { digests: new Map([['key_00000000000000aa', digest]]), conclude: async () => [], onEnd: () => {} })
  while (mover.imports.view!.state === 'importing') await new Promise((resolve) => setTimeout(resolve, 5))
  expect(outcomeOf(mover.imports.view!, 'keys')).toEqual({ added: 0, present: 1, skipped: 0 })
  expect(outcomeOf(mover.imports.view!, 'intents')).toEqual({ added: 1, present: 0, skipped: 0 })
  expect(to.rows('SELECT DISTINCT publisher FROM intents')).toEqual([{ publisher: key.id }])
  expect(to.bus.keys.identify(secret)?.id).toBe(key.id)
})

test('an id from a clock that is ahead stays behind whatever is published here, and one from the far future is refused', async () => {
  await using from = realBus()
  const id = await from.publish({ goal: 'ahead' })
  const file = linesOf(await exportOf(from))
  const shifted = (seconds: number): string => {
    const n = parseInt(id.slice(0, 14), 16) + seconds * 2_048_000
    return withLines(file.map((line) => line.replace(id, n.toString(16).padStart(14, '0') + id.slice(14))))
  }
  await using to = realBus()
  using mover = new Mover(to)
  await mover.import(shifted(3_600))
  const later = await to.publish({ goal: 'here' })
  const rows = await to.bus.reader.ask('list', { filter: '', order: 'newest', limit: 10 }, systemClock.now())
  expect(rows.rows.map(({ goal }) => goal)).toEqual(['here', 'ahead'])
  expect(later > id).toBe(true)
  expect(await mover.check(shifted(100_000))).toMatchObject({ state: 'refused', problem: expect.stringContaining('set the clock') as string })
  expect(await mover.check(withLines(file.map((line) => line.replace(id, '1fffffffffffff'.padEnd(32, '0')))))).toMatchObject({ state: 'refused' })
})
