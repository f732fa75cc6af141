import { expect, test } from 'vitest'
import { systemClock } from '../../src/main/bus/clock.ts'
import { callerOf, type TestBus } from '../support/test-bus.ts'
import { Mover, outcomeOf, realBus } from './moving.ts'
import { ReferenceDatabase, SCHEMA_7_0, SCHEMA_7_61 } from './reference-database.ts'

const PI = `tk_${'a1'.repeat(20)}`
const GONE = `tk_${'b2'.repeat(20)}`
/** BUS_SECRET of the old server: nothing in the database says that it is the main key. */
const OLD_MAIN = 'old:main key'

const now = Math.floor(systemClock.now())

let count = 0
function newId(): string {
  return (++count).toString(16).padStart(14, 'e') + count.toString(16).padStart(18, '0')
}

/** An intent as that server stores it. */
function intent(fields: Readonly<Record<string, string | number | null>> = {}) {
  return {
    id: newId(),
    namespace: 'default',
    goal: 'test',
    payload: '{"n":12345678901234567890,"p":1.10,"e":"\\u00e9"}',
    status: 'open',
    priority: 100,
    created_at: now - 100,
    expires_at: now + 86_300,
    run_at: now - 100,
    publisher: PI,
    ...fields
  }
}

async function all(bus: TestBus) {
  const { rows } = await bus.bus.reader.ask('list', { filter: '', order: 'oldest', limit: 1_000 }, systemClock.now())
  return Promise.all(rows.map(({ id }) => bus.bus.detail(id)))
}

test('everything of a 7.61 server comes over: intents of every state, dead letters, keys, values', async () => {
  using old = new ReferenceDatabase()
  old.insert('tester_keys', { api_key: PI, owner: 'raspberry pi', total_requests: 42, created_at: now - 5_000 })
  old.insert('intents', intent({ goal: 'open', target_worker: 'pi', required_capability: '', priority: 7, max_attempts: 5, backoff_base: 2.5 }))
  old.insert('intents', intent({ goal: 'public', visibility: 'public' }))
  old.insert('intents', intent({ goal: 'main', publisher: OLD_MAIN, namespace: 'home' }))
  old.insert('intents', intent({ goal: 'claimed', status: 'claimed', claim_attempts: 1, claimed_at: now - 5, claim_expires_at: now + 55, claimed_by: PI, claim_token: 'secret' }))
  old.insert('intents', intent({ goal: 'json', status: 'fulfilled', claimed_by: PI, claimed_at: now - 50, claim_attempts: 1, completed_at: now - 40, result: '{"n":1.10}', result_type: 'json' }))
  old.insert('intents', intent({ goal: 'text', status: 'fulfilled', completed_at: now - 40, result: 'plain "text"', result_type: 'text' }))
  old.insert('intents', intent({ goal: 'none', status: 'fulfilled', completed_at: now - 40 }))
  const dead = intent({ goal: 'dead', status: 'dead', claim_attempts: 3, claimed_by: PI, failed_at: now - 30, last_error: 'broken' })
  old.insert('intents', dead)
  old.insert('dead_letters', { intent_id: dead.id, namespace: 'default', goal: 'dead', payload: dead.payload, publisher: PI, visibility: 'private', attempts: 3, reason: 'broken', created_at: now - 30 })
  old.insert('dead_letters', { intent_id: newId(), namespace: 'default', goal: 'unclaimed', payload: '{}', publisher: PI, visibility: 'private', attempts: 0, reason: 'Expired unclaimed', created_at: now - 20 })
  old.insert('dead_letters', { intent_id: newId(), namespace: 'default', goal: 'letter', payload: '{}', publisher: GONE, visibility: 'public', attempts: 2, reason: 'too bad', created_at: now - 10 })
  old.insert('store', { key: `${PI}:door:front`, value: "it's open", expires_at: now + 500 })
  old.insert('store', { key: `${OLD_MAIN.slice(0, 3)}:x`, value: 'main', expires_at: now + 500 })
  old.insert('store', { key: `${PI}:late`, value: 'x', expires_at: now - 1 })
  old.insert('store', { key: `${GONE}:x`, value: 'x', expires_at: now + 500 })

  await using to = realBus()
  using mover = new Mover(to)
  const preview = (await mover.check(old.file())).preview!
  expect(preview).toMatchObject({ origin: 'reference', hasSecrets: false, counts: { keys: 1, keyValues: 2, intents: { open: 4, fulfilled: 3, dead: 2, expired: 1, claimed: 0 } } })
  expect(preview.skipped).toEqual([
    { what: 'keyValues', reason: 'its time is over', count: 1, example: 'late' },
    { what: 'keyValues', reason: 'its key was revoked', count: 1, example: 'x' }
  ])
  const view = await mover.import(old.file())
  expect(outcomeOf(view, 'intents')).toEqual({ added: 10, present: 0, skipped: 0 })
  expect(JSON.stringify(view)).not.toMatch(/tk_|old:/)
  const intents = new Map((await all(to)).map((one) => [one.goal, one]))
  const pi = to.bus.keys.identify(PI)!
  expect(pi).toMatchObject({ owner: 'raspberry pi', isMain: false })
  expect(intents.get('open')).toMatchObject({ status: 'open', priority: 7, target_worker: 'pi', required_capability: null, max_attempts: 5, backoff_base: 2.5, publisher: pi.id, visibility: 'private', expires_at: now + 86_300, payload: '{"n":12345678901234567890,"p":1.10,"e":"\\u00e9"}' })
  expect(intents.get('public')).toMatchObject({ visibility: 'public' })
  expect(intents.get('main')).toMatchObject({ publisher: 'main', namespace: 'home' })
  expect(intents.get('claimed')).toMatchObject({ status: 'open', claim_attempts: 1, claimed_by: null })
  expect(intents.get('json')).toMatchObject({ status: 'fulfilled', result: '{"n":1.10}', result_type: 'json', completed_at: now - 40, claimed_by: pi.id })
  expect(intents.get('text')).toMatchObject({ result: '"plain \\"text\\""', result_type: 'text' })
  expect(intents.get('none')).toMatchObject({ status: 'fulfilled', result: null })
  expect(intents.get('dead')).toMatchObject({ status: 'dead', error: 'broken', claim_attempts: 3, id: expect.stringMatching(new RegExp(`${dead.id.slice(14)}$`)) as string })
  expect(intents.get('unclaimed')).toMatchObject({ status: 'expired' })
  expect(intents.get('letter')).toMatchObject({ status: 'dead', error: 'too bad', visibility: 'public', publisher: expect.stringMatching(/^key_/) as string })
  expect(to.bus.get(callerOf(pi), 'door:front')).toBe('"it\'s open"')
  expect(to.tallies().kept).toEqual(to.tallies().counted)
  // The key of the old server works, and gets what is its own.
  expect(await to.claim({ goal: 'open', workerId: 'pi' }, pi)).toMatchObject({ payload: '{"n":12345678901234567890,"p":1.10,"e":"\\u00e9"}' })
  expect(await to.claim({ goal: 'main', namespace: 'home' })).toMatchObject({ goal: 'main' })
  const keys = await to.bus.reader.ask('keys')
  expect(keys[1]).toMatchObject({ owner: 'raspberry pi', requests: 42, createdAt: now - 5_000 })
})

