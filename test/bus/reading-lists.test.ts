import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { StatusName } from '../../src/main/bus/intents/intent.ts'
import { NOW, ReadingDatabase, type Sample } from './reading-database.ts'

/** An intent as this file knows it, to hold the answers against. */
interface Known extends Sample {
  readonly id: string
}

type Fields = Partial<Omit<Known, 'id'>>

const STATUSES: readonly StatusName[] = ['open', 'claimed', 'fulfilled', 'dead', 'expired']
const ODD_PAYLOADS = [
  '{"order":42,"customer":{"name":"Ann"}}',
  '{"order":42.0,"customer":{"name":"Bob"}}',
  '{"order":"42"}',
  '{"order":4.2e1,"list":[1,2]}',
  '{"order":true}',
  '{"order":null}',
  '{"order":12345678901234567890}',
  '{"order":12345678901234567891}',
  '{"a.b":{"c":1}}',
  '{"say \\"hi\\"":"caf\\u00e9"}',
  '{"text":"50% _off_ C:\\\\temp"}',
  '"plain ELEPHANT"',
  '[]',
  `${'['.repeat(1_500)}${']'.repeat(1_500)}`
]

/** Terms with what they mean, told apart from the code under test. */
const TERMS: readonly (readonly [text: string, matches: (intent: Known) => boolean])[] = [
  ...STATUSES.map((status) => [`status:${status}`, (intent: Known) => intent.status === status] as const),
  ['status:open,dead', ({ status }) => status === 'open' || status === 'dead'],
  ['goal:resize', ({ goal }) => goal === 'resize'],
  ['goal:send_*', ({ goal }) => goal.startsWith('send_')],
  ['goal:send_?ush', ({ goal }) => goal === 'send_push'],
  ['goal:"od[d] \\*"', ({ goal }) => goal === 'od[d] *'],
  ['goal:od[*', ({ goal }) => goal.startsWith('od[')],
  ['goal:nobody', () => false],
  ['ns:prod', ({ namespace }) => namespace === 'prod'],
  ['key:main', ({ publisher }) => publisher === 'main'],
  ['key:key_*', ({ publisher }) => publisher.startsWith('key_')],
  ['worker:pi4', ({ worker }) => worker === 'pi4'],
  ['worker:pi*', ({ worker }) => worker !== null],
  ['target:pi5', ({ target }) => target === 'pi5'],
  ['capability:gpu', ({ capability }) => capability === 'gpu'],
  ['visibility:public', ({ visibility }) => visibility === 'public'],
  ['priority:>=500', ({ priority }) => priority >= 500],
  ['priority:<100', ({ priority }) => priority < 100],
  ['attempts:2', ({ attempts }) => attempts === 2],
  ['age:<1h', ({ createdAt }) => NOW - createdAt < 3_600],
  ['age:>=30m', ({ createdAt }) => NOW - createdAt >= 1_800],
  ['error:"TIMED out"', ({ error }) => error?.toLowerCase().includes('timed out') ?? false],
  ['error:"timed out after * s"', ({ error }) => /^timed out after .* s$/i.test(error ?? '')],
  ['error:50%', ({ error }) => error?.includes('50%') ?? false],
  ['has:error', ({ error }) => error !== null],
  ['has:result', ({ result }) => result !== null],
  ['payload.order:42', ({ payload }) => [42, '42'].includes(orderOf(payload) as number)],
  ['payload.order:"42"', ({ payload }) => orderOf(payload) === '42'],
  ['payload.order:true', ({ payload }) => orderOf(payload) === true],
  ['payload.order:null', ({ payload }) => orderOf(payload) === null],
  ['payload.order:1', () => false],
  ['payload.order:12345678901234567890', ({ payload }) => payload.includes('567890}')],
  ['payload.customer.name:A*', ({ payload }) => payload.includes('"Ann"')],
  ['payload."a.b".c:1', ({ payload }) => payload.includes('a.b')],
  ['payload."say \\"hi\\"":café', ({ payload }) => payload.includes('caf')],
  ['result.ok:true', ({ result }) => result?.includes('true') ?? false],
  ['elephant', ({ payload, result }) => /elephant/i.test(payload + result)],
  ['café', ({ payload }) => payload.includes('caf')],
  ['"50% _OFF_"', ({ payload }) => payload.includes('50%')],
  ['C:\\temp', ({ payload }) => payload.includes('temp')],
  ['SEND', ({ goal }) => goal.startsWith('send_')],
  ['timed', ({ error }) => error?.startsWith('Timed') ?? false]
]
// A word with a colon needs quotes.
const QUOTED = TERMS.map(([text, matches]) => [text === 'C:\\temp' ? '"C:\\\\temp"' : text, matches] as const)

