import { describe, expect, test } from 'vitest'
import { reasonPattern } from '../../src/main/bus/reading/dead-groups.ts'
import { Histogram } from '../../src/main/bus/store/histogram.ts'
import { parseFilter } from '../../src/shared/control/filter.ts'
import type { Attention } from '../../src/shared/control/overview-views.ts'
import { NO_LIMITS } from '../../src/shared/scope.ts'
import { NOW, ReadingDatabase } from './reading-database.ts'

const ANN = 'key_00000000000000aa'
const HOUR = 3_600
const NO_COUNTS = { open: 0, claimed: 0, fulfilled: 0, dead: 0, expired: 0 }

function attentionOf(database: ReadingDatabase, context: { isPaused?: boolean; isMaintenance?: boolean; storageProblem?: string } = {}): Promise<readonly Attention[]> {
  const question = { now: NOW, isPaused: false, isMaintenance: false, storageProblem: null, ...context }
  return database.queries.summary(question, database.share()).then(({ attention }) => attention)
}

/** How many intents the filter of a line of attention leads to. */
async function behind(database: ReadingDatabase, { filter }: Attention): Promise<number> {
  expect(parseFilter(filter!).problems).toEqual([])
  return (await database.queries.count({ filter: filter! }, NOW, database.share())).count
}