test('the same database once more changes nothing; what is new in it comes over', async () => {
  using old = new ReferenceDatabase()
  old.insert('tester_keys', { api_key: PI, owner: 'pi', total_requests: 0, created_at: now })
  for (let i = 0; i < 50; i++) old.insert('intents', intent({ created_at: now - 100 }))
  await using to = realBus()
  using mover = new Mover(to)
  expect(outcomeOf(await mover.import(old.file()), 'intents')).toMatchObject({ added: 50 })
  old.insert('intents', intent())
  const again = await mover.import(old.file())
  expect(outcomeOf(again, 'intents')).toEqual({ added: 1, present: 50, skipped: 0 })
  expect(outcomeOf(again, 'keys')).toEqual({ added: 0, present: 1, skipped: 0 })
})

test('a main key that is kept makes its intents those of the main key', async () => {
  using old = new ReferenceDatabase()
  // As a bus that was started with the same BUS_SECRET.
  old.insert('tester_keys', { api_key: 'main key', owner: 'me', total_requests: 0, created_at: now })
  old.insert('intents', intent({ publisher: 'main key' }))
  await using to = realBus()
  using mover = new Mover(to)
  const view = await mover.import(old.file())
  expect(view.preview!.skipped).toEqual([{ what: 'keys', reason: 'it is the main key of this bus', count: 1, example: 'me' }])
  expect((await all(to))[0]).toMatchObject({ publisher: 'main' })
})

