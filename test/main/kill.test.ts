import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, type HttpAnswer } from '../support/http-client.ts'

const ROUNDS = 5
const WORKERS = 8

/** What the bus has acknowledged: it must be true whatever happens afterwards. */
interface Acknowledged {
  readonly published: Set<string>
  readonly fulfilled: Map<string, number>
  readonly failed: Map<string, string>
}

/** Publishes, claims and settles until the bus is gone. */
async function work(bus: BusProcess, key: string, acknowledged: Acknowledged, worker: number): Promise<void> {
  const post = (path: string, body: unknown): Promise<HttpAnswer> =>
    ask(bus.url, { method: 'POST', path, headers: { 'X-API-KEY': key }, body })
  try {
    for (let n = 0; ; n++) {
      const published = await post('/intent', { goal: 'kill', payload: { worker, n }, max_attempts: 1 })
      acknowledged.published.add(published.json.id as string)
      const claimed = await post('/claim?goal=kill', '')
      if (claimed.status !== 200) continue
      const { id, claim_token } = claimed.json
      if (n % 3 === 0) {
        const failed = await post(`/fail/${id}`, { claim_token, error: `error ${worker}-${n}` })
        if (failed.status === 200) acknowledged.failed.set(id, `error ${worker}-${n}`)
      } else {
        const fulfilled = await post(`/fulfill/${id}`, { claim_token, result: n })
        if (fulfilled.status === 200) acknowledged.fulfilled.set(id, n)
      }
    }
  } catch {
    // The bus was killed: what was not acknowledged may or may not have happened.
  }
}

/** Fills a namespace and purges it, over and over, with passes of cleanup, until the bus is gone. */
async function keepHouse(bus: BusProcess, key: string): Promise<void> {
  const operator = { Authorization: `Basic ${Buffer.from(`admin:${bus.password}`).toString('base64')}` }
  try {
    for (;;) {
      const many = Array.from({ length: 100 }, () =>
        ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': key }, body: { goal: 'rubbish', namespace: 'rubbish', payload: {} } })
      )
      await Promise.all(many)
      const purge = ask(bus.url, { method: 'POST', path: '/admin/purge', headers: operator, body: { namespace: 'rubbish', confirm: true } })
      const cleanup = ask(bus.url, { method: 'POST', path: '/admin/cleanup', headers: operator, body: {} })
      const [purged, cleaned] = await Promise.all([purge, cleanup])
      expect([purged.status, cleaned.status]).toEqual([200, 200])
    }
  } catch (error) {
    // As above; but what the bus refuses is none of that.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}

test('nothing acknowledged is lost when the bus is killed under load, round after round', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  const acknowledged: Acknowledged = { published: new Set(), fulfilled: new Map(), failed: new Map() }
  for (let round = 0; round < ROUNDS; round++) {
    await using bus = await BusProcess.start(folder.path)
    const key = bus.mainKey
    const workers = Array.from({ length: WORKERS }, (_, worker) => work(bus, key, acknowledged, worker))
    const house = keepHouse(bus, key)
    await new Promise((resolve) => setTimeout(resolve, 400 + Math.random() * 600))
    await bus.kill('SIGKILL')
    await Promise.all([...workers, house])
  }
  const db = new Database(join(folder.path, 'infrastructure.db'))
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  const rows = db
    .prepare(`SELECT printf('%014x', n) || tail AS id, status, result, last_error FROM intents`)
    .all() as { id: string; status: number; result: string | null; last_error: string | null }[]
  const stored = new Map(rows.map((row) => [row.id, row]))
  const counted = db.prepare('SELECT status, count(*) FROM intents GROUP BY status ORDER BY status').raw().all()
  const tallied = db.prepare('SELECT status, sum(count) FROM tallies GROUP BY status ORDER BY status').raw().all()
  db.close()
  expect(acknowledged.published.size).toBeGreaterThan(ROUNDS * WORKERS)
  expect(acknowledged.fulfilled.size).toBeGreaterThan(ROUNDS)
  expect(acknowledged.failed.size).toBeGreaterThan(ROUNDS)
  for (const id of acknowledged.published) expect(stored.has(id), `published ${id}`).toBe(true)
  for (const [id, n] of acknowledged.fulfilled) expect(stored.get(id)).toMatchObject({ status: 2, result: String(n) })
  for (const [id, error] of acknowledged.failed) expect(stored.get(id)).toMatchObject({ status: 3, last_error: error })
  expect(tallied).toEqual(counted)
})
