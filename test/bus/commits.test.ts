import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { Commits, type CommitHooks } from '../../src/main/bus/store/commits.ts'
import { ProtocolError } from '../../src/shared/errors.ts'
import { HandClock } from '../support/hand-clock.ts'
import { temporaryFolder } from '../support/folders.ts'

function setUp() {
  const folder = temporaryFolder()
  const path = `${folder.path}/commits.db`
  const db = new Database(path, { timeout: 20 })
  db.pragma('journal_mode = WAL')
  db.exec('CREATE TABLE seen (value INTEGER PRIMARY KEY) STRICT')
  const clock = new HandClock()
  const transactions: string[] = []
  const hooks: CommitHooks = {
    begin: () => void transactions.push('begin'),
    conclude: () => {},
    ride: () => void transactions.push('ride'),
    committed: (rode) => void transactions.push(rode ? 'committed' : 'nothing to commit'),
    rolledBack: () => void transactions.push('rolled back')
  }
  const commits = new Commits(db, clock, hooks)
  const insert = db.prepare('INSERT INTO seen VALUES (?)')
  return {
    path,
    db,
    commits,
    clock,
    transactions,
    add: (value: number) => commits.run(() => void insert.run(value)),
    values: () => db.prepare('SELECT value FROM seen ORDER BY value').pluck().all(),
    [Symbol.dispose]() {
      if (db.open) db.close()
      folder[Symbol.dispose]()
    }
  }
}

test('operations of one turn share a transaction', async () => {
  using t = setUp()
  await Promise.all([t.add(1), t.add(2), t.add(3)])
  expect(t.transactions).toEqual(['begin', 'ride', 'committed'])
  expect(t.values()).toEqual([1, 2, 3])
})

test('a promise resolves only when another connection can see the change', async () => {
  using t = setUp()
  const other = new Database(t.path, { readonly: true })
  await t.add(7)
  expect(other.prepare('SELECT count(*) FROM seen').pluck().get()).toBe(1)
  other.close()
})

test('a refusal reaches its own caller and nobody else', async () => {
  using t = setUp()
  const refused = t.commits.run(() => {
    throw new ProtocolError('not_found', 'no')
  })
  const outcomes = await Promise.allSettled([t.add(1), refused, t.add(2)])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(t.transactions).toEqual(['begin', 'ride', 'committed'])
  expect(t.values()).toEqual([1, 2])
})

test('an operation that fails half way leaves no trace and does not fail its neighbours', async () => {
  using t = setUp()
  const insert = t.db.prepare('INSERT INTO seen VALUES (?)')
  const faulty = t.commits.run(() => {
    insert.run(99)
    throw new Error('a fault')
  })
  const outcomes = await Promise.allSettled([t.add(1), faulty, t.add(2)])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(t.transactions[1]).toBe('rolled back')
  expect(t.values()).toEqual([1, 2])
})

test('a transaction that wrote nothing takes nothing along, unless it is asked to', async () => {
  using t = setUp()
  await t.commits.run(() => 'nothing written')
  expect(t.transactions).toEqual(['begin', 'nothing to commit'])
  await t.commits.writeRiders()
  expect(t.transactions.slice(2)).toEqual(['begin', 'ride', 'committed'])
})

test('a database held by somebody else is refused as busy, and works again afterwards', async () => {
  using t = setUp()
  const other = new Database(t.path)
  other.exec('BEGIN IMMEDIATE')
  await expect(t.add(1)).rejects.toMatchObject({ code: 'database_busy', status: 503, retryAfter: 1 })
  other.exec('COMMIT')
  other.close()
  await t.add(1)
  expect(t.values()).toEqual([1])
})

test('a disk that takes no more is refused as storage, and works again afterwards', async () => {
  using t = setUp()
  t.db.exec('CREATE TABLE big (value TEXT) STRICT')
  const pages = t.db.pragma('page_count', { simple: true }) as number
  t.db.pragma(`max_page_count = ${pages + 2}`)
  const big = t.db.prepare('INSERT INTO big VALUES (?)')
  const large = t.commits.run(() => void big.run('x'.repeat(100_000)))
  await expect(large).rejects.toMatchObject({ code: 'storage_unavailable', status: 503 })
  t.db.pragma('max_page_count = 1000000')
  await t.commits.run(() => void big.run('x'.repeat(100_000)))
  expect(t.db.prepare('SELECT count(*) FROM big').pluck().get()).toBe(1)
})

test('more operations than one transaction takes are all done', async () => {
  using t = setUp()
  await Promise.all(Array.from({ length: 1_300 }, (_, i) => t.add(i)))
  expect(t.values()).toHaveLength(1_300)
  expect(t.transactions.filter((event) => event === 'committed').length).toBeGreaterThan(2)
})

test('a step goes along with a transaction, not with every one, and takes less there than alone', async () => {
  using t = setUp()
  const rows: number[] = []
  const step = (): Promise<number> => t.commits.background((_now, atMost) => rows.push(atMost))
  const first = step()
  const second = step()
  await t.add(1)
  await first
  await t.add(2)
  expect(rows).toHaveLength(1)
  t.clock.jump(0.01)
  await t.add(3)
  await second
  expect(rows).toHaveLength(2)
  const alone = step()
  await t.clock.advance(0.05)
  await alone
  expect(rows[2]).toBeGreaterThan(rows[0]!)
})

test('a step that fails does not fail the operations it goes along with', async () => {
  using t = setUp()
  const step = t.commits.background(() => {
    throw new Error('a fault')
  })
  const outcomes = await Promise.allSettled([t.add(1), step])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(t.values()).toEqual([1])
})

test('closing runs what is queued; afterwards operations are refused', async () => {
  using t = setUp()
  const queued = t.add(5)
  t.commits.close()
  await queued
  expect(t.values()).toEqual([5])
  t.db.close()
  await expect(t.add(6)).rejects.toMatchObject({ code: 'shutting_down' })
})
