import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { ask, type HttpAnswer } from '../support/http-client.ts'

const SOON = { timeout: 5_000, interval: 50 }
const seconds = (n: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, n * 1000))

test('a bus that is stopped for a while, as by a laptop’s lid, takes nothing from leases and leaves nobody waiting', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path, { BUS_CLAIM_TIMEOUT_SECONDS: '6' })
  const headers = { 'X-API-KEY': bus.mainKey }
  const post = (path: string, body: unknown = ''): Promise<HttpAnswer> => ask(bus.url, { method: 'POST', path, headers, body })
  const { json: published } = await post('/intent', { goal: 'slow', payload: {} })
  const { json: held } = await post('/claim?goal=slow')
  const asked = performance.now()
  const waiting = post('/claim?goal=other&wait=30')
  await seconds(1)

  bus.process.kill('SIGSTOP')
  await seconds(14)
  bus.process.kill('SIGCONT')

  expect((await waiting).status).toBe(204)
  expect(performance.now() - asked).toBeLessThan(25_000)
  const settled = await post(`/fulfill/${published.id}`, { claim_token: held.claim_token, result: 1 })
  expect(settled.status).toBe(200)
  // And a lease of after the gap ends as every lease does.
  await post('/intent', { goal: 'lost', payload: {} })
  const { json: lost } = await post('/claim?goal=lost')
  await seconds(5)
  const status = async () => (await ask(bus.url, { method: 'GET', path: `/status/${lost.id}`, headers })).json.status
  expect(await status()).toBe('claimed')
  await expect.poll(status, SOON).toBe('open')
  await bus.kill('SIGTERM')
  const db = new Database(join(folder.path, 'infrastructure.db'), { readonly: true })
  const gaps = db.prepare('SELECT seconds, cause FROM gaps').all() as { seconds: number; cause: string }[]
  db.close()
  expect(gaps).toEqual([{ seconds: expect.closeTo(14, -0.9) as number, cause: 'sleep' }])
  expect(bus.stderr).toContain('the machine slept')
})