function orderOf(payload: string): unknown {
  return (JSON.parse(payload) as { order?: unknown } | null)?.order
}

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const fields: fc.Arbitrary<Fields> = fc.record({
  namespace: oneOf('default', 'default', 'prod'),
  goal: oneOf('resize', 'send_mail', 'send_push', 'od[d] *', 'oddly'),
  // Some are rare, so that both ways to find them are gone.
  status: oneOf<StatusName>('fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', ...STATUSES),
  payload: oneOf(...ODD_PAYLOADS),
  publisher: oneOf('main', 'key_0123456789abcdef'),
  visibility: oneOf<'private' | 'public'>('private', 'public'),
  priority: oneOf(0, 100, 500, 1000),
  createdAt: oneOf(NOW, NOW - 5, NOW - 1_800, NOW - 3_600, NOW - 10_000),
  attempts: oneOf(0, 1, 2),
  worker: oneOf(null, 'pi4', 'pi5'),
  target: oneOf(null, 'pi5'),
  capability: oneOf(null, 'gpu'),
  error: oneOf(null, 'Timed out after 30 s', 'Timed out', 'only 50% done', 'only 500 done'),
  result: oneOf(null, '{"ok":true}', '"an elephant"')
})

/** Rows in the order of their publishing. */
const rows = fc.array(fields, { minLength: 1, maxLength: 40 }).map((all) => all.toSorted((a, b) => a.createdAt! - b.createdAt!))

const filter = fc.array(fc.tuple(oneOf(...QUOTED), fc.boolean()), { maxLength: 3 }).map((picked) => ({
  text: picked.map(([[text], isNegated]) => (isNegated ? `-${text}` : text)).join(' '),
  matches: (intent: Known) => picked.every(([[, matches], isNegated]) => matches(intent) !== isNegated)
}))

function fill(database: ReadingDatabase, samples: readonly Fields[]): Known[] {
  return samples.map((sample) => {
    // What is dead has a reason.
    const error = sample.error ?? (sample.status === 'dead' ? 'no use' : null)
    return { ...(sample as Sample), error, id: database.add({ ...sample, error }) }
  })
}

async function pagesOf(database: ReadingDatabase, text: string, order: 'newest' | 'oldest', limit: number, between = () => {}): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await database.queries.list({ filter: text, order, limit, cursor }, NOW, database.share())
    expect(page.rows.length).toBeLessThanOrEqual(limit)
    ids.push(...page.rows.map(({ id }) => id))
    cursor = page.next ?? undefined
    between()
  } while (cursor !== undefined)
  return ids
}

test('lists, counts, anchors and ids hold what a plain look at every intent finds', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(rows, fc.array(filter, { minLength: 8, maxLength: 8 }), fc.integer({ min: 1, max: 12 }), async (samples, filters, limit) => {
      using database = new ReadingDatabase()
      const { queries } = database
      const known = fill(database, samples)
      for (const { text, matches } of filters) {
        const oldest = known.filter(matches).map(({ id }) => id)
        const newest = oldest.toReversed()
        expect(await pagesOf(database, text, 'newest', limit), text).toEqual(newest)
        expect(await pagesOf(database, text, 'oldest', limit), text).toEqual(oldest)

        const asOf = known[Math.floor(known.length / 2)]!.id
        const count = await queries.count({ filter: text }, NOW, database.share())
        expect(count, text).toEqual({ count: newest.length, isExact: true, asOf: known.at(-1)!.id })
        expect((await queries.count({ filter: text, asOf }, NOW, database.share())).count).toBe(oldest.filter((id) => id <= asOf).length)
        expect((await queries.count({ filter: text, newerThan: asOf }, NOW, database.share())).count).toBe(oldest.filter((id) => id > asOf).length)
        const limited = await queries.count({ filter: text, limit }, NOW, database.share())
        expect(limited).toMatchObject({ count: Math.min(limit, newest.length), isExact: newest.length <= limit })

        const found: string[] = []
        let cursor: string | undefined
        do {
          const page = await queries.collectIds({ filter: text, asOf, limit, cursor }, NOW, database.share())
          found.push(...page.ids)
          cursor = page.next ?? undefined
        } while (cursor !== undefined)
        expect(found).toEqual(newest.filter((id) => id <= asOf))
      }
    }),
    { numRuns: 25 }
  )
})