function addMinute(database: ReadingDatabase, minutesAgo: number, counts: Partial<Record<string, number>>, waits: readonly number[] = []): void {
  const wait = new Histogram()
  for (const seconds of waits) wait.note(seconds)
  const { published = 0, claimed = 0, fulfilled = 0, failed = 0, dead = 0, lost = 0, expired = 0 } = counts
  database.db
    .prepare('INSERT INTO statistics VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(Math.floor(NOW / 60) - minutesAgo, published, claimed, fulfilled, failed, dead, lost, expired, wait.toText(), '')
}

test('more namespaces than anybody looks through do not make an endless answer', () => {
  using database = new ReadingDatabase()
  database.db.exec(`
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
    INSERT INTO tally_base (namespace, goal, publisher, status, count) SELECT 'n' || n, 'g', 'main', 0, 1 FROM numbers`)
  expect(database.queries.names().namespaces).toHaveLength(2_000)
})

describe('workers', () => {
  test('are online, late or gone by when they were seen, and online while they hold a lease', async () => {
    using database = new ReadingDatabase()
    database.addKey(ANN, 'Ann')
    database.addWorker({ worker: 'seen', lastSeenAt: NOW - 60, capabilities: ['gpu', 'cuda'], asks: [['default', 'resize', null, NOW - 60]] })
    database.addWorker({ worker: 'late', lastSeenAt: NOW - 600 })
    database.addWorker({ worker: 'gone', lastSeenAt: NOW - 601, key: ANN })
    database.addWorker({ worker: null, address: '10.0.0.7', lastSeenAt: NOW - 5_000 })
    database.addWorker({ worker: 'lapsed', lastSeenAt: NOW - 6_000 })
    const held = database.add({ status: 'claimed', claimedBy: 'main', address: '10.0.0.7', leaseEndsAt: NOW + 5 })
    database.add({ status: 'claimed', claimedBy: 'main', worker: 'lapsed', leaseEndsAt: NOW - 1 })
    const { workers } = await database.queries.workers(NOW, database.share())
    expect(workers.map(({ ref, presence }) => [ref, presence])).toEqual([
      ['main/w/seen', 'online'],
      ['main/w/late', 'late'],
      [`${ANN}/w/gone`, 'gone'],
      ['main/a/10.0.0.7', 'online'],
      ['main/w/lapsed', 'gone']
    ])
    expect(workers[0]).toEqual({
      ref: 'main/w/seen',
      worker: 'seen',
      key: 'main',
      keyOwner: 'main',
      address: '192.168.0.4',
      capabilities: ['gpu', 'cuda'],
      presence: 'online',
      firstSeenAt: NOW - 1_060,
      lastSeenAt: NOW - 60,
      asks: [{ namespace: 'default', goal: 'resize', publisher: null, lastAt: NOW - 60 }],
      holds: [],
      claimed: 4,
      fulfilled: 3,
      failed: 2,
      lost: 1
    })
    expect(workers[2]).toMatchObject({ key: ANN, keyOwner: 'Ann', capabilities: [] })
    expect(workers[3]!.holds).toEqual([{ id: held, goal: 'resize', namespace: 'default', leaseEndsAt: NOW + 5 }])
  })

  test('leave a goal unserved when none that is there asks for it with a key that may claim', async () => {
    using database = new ReadingDatabase()
    database.addWorker({ worker: 'pi4', asks: [['default', 'resize', null, NOW], ['prod', null, null, NOW]] })
    database.addWorker({ worker: 'gone', lastSeenAt: NOW - HOUR })
    database.add({ goal: 'resize' })
    database.add({ goal: 'anything', namespace: 'prod' })
    database.add({ goal: 'backup', runAt: NOW - 50, priority: 7 })
    database.add({ goal: 'backup', runAt: NOW - 90, priority: 3 })
    database.add({ goal: 'backup', runAt: NOW + 90, priority: 900 })
    database.add({ goal: 'later', runAt: NOW + 90 })
    database.add({ goal: 'done', status: 'fulfilled' })
    database.add({ goal: 'line\nbreak', publisher: ANN, namespace: 'prod', runAt: NOW - 10 })
    database.db.prepare(`UPDATE goals SET last_claimed_at = ? WHERE goal = 'backup'`).run(NOW - 1_200)
    const { unserved } = await database.queries.workers(NOW, database.share())
    expect(unserved).toEqual([
      { namespace: 'default', goal: 'backup', open: 3, oldestAt: NOW - 90, lastClaimedAt: NOW - 1_200 },
      { namespace: 'prod', goal: 'line\nbreak', open: 1, oldestAt: NOW - 10, lastClaimedAt: null }
    ])
  })

  test('no longer serve what they asked for before they asked for something else', async () => {
    using database = new ReadingDatabase()
    database.addWorker({ asks: [['default', 'backup', null, NOW], ['default', 'resize', null, NOW - 601]] })
    database.add({ goal: 'resize' })
    expect((await database.queries.workers(NOW, database.share())).unserved).toMatchObject([{ goal: 'resize' }])
  })
})

describe('the overview', () => {
  test('of a new bus says that it is new, until something was published', async () => {
    using database = new ReadingDatabase()
    const ask = () => database.queries.summary({ now: NOW, isPaused: false, isMaintenance: false, storageProblem: null }, database.share())
    expect(await ask()).toEqual({ counts: NO_COUNTS, oldestWaiting: null, attention: [], isNew: true })
    database.addWorker()
    const id = database.add({ createdAt: NOW - 30 })
    database.add({ createdAt: NOW - 10, priority: 900 })
    database.add({ createdAt: NOW - 100, runAt: NOW + 1 })
    database.add({ status: 'dead', createdAt: NOW - 2 * HOUR })
    expect(await ask()).toEqual({
      counts: { ...NO_COUNTS, open: 3, dead: 1 },
      oldestWaiting: { id, goal: 'resize', namespace: 'default', since: NOW - 30 },
      attention: [],
      isNew: false
    })
    database.db.exec('DELETE FROM intents; DELETE FROM tally_base')
    expect((await ask()).isNew).toBe(false)
  })

  test('a paused bus, and one in maintenance', async () => {
    using database = new ReadingDatabase()
    expect(await attentionOf(database, { isPaused: true, isMaintenance: true })).toEqual([
      { kind: 'maintenance', text: 'The bus is in maintenance: it refuses all requests of publishers and workers.', filter: null },
      { kind: 'paused', text: 'The bus is paused: workers get nothing until it is resumed.', filter: null }
    ])
  })

  test('a disk in trouble, before all else', async () => {
    using database = new ReadingDatabase()
    expect(await attentionOf(database, { isPaused: true, storageProblem: 'The disk is full.' })).toMatchObject([
      { kind: 'storage', text: 'The disk is full.', filter: null },
      { kind: 'paused' }
    ])
  })

  test('intents that expired and are still there', async () => {
    using database = new ReadingDatabase()
    expect(await attentionOf(database)).toEqual([])
    for (let i = 0; i < 2; i++) database.add({ status: 'expired', finishedAt: NOW - 40 * HOUR })
    const [expired] = await attentionOf(database)
    expect(expired).toEqual({ kind: 'expired', text: '2 intents expired: no worker fulfilled them in their lifetime.', filter: 'status:expired' })
    expect(await behind(database, expired!)).toBe(2)
  })

  test('goals that nobody asks for', async () => {
    using database = new ReadingDatabase()
    for (let i = 0; i < 12; i++) database.add({ goal: 'resize *', createdAt: NOW - 1_500 })
    database.add({ goal: 'resize more', createdAt: NOW - 1_000 })
    database.db.prepare(`UPDATE goals SET last_claimed_at = ? WHERE goal = 'resize *'`).run(NOW - 1_200)
    const [known, never] = await attentionOf(database)
    expect(known).toMatchObject({ kind: 'unserved', text: '12 open for `resize *`, no worker has claimed that goal for 20 min.' })
    expect(never).toMatchObject({ kind: 'unserved', text: '1 open for `resize more`, no worker has ever claimed that goal.' })
    expect(await behind(database, known!)).toBe(12)
    expect(await behind(database, never!)).toBe(1)
  })

  test('goals that workers ask for with keys that may claim none of it', async () => {
    using database = new ReadingDatabase()
    database.addKey(ANN, 'Ann')
    database.addWorker({ worker: 'pi4', key: ANN })
    for (let i = 0; i < 3; i++) database.add({ createdAt: NOW - 5 })
    const [wrongKey] = await attentionOf(database)
    const text = '3 open for `resize`, private to their publisher: the workers that ask for that goal have other keys.'
    expect(wrongKey).toMatchObject({ kind: 'unserved', text })
    expect(await behind(database, wrongKey!)).toBe(3)
  })

  test('intents that none of the workers there may claim', async () => {
    using database = new ReadingDatabase()
    database.addKey(ANN, 'Ann')
    database.addWorker({ worker: 'pi4' })
    database.addWorker({ worker: 'pi9', lastSeenAt: NOW - 3 * HOUR, capabilities: ['gpu'] })
    database.add({ createdAt: NOW - 5 })
    for (let i = 0; i < 3; i++) database.add({ createdAt: NOW - 4, publisher: ANN })
    database.add({ createdAt: NOW - 3, target: 'pi9' })
    database.add({ createdAt: NOW - 2, capability: 'gpu' })
    database.add({ createdAt: NOW - 1, capability: 'gpu', target: 'pi4' })
    const attention = await attentionOf(database)
    expect(attention.map(({ kind, text }) => [kind, text])).toEqual([
      ['stuck', `3 open for \`resize\`, private to the key of Ann (\`${ANN}\`), with which no worker asks for that goal.`],
      ['stuck', '1 open for `resize`, meant for worker `pi9`: `pi9` was last seen 3 h ago.'],
      ['stuck', '2 open for `resize`, in need of capability `gpu`: the last worker offering it, `pi9`, was seen 3 h ago.']
    ])
    expect(await Promise.all(attention.map((one) => behind(database, one)))).toEqual([3, 1, 2])
  })

  test('goals that die, and goals that mostly do', async () => {
    using database = new ReadingDatabase()
    const died = (goal: string, secondsAgo: number, error: string, isCancelled = false): void => {
      const history = [isCancelled ? ({ at: NOW, event: 'cancelled' } as const) : ({ at: NOW, event: 'failed', error } as const)]
      database.add({ goal, status: 'dead', createdAt: NOW - secondsAgo, finishedAt: NOW - secondsAgo, error, history })
    }
    died('resize', 2 * HOUR, 'too long ago')
    for (let i = 0; i < 7; i++) died('resize', 900 - i, i === 6 ? 'HTTP 500\nand more' : 'HTTP 404')
    for (let i = 0; i < 9; i++) database.add({ goal: 'resize', status: 'fulfilled', finishedAt: NOW - 800 })
    for (let i = 0; i < 4; i++) died('backup', 500 - i, 'disk full')
    for (let i = 0; i < 3; i++) database.add({ goal: 'backup', status: 'fulfilled', finishedAt: NOW - 400 })
    died('old', 100, 'Cancelled by an operator.', true)
    const attention = await attentionOf(database)
    expect(attention.map(({ kind, text }) => [kind, text])).toEqual([
      ['failing', '4 of the last 7 intents of `backup` died; the latest: disk full'],
      ['dead', '7 intents of `resize` died in the last hour; the latest: HTTP 500']
    ])
    expect(await Promise.all(attention.map((one) => behind(database, one)))).toEqual([4, 8])
  })

  test('leases that are lost, where it is not just one', async () => {
    using database = new ReadingDatabase()
    addMinute(database, 10, { claimed: 40, lost: 2 })
    expect(await attentionOf(database)).toEqual([])
    addMinute(database, 5, { lost: 1 })
    addMinute(database, 90, { lost: 100 })
    expect(await attentionOf(database)).toMatchObject([
      { kind: 'lost_leases', text: '3 leases ended in the last hour without a word of the worker: it stopped, or takes longer than its lease and does not extend it.' }
    ])
  })

  test('tells ten things at most, of each kind four', async () => {
    using database = new ReadingDatabase()
    for (let i = 0; i < 20; i++) {
      database.add({ goal: `nobody's ${i}` })
      database.add({ goal: `dying ${i}`, status: 'dead', finishedAt: NOW })
      for (let k = 0; k < 3; k++) database.add({ goal: `failing ${i}`, status: 'dead', finishedAt: NOW })
    }
    const kinds = (await attentionOf(database, { isPaused: true })).map(({ kind }) => kind)
    expect(kinds).toEqual(['paused', ...Array(4).fill('unserved'), ...Array(4).fill('failing'), 'dead'])
  })
})

test('gaps are told from a moment on, oldest first', () => {
  using database = new ReadingDatabase()
  for (const [i, cause] of ['sleep', 'clock', 'restore'].entries()) {
    database.db.prepare('INSERT INTO gaps (at, seconds, cause, total) VALUES (?, 7, ?, 0)').run(NOW + i, cause)
  }
  expect(database.queries.gaps(NOW)).toEqual([
    { at: NOW + 1, seconds: 7, cause: 'clock' },
    { at: NOW + 2, seconds: 7, cause: 'restore' }
  ])
})

describe('dead letters by reason', () => {
  test.each([
    ['HTTP 503 from https://api2.example.org/v1', 'HTTP * from https://api*.example.org/v*'],
    ['timed out after 30.5 s', 'timed out after * s'],
    ['no such file "/data/a b.png"', 'no such file *'],
    [`can't open 'x y' or \`z\``, `can't open * or *`],
    ['order 0d0f9c6a-21b4-4f6e-9a51-aabbccddeeff of 0xFFA0', 'order * of *'],
    ['commit 0d0fec10cf58 is bad', 'commit * is bad'],
    ['deadbeef facade cafe', 'deadbeef facade cafe'],
    ['at 12:30:01, 1,200 times', 'at *, * times'],
    ['1 2 3', '*'],
    ['C:\\temp is 100% full?', 'C:\\\\temp is *% full\\?'],
    ['*5 of 6', '\\** of *'],
    ['5 6\t"7" failed', '* failed'],
    ['\0all of them', '*all of them']
  ])('%s', (reason, pattern) => {
    expect(reasonPattern(reason)).toBe(pattern)
  })

  test('newest first, with numbers, goals and the newest of them; the pattern finds them', async () => {
    using database = new ReadingDatabase()
    const die = (goal: string, secondsAgo: number, error: string) => database.add({ goal, status: 'dead', createdAt: NOW - secondsAgo, finishedAt: NOW - secondsAgo, error })
    die('resize', 50, 'HTTP 500')
    const http = die('backup', 40, 'HTTP 404')
    die('resize', 30, 'no file "a"')
    const file = die('resize', 30, 'no file "b"')
    database.add({ status: 'fulfilled', error: 'HTTP 500' })
    const groups = await database.queries.deadGroups(database.share())
    expect(groups).toEqual([
      { pattern: 'no file *', count: 2, goals: ['resize'], lastAt: NOW - 30, lastId: file },
      { pattern: 'HTTP *', count: 2, goals: ['backup', 'resize'], lastAt: NOW - 40, lastId: http }
    ])
    const found = await database.queries.count({ filter: 'status:dead error:"HTTP *"' }, NOW, database.share())
    expect(found.count).toBe(2)
  })

  test('a hundred groups at most, and each counted to its end however many statements that takes', async () => {
    using database = new ReadingDatabase()
    const letter = (i: number): string => String.fromCharCode(97 + (i % 26)).repeat(1 + Math.floor(i / 26))
    database.db.transaction(() => {
      for (let i = 0; i < 3_000; i++) database.add({ status: 'dead', createdAt: NOW + (i % 7), finishedAt: NOW + (i % 7), error: `reason ${letter(i % 120)}` })
    })()
    const groups = await database.queries.deadGroups(database.share())
    expect(groups).toHaveLength(100)
    expect(groups.map(({ count }) => count)).toEqual(Array(100).fill(25))
  })
})

test('names in use, with how many intents there are of each', () => {
  using database = new ReadingDatabase()
  database.add({ goal: 'backup', createdAt: NOW - 9 })
  database.add({ goal: 'resize', namespace: 'prod', createdAt: NOW - 5 })
  database.add({ goal: 'resize', namespace: 'prod', status: 'dead', publisher: ANN })
  database.addWorker({ worker: 'pi5', capabilities: ['gpu'] })
  database.addWorker({ worker: 'pi4', capabilities: ['gpu', 'cuda'] })
  database.addWorker({ worker: null })
  expect(database.queries.names()).toEqual({
    namespaces: [
      { namespace: 'default', counts: { ...NO_COUNTS, open: 1 } },
      { namespace: 'prod', counts: { ...NO_COUNTS, open: 1, dead: 1 } }
    ],
    goals: [
      { namespace: 'prod', goal: 'resize', counts: { ...NO_COUNTS, open: 1, dead: 1 }, lastPublishedAt: NOW - 5, lastClaimedAt: null },
      { namespace: 'default', goal: 'backup', counts: { ...NO_COUNTS, open: 1 }, lastPublishedAt: NOW - 9, lastClaimedAt: null }
    ],
    capabilities: ['cuda', 'gpu'],
    workers: ['pi4', 'pi5']
  })
})

test('keys, the main one first, and what revoking one would touch', () => {
  using database = new ReadingDatabase()
  database.addKey(ANN, 'Ann')
  database.addKey('key_00000000000000bb', 'Bob', true)
  database.add()
  database.add({ publisher: ANN })
  database.add({ publisher: ANN, status: 'claimed', claimedBy: ANN })
  database.add({ publisher: ANN, status: 'fulfilled' })
  database.add({ status: 'claimed', claimedBy: ANN })
  database.addWorker({ worker: 'pi4', key: ANN })
  database.addWorker({ worker: null, key: ANN, address: '10.0.0.7', lastSeenAt: NOW - 9_000 })
  database.addWorker({ worker: 'other' })
  const unused = { createdAt: NOW - 5_000, lastUsedAt: null, lastAddress: null, requests: 0, ...NO_LIMITS }
  const ann = { ...unused, id: ANN, owner: 'Ann', intents: { ...NO_COUNTS, open: 1, claimed: 1, fulfilled: 1 } }
  const main = { ...unused, id: 'main', owner: 'main', intents: { ...NO_COUNTS, open: 1, claimed: 1 } }
  expect(database.queries.keys()).toEqual([main, ann])
  database.db.prepare(`INSERT INTO keys (id, owner, digest, created_at, last_used_at, requests, last_address) VALUES ('main', '', '', ?, ?, 7, '10.0.0.9')`).run(NOW - 100, NOW - 1)
  expect(database.queries.keys()).toEqual([{ ...main, createdAt: NOW - 100, lastUsedAt: NOW - 1, lastAddress: '10.0.0.9', requests: 7 }, ann])
  expect(database.queries.keyImpact(ANN)).toEqual({ open: 1, claimed: 1, leases: 2, workers: ['pi4', '10.0.0.7'] })
  expect(database.queries.keyImpact('key_ffffffffffffffff')).toEqual({ open: 0, claimed: 0, leases: 0, workers: [] })
})

describe('statistics', () => {
  test('of the last hour come by the minute, without gaps, and add up', () => {
    using database = new ReadingDatabase()
    addMinute(database, 0, { published: 3, claimed: 2 }, [0.1, 0.2])
    addMinute(database, 59, { published: 1, dead: 1, lost: 2 }, [10])
    addMinute(database, 60, { published: 100 }, [1_000])
    const { step, points, total } = database.queries.statistics('hour', NOW)
    expect(step).toBe(60)
    expect(points.map(({ at }) => at)).toEqual(Array.from({ length: 60 }, (_, i) => (Math.floor(NOW / 60) - 59 + i) * 60))
    expect(points[0]).toMatchObject({ published: 1, dead: 1, lost: 2, wait: { count: 1 } })
    expect(points[1]).toEqual({
      at: points[1]!.at,
      published: 0,
      claimed: 0,
      fulfilled: 0,
      failed: 0,
      dead: 0,
      lost: 0,
      expired: 0,
      wait: { count: 0, p50: null, p95: null },
      work: { count: 0, p50: null, p95: null }
    })
    expect(points.at(-1)).toMatchObject({ published: 3, claimed: 2 })
    expect(total).toMatchObject({ at: points[0]!.at, published: 4, claimed: 2, dead: 1, lost: 2, wait: { count: 3 } })
    expect(total.wait.p50! / 0.2).toBeCloseTo(1, 0)
    expect(total.wait.p95! / 10).toBeCloseTo(1, 0)
  })

  test('of the last day come by the quarter of an hour', () => {
    using database = new ReadingDatabase()
    database.db.transaction(() => {
      for (let minutesAgo = 0; minutesAgo < 3_000; minutesAgo++) addMinute(database, minutesAgo, { published: 1 })
    })()
    const { step, points, total } = database.queries.statistics('day', NOW)
    expect(step).toBe(900)
    expect(points).toHaveLength(96)
    expect(points.slice(0, -1).every(({ published }) => published === 15)).toBe(true)
    expect(total.published).toBe(points.reduce((sum, { published }) => sum + published, 0))
    expect(points.at(-1)!.at).toBeLessThanOrEqual(NOW)
    expect(points.at(-1)!.at + step).toBeGreaterThan(NOW)
  })
})
