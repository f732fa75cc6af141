import { appendFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ExactNumber, SettledFile, SettledIds, TextResult, type SettledEntry, type SettledStore } from '../../src/main/client/index.ts'
import { temporaryFolder } from '../support/folders.ts'
import { losingFirstFulfil } from './faulty-proxy.ts'
import { ClientRig, until } from './rig.ts'

test.concurrent.each([
  ['json', { digits: new ExactNumber('12345678901234567890') }, '{"digits":12345678901234567890}'],
  ['text', new TextResult('as text'), '"as text"'],
  ['none', undefined, 'null']
])('an intent that comes again is settled with its result, %s, without being worked on twice', async (_name, result, text) => {
  await using rig = await ClientRig.start({ claimTimeout: 1 }, losingFirstFulfil())
  const client = rig.client()
  let runs = 0
  const errors: string[] = []
  const worker = client.worker({
    goal: 'once',
    settled: new SettledIds(),
    onError: (error) => void errors.push(error.name),
    handler: () => {
      runs++
      return result
    }
  })
  const running = worker.run()
  const done = await client.publishAndWait('once', 1)
  expect(done).toMatchObject({ resultText: text, claimAttempts: 2 })
  expect(errors).toEqual(['IntentBusNetworkError'])
  expect(runs).toBe(1)

  // What an operator retries is to be done anew.
  await rig.server.admin(`/admin/intents/${done.id}/retry`, {})
  await until(() => runs === 2)
  await until(async () => (await client.getStatus(done.id)).status === 'fulfilled')
  await worker.stop()
  await running
})

test.concurrent('what a handler finishes after its lease was lost is remembered, too', async () => {
  await using rig = await ClientRig.start({ claimTimeout: 1 }, ({ path }, count) => {
    return path.startsWith('/extend_claim') && count < 4 ? { status: 400 } : 'pass'
  })
  const client = rig.client()
  let runs = 0
  const worker = client.worker({
    goal: 'late',
    settled: new SettledIds(),
    onError: () => {},
    handler: async () => {
      runs++
      await new Promise((resolve) => setTimeout(resolve, 1500))
      return 'late'
    }
  })
  const running = worker.run()
  expect(await client.publishAndWait('late', 1)).toMatchObject({ result: 'late', claimAttempts: 2 })
  expect(runs).toBe(1)
  await worker.stop()
  await running
})

test.concurrent('a result that the bus refuses is forgotten: the next attempt may do better', async () => {
  await using rig = await ClientRig.start()
  const client = rig.client()
  let runs = 0
  const settled = new SettledIds()
  const worker = client.worker({ goal: 'shrinks', settled, onError: () => {}, handler: () => 'x'.repeat(runs++ === 0 ? 8000 : 10) })
  const running = worker.run()
  expect(await client.publishAndWait('shrinks', 1, { backoffBase: 1 })).toMatchObject({ result: 'x'.repeat(10), claimAttempts: 2 })
  await worker.stop()
  await running
})

test('the oldest are forgotten first', async () => {
  const settled = new SettledIds({ max: 2 })
  const intent = (id: string, claimAttempts: number) => ({ id, claimAttempts }) as Parameters<SettledIds['recall']>[0]
  for (const id of ['a', 'b', 'c']) await settled.remember(intent(id, 1), id)
  expect(await settled.recall(intent('a', 2))).toBeUndefined()
  expect(String((await settled.recall(intent('b', 2)))!.result)).toBe('"b"')
  expect(String((await settled.recall(intent('c', 2)))!.result)).toBe('"c"')
})

test('a store that fails does not keep the program itself from remembering, and is asked again', async () => {
  const kept: SettledEntry[] = []
  let isBroken = true
  const fragile = async <T>(use: () => T): Promise<T> => {
    if (isBroken) throw new Error('no disk')
    return use()
  }
  const store: SettledStore = { load: () => fragile(() => [...kept]), append: (entry) => fragile(() => void kept.push(entry)) }
  for (const id of ['old', 'a']) kept.push({ id, attempt: 1, result: '"old"', resultType: 'json' })
  const settled = new SettledIds({ store })
  const intent = (id: string, claimAttempts: number) => ({ id, claimAttempts }) as Parameters<SettledIds['recall']>[0]
  await expect(settled.recall(intent('old', 2))).rejects.toThrow('no disk')
  await expect(settled.remember(intent('a', 2), 'new')).rejects.toThrow('no disk')
  isBroken = false
  expect(String((await settled.recall(intent('old', 2)))!.result)).toBe('"old"')
  expect(String((await settled.recall(intent('a', 3)))!.result)).toBe('"new"')
})

test('a store that fails is told, and the work goes on', async () => {
  await using rig = await ClientRig.start()
  const broken: SettledStore = { load: () => Promise.reject(new Error('no disk')), append: () => Promise.reject(new Error('no disk')) }
  const errors: string[] = []
  const client = rig.client()
  const worker = client.worker({
    goal: 'goes on',
    settled: new SettledIds({ store: broken }),
    onError: ({ message }) => void errors.push(message),
    handler: () => 'done'
  })
  const running = worker.run()
  expect((await client.publishAndWait('goes on', 1)).result).toBe('done')
  expect(errors).toContain('no disk')
  await worker.stop()
  await running
})

test('a file keeps them for the next start, also behind a line that a crash cut short', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'settled')
  const entry = (id: string) => ({ id, attempt: 1, result: '1', resultType: 'json' }) as const
  const first = new SettledFile(path, { max: 3 })
  expect(await first.load()).toEqual([])
  await Promise.all(['a', 'b'].map((id) => first.append(entry(id))))
  appendFileSync(path, '{"id":"half')
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)

  const second = new SettledFile(path, { max: 3 })
  expect(await second.load()).toEqual([entry('a'), entry('b')])
  for (const id of ['c', 'd', 'e', 'f', 'g', 'h']) await second.append(entry(id))
  const kept = (await new SettledFile(path, { max: 3 }).load()).map(({ id }) => id)
  expect(kept.slice(-3)).toEqual(['f', 'g', 'h'])
  expect(kept.length).toBeLessThanOrEqual(6)
  expect(readdirSync(folder.path).sort()).toEqual(['settled', 'settled.older'])
  expect(readFileSync(path, 'utf8')).toContain('"h"')
})

test('a file that somebody clears away begins anew', async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'settled')
  const entry = (id: string) => ({ id, attempt: 1, result: null, resultType: 'json' }) as const
  const file = new SettledFile(path, { max: 1 })
  await file.append(entry('a'))
  rmSync(path)
  await file.append(entry('b'))
  expect(await new SettledFile(path).load()).toEqual([entry('b')])
})