describe('anchors', () => {
  const database = new ReadingDatabase()
  const ids = Array.from({ length: 230 }, (_, i) => database.add({ goal: i % 2 === 0 ? 'even' : 'odd' }))
  afterAll(() => database[Symbol.dispose]())

  test.each(['newest', 'oldest'] as const)('each begins its page, %s first', async (order) => {
    const expected = ids.filter((_, i) => i % 2 === 0)
    if (order === 'newest') expected.reverse()
    const question = { filter: 'goal:even', order, size: 50, limit: 2 }
    const first = await database.queries.anchors(question, NOW, database.share())
    expect(first).toMatchObject({ rows: 100, cursors: [expect.any(String), expect.any(String)] })
    const second = await database.queries.anchors({ ...question, cursor: first.next! }, NOW, database.share())
    expect(second).toMatchObject({ rows: 15, next: null })
    for (const [i, cursor] of [...first.cursors, ...second.cursors].entries()) {
      const page = await database.queries.list({ filter: 'goal:even', order, limit: 50, cursor }, NOW, database.share())
      expect(page.rows.map(({ id }) => id)).toEqual(expected.slice(i * 50, i * 50 + 50))
    }
  })
})

test('pages neither skip nor repeat intents while others are published', async () => {
  using database = new ReadingDatabase()
  const before = Array.from({ length: 300 }, (_, i) => database.add({ goal: `goal ${i % 3}` }))
  const addMore = (): void => {
    for (let i = 0; i < 20; i++) database.add({ goal: `goal ${i % 3}` })
  }
  expect(await pagesOf(database, '', 'newest', 37, addMore)).toEqual(before.toReversed())
  using other = new ReadingDatabase()
  const old = Array.from({ length: 100 }, () => other.add())
  const late: string[] = []
  const ids = await pagesOf(other, '', 'oldest', 30, () => {
    if (late.length < 30) late.push(...Array.from({ length: 10 }, () => other.add()))
  })
  expect(ids).toEqual([...old, ...late])
})

test('a bad filter or cursor is refused with what is wrong with it', async () => {
  using database = new ReadingDatabase()
  database.add()
  const list = (filter: string, cursor?: string) => database.queries.list({ filter, order: 'newest', limit: 10, cursor }, NOW, database.share())
  await expect(list('status:done')).rejects.toMatchObject({ code: 'invalid_request', message: expect.stringContaining('`done` is not a status') })
  await expect(list('', 'elsewhere')).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(database.queries.count({ filter: '', asOf: 'x' }, NOW, database.share())).rejects.toMatchObject({ code: 'invalid_request' })
})

test('of an empty bus every list is empty, and what it counts as of is an id', async () => {
  using database = new ReadingDatabase()
  expect(await database.queries.list({ filter: '', order: 'newest', limit: 10 }, NOW, database.share())).toEqual({ rows: [], next: null })
  expect(await database.queries.count({ filter: 'x' }, NOW, database.share())).toEqual({ count: 0, isExact: true, asOf: '0'.repeat(32) })
})

test('a line and the whole of an intent, with every digit of its payload', async () => {
  using database = new ReadingDatabase()
  const payload = '{"n":12345678901234567890,"price":1.10}'
  const claimed = { at: NOW, event: 'claimed', attempt: 1, key: 'main', worker: 'pi4' } as const
  const id = database.add({ payload, status: 'claimed', worker: 'pi4', address: '10.0.0.9', attempts: 1, history: [claimed] })
  const line = {
    id,
    namespace: 'default',
    goal: 'resize',
    status: 'claimed',
    priority: 100,
    attempts: 1,
    maxAttempts: 3,
    createdAt: NOW,
    runAt: NOW,
    expiresAt: NOW + 86_400,
    leaseEndsAt: NOW + 60,
    finishedAt: null,
    publisher: 'main',
    worker: 'pi4',
    claimedBy: 'main',
    target: null,
    capability: null,
    error: null
  }
  const { rows: listed } = await database.queries.list({ filter: `id:${id}`, order: 'newest', limit: 10 }, NOW, database.share())
  expect(listed).toEqual([line])
  expect(database.queries.detail(id)).toEqual({
    ...line,
    visibility: 'private',
    backoffBase: 5,
    payload,
    result: null,
    resultType: 'json',
    claimedAt: null,
    claimAddress: '10.0.0.9',
    history: [{ at: NOW, event: 'published', key: 'main' }, claimed],
    gaps: []
  })
  expect(database.queries.detail(id.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).toBeUndefined()
})
