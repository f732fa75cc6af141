import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { Reader } from '../../src/main/bus/reading/reader.ts'
import { Share, Turns } from '../../src/main/bus/reading/turns.ts'
import { ProtocolError } from '../../src/shared/errors.ts'
import { NOW, ReadingDatabase } from './reading-database.ts'

const ENTRY = new URL('../../src/main/reader.ts', import.meta.url)
const INTENTS = 60_000

/** Copies the only intent of a database until there are so many; their payloads are long, so that looking at all takes time. */
function multiply(database: ReadingDatabase, count: number): void {
  const columns = (database.db.pragma('table_info(intents)') as { name: string }[]).map(({ name }) => name).filter((name) => name !== 'n')
  database.db
    .prepare(
      `WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?)
       INSERT INTO intents (n, ${columns.join(', ')}) SELECT n + i, ${columns.join(', ')} FROM intents, numbers`
    )
    .run(count - 1)
  database.db.prepare('UPDATE tally_base SET count = ?').run(count)
}

function busyFor(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end; );
}

describe('turns', () => {
  test('go round among the questions, each with its own pace', async () => {
    const turns = new Turns()
    const taken: string[] = []
    const question = async (name: string, times: number): Promise<void> => {
      const share = new Share(turns, new AbortController().signal)
      for (let i = 0; i < times; i++) await share.turn(() => taken.push(name))
    }
    await Promise.all([question('a', 3), question('b', 4)])
    expect(taken.join('')).toBe('abababb')
  })

  test('leave about half of the time to others', async () => {
    const turns = new Turns()
    const share = new Share(turns, new AbortController().signal)
    const started = performance.now()
    for (let i = 0; i < 10; i++) await share.turn(() => busyFor(8))
    const between = performance.now() - started - 80
    expect(between).toBeGreaterThan(40)
  })

  test('pass on what went wrong in one, and go on', async () => {
    const turns = new Turns()
    const share = new Share(turns, new AbortController().signal)
    await expect(share.turn(() => JSON.parse('x'))).rejects.toThrow(SyntaxError)
    expect(await share.turn(() => 42)).toBe(42)
  })

  test('are no longer taken by a question that was given up', async () => {
    const turns = new Turns()
    const controller = new AbortController()
    const share = new Share(turns, controller.signal)
    let steps = 0
    const endless = share.repeat(() => {
      steps++
      busyFor(1)
      return false
    })
    while (steps === 0) await nextTurn()
    controller.abort(new Error('enough'))
    await expect(endless).rejects.toThrow('enough')
    const then = steps
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(steps).toBe(then)
  })
})

test('a long question holds no snapshot of the database between its turns', async () => {
  using database = new ReadingDatabase()
  database.add({ payload: JSON.stringify('x'.repeat(500)) })
  multiply(database, INTENTS)
  let isDone = false
  const long = database.queries.count({ filter: 'elephant' }, NOW, database.share()).finally(() => (isDone = true))
  let checkpoints = 0
  while (!isDone) {
    await nextTurn()
    if (isDone) break
    database.db.prepare('UPDATE tally_base SET count = count').run()
    expect(database.db.pragma('wal_checkpoint(TRUNCATE)')).toEqual([{ busy: 0, log: 0, checkpointed: 0 }])
    checkpoints++
  }
  expect((await long).count).toBe(0)
  expect(checkpoints).toBeGreaterThan(2)
})

describe('the reading thread', () => {
  const database = new ReadingDatabase()
  const id = database.add({ payload: JSON.stringify('x'.repeat(500)) })
  multiply(database, INTENTS)
  const reader = new Reader(ENTRY, database.path)
  const long = (signal?: AbortSignal) => reader.ask('count', { filter: 'elephant' }, NOW, ...(signal === undefined ? [] : [signal] as const))
  afterAll(async () => {
    await reader.close()
    database[Symbol.dispose]()
  })

  test('answers other questions while a long one runs', async () => {
    await reader.ask('keys')
    const answered: string[] = []
    const question = long().then(() => answered.push('long'))
    for (let i = 0; i < 5; i++) answered.push((await reader.ask('detail', id))!.goal)
    const other = reader.ask('list', { filter: '', order: 'newest', limit: 10 }, NOW).then(({ rows }) => answered.push(`${rows.length} rows`))
    await Promise.all([question, other])
    expect(answered).toEqual([...Array(5).fill('resize'), '10 rows', 'long'])
  })

  test.runIf(process.platform === 'linux')('gives way to the other threads of the process', async () => {
    await reader.ask('keys')
    const nice = readdirSync('/proc/self/task').map((thread) => {
      // Fields behind the name of the thread, which may hold anything.
      const [, fields = ''] = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8').split(/\) (?=[A-Z] )/)
      return Number(fields.split(' ')[16])
    })
    expect(nice.filter((value) => value >= constants.priority.PRIORITY_BELOW_NORMAL).length).toBeGreaterThan(0)
  })

  test('gives a question up when nobody waits for it any more', async () => {
    const controller = new AbortController()
    const question = long(controller.signal)
    await reader.ask('keys')
    controller.abort(new Error('gone elsewhere'))
    await expect(question).rejects.toThrow('gone elsewhere')
    await expect(long(AbortSignal.abort(new Error('not even begun')))).rejects.toThrow('not even begun')
    expect(await reader.ask('count', { filter: '' }, NOW)).toMatchObject({ count: INTENTS })
  })

  test('tells what the operator did wrong with its code', async () => {
    const refused = reader.ask('list', { filter: 'status:done', order: 'newest', limit: 10 }, NOW)
    await expect(refused).rejects.toBeInstanceOf(ProtocolError)
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('`done` is not a status') })
  })
})

test('a reader that is closed answers nothing', async () => {
  using database = new ReadingDatabase()
  const reader = new Reader(ENTRY, database.path)
  expect(await reader.ask('keys')).toHaveLength(1)
  await reader.close()
  await expect(reader.ask('names')).rejects.toThrow('closed')
})