test('the database of version 7.0 comes over, too: columns that it lacks have their defaults', async () => {
  using old = new ReferenceDatabase(SCHEMA_7_0)
  old.insert('tester_keys', { api_key: PI, owner: 'pi', total_requests: 3, created_at: now })
  const row = { goal: 'old', payload: '[1]', created_at: now - 10, expires_at: now + 600, publisher: PI, reward: 5 }
  old.insert('intents', { ...row, id: '1b4e28ba-2fa1-11d2-883f-0016d3cca427', status: 'open' })
  old.insert('intents', { ...row, id: '1b4e28bb', status: 'failed', failed_at: now - 5, last_error: 'no', claim_attempts: 3 })
  old.insert('intents', { ...row, id: '1b4e28bc', status: 'fulfilled', claimed_at: now - 7, claimed_by: PI })
  await using to = realBus()
  using mover = new Mover(to)
  expect(outcomeOf(await mover.import(old.file()), 'intents')).toEqual({ added: 3, present: 0, skipped: 0 })
  expect((await all(to)).map(({ status, namespace, priority, max_attempts }) => ({ status, namespace, priority, max_attempts })).sort((a, b) => a.status.localeCompare(b.status))).toEqual([
    { status: 'dead', namespace: 'default', priority: 100, max_attempts: 3 },
    { status: 'fulfilled', namespace: 'default', priority: 100, max_attempts: 3 },
    { status: 'open', namespace: 'default', priority: 100, max_attempts: 3 }
  ])
})

test('rows that mean nothing are left out with a reason, the rest comes over', async () => {
  using old = new ReferenceDatabase()
  old.run('ALTER TABLE intents ADD COLUMN something_newer BLOB')
  old.insert('intents', intent({ goal: 'fine' }))
  old.insert('intents', intent({ goal: 'nan', payload: 'NaN' }))
  old.insert('intents', intent({ goal: 'huge', payload: JSON.stringify('x'.repeat(9_000)) }))
  old.insert('intents', intent({ goal: 'larger', payload: JSON.stringify('x'.repeat(200_000)) }))
  old.insert('intents', intent({ goal: 'undead', status: 'undead' }))
  old.insert('intents', intent({ goal: ' ' }))
  old.insert('intents', intent({ goal: 'space', namespace: 'no spaces' }))
  old.insert('intents', intent({ goal: 'target', target_worker: 'no spaces' }))
  old.insert('intents', intent({ goal: 'text for a time', created_at: 'yesterday' }))
  old.insert('intents', intent({ goal: 'tomorrow', created_at: now + 200_000 }))
  old.insert('intents', intent({ goal: 'odd numbers', priority: 5_000.5, max_attempts: 'many', backoff_base: -1, claim_attempts: -4 }))
  old.insert('intents', intent({ goal: 'blob' }))
  old.run(`UPDATE intents SET payload = x'7b7d' WHERE goal = 'blob'`)
  await using to = realBus()
  using mover = new Mover(to)
  const view = await mover.import(old.file())
  expect(outcomeOf(view, 'intents')).toEqual({ added: 2, present: 0, skipped: 10 })
  expect(view.report!.skipped.map(({ reason, count: many }) => [reason, many])).toEqual([
    ['its payload is not JSON', 1],
    ['it holds more than 8192 bytes of JSON', 1],
    ['its payload is missing or too large', 2],
    ['its status means nothing here', 1],
    ['its goal is no goal', 1],
    ['its namespace is no namespace', 1],
    ['its target worker is no name', 1],
    ['nothing tells when it was published', 1],
    [expect.stringContaining('still to come') as string, 1]
  ])
  expect((await all(to)).find(({ goal }) => goal === 'odd numbers')).toMatchObject({ priority: 1_000, max_attempts: 3, backoff_base: 1, claim_attempts: 0 })
})

test('what a killed server left in the log counts, where the log comes along', async () => {
  using old = new ReferenceDatabase()
  old.file()
  old.insert('intents', intent({ goal: 'in the log' }))
  const { file, wal } = old.killed()
  expect(wal.length).toBeGreaterThan(0)
  await using to = realBus()
  using mover = new Mover(to)
  expect(outcomeOf(await mover.import(file), 'intents').added).toBe(0)
  expect(outcomeOf(await mover.import(file, undefined, wal), 'intents').added).toBe(1)
})

test('a database that tricks or breaks is refused or harmless', async () => {
  await using to = realBus()
  using mover = new Mover(to)
  using other = new ReferenceDatabase('CREATE TABLE songs (id TEXT)')
  expect(await mover.check(other.file())).toMatchObject({ state: 'refused', problem: expect.stringContaining('another program') as string })
  using view = new ReferenceDatabase(`CREATE TABLE t (x); CREATE VIEW intents AS SELECT 1 AS id, 2 AS goal, 3 AS payload, 4 AS status FROM t`)
  expect(await mover.check(view.file())).toMatchObject({ state: 'refused' })
  using computed = new ReferenceDatabase(`CREATE TABLE intents (id TEXT, goal TEXT, status TEXT, payload TEXT AS (upper(goal)))`)
  computed.run(`INSERT INTO intents (id, goal, status) VALUES ('a', 'b', 'open')`)
  expect(await mover.check(computed.file())).toMatchObject({ state: 'refused' })
  using rowless = new ReferenceDatabase('CREATE TABLE intents (id TEXT PRIMARY KEY, goal TEXT, payload TEXT, status TEXT) WITHOUT ROWID')
  expect(await mover.check(rowless.file())).toMatchObject({ state: 'refused', problem: expect.stringContaining('another program') as string })
  using broken = new ReferenceDatabase()
  for (let i = 0; i < 500; i++) broken.insert('intents', intent())
  const bytes = broken.file()
  bytes.fill(0x5a, 8_192, 40_000)
  expect(await mover.check(bytes)).toMatchObject({ state: 'refused' })
  expect(to.rows('SELECT 1 FROM intents')).toHaveLength(0)
})

test('rows have any number, and columns any name', async () => {
  const withColumns = (names: string): string => SCHEMA_7_61.replace('result_type TEXT,', `result_type TEXT, ${names},`)
  using old = new ReferenceDatabase(withColumns('rowid TEXT, OID TEXT'))
  for (let i = 0; i < 40; i++) old.insert('intents', { ...intent({ goal: `goal ${i}` }), rowid: '5', OID: 'x' })
  const numbers = [-(2n ** 63n), -(2n ** 63n) + 1n, -1n, 0n, 2n ** 53n + 1n, 2n ** 53n + 2n, 2n ** 63n - 1n]
  numbers.forEach((number, i) => old.run(`UPDATE intents SET _rowid_ = ${number === -(2n ** 63n) ? '-9223372036854775807 - 1' : number} WHERE goal = 'goal ${i}'`))
  await using to = realBus()
  using mover = new Mover(to)
  expect(outcomeOf(await mover.import(old.file()), 'intents')).toEqual({ added: 40, present: 0, skipped: 0 })
  using nameless = new ReferenceDatabase(withColumns('rowid TEXT, OID TEXT, _rowid_ TEXT'))
  expect(await mover.check(nameless.file())).toMatchObject({ state: 'refused', problem: expect.stringContaining('another program') as string })
})

test('a database in which a look at a row would take long is refused, and one with large values is read in small steps', async () => {
  await using to = realBus()
  using mover = new Mover(to)
  const refused = { state: 'refused', problem: expect.stringContaining('another program') as string }
  using unindexed = new ReferenceDatabase('CREATE TABLE intents (id, goal, payload, status); CREATE TABLE dead_letters (intent_id, goal, payload, reason, created_at)')
  const numbers = 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 30000)'
  unindexed.run(`${numbers} INSERT INTO intents SELECT x, NULL, NULL, NULL FROM c`)
  unindexed.run(`${numbers} INSERT INTO dead_letters SELECT 30000 - x % 100, NULL, NULL, NULL, NULL FROM c`)
  expect(await mover.check(unindexed.file())).toMatchObject(refused)
  using keys = new ReferenceDatabase(SCHEMA_7_61.replace('api_key TEXT PRIMARY KEY', 'api_key TEXT'))
  expect(await mover.check(keys.file())).toMatchObject(refused)
  using schema = new ReferenceDatabase(`${SCHEMA_7_61}; CREATE TABLE songs (${Array.from({ length: 1_500 }, (_, i) => `"${'x'.repeat(200)}${i}"`).join()})`)
  expect(await mover.check(schema.file())).toMatchObject(refused)

  using large = new ReferenceDatabase()
  for (let i = 0; i < 40; i++) large.insert('intents', intent({ payload: 'x'.repeat(2_000_000), result: 'y'.repeat(2_000_000) }))
  for (let i = 0; i < 40; i++) large.insert('store', { key: ':'.repeat(60_000) + i, value: 'x', expires_at: now + 500 })
  const checked = mover.check(large.file())
  const waits: number[] = []
  let isOver = false
  void checked.finally(() => (isOver = true))
  while (!isOver) {
    const asked = performance.now()
    await to.bus.reader.ask('keys')
    waits.push(performance.now() - asked)
  }
  expect((await checked).preview!.skipped).toMatchObject([{ what: 'keyValues', count: 40 }, { what: 'intents', count: 40 }])
  expect(waits.length).toBeGreaterThan(3)
})
