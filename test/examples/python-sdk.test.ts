import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BusProcess, ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Client } from './client.ts'
import { Starter, type StarterOptions } from './starter.ts'

const PATIENT = { timeout: 20_000, interval: 50 }
const TOKENLESS = { BUS_ALLOW_TOKENLESS_WORKERS: 'true' }
const LATER = join(ROOT, 'test', 'support', 'python-later')

const start = (options: StarterOptions): Starter => new Starter('python-sdk', options)

test('where the bus allows workers without tokens, work is done from the address and the key that claimed', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path, TOKENLESS)
  const client = new Client(bus)
  await using worker = start({ url: bus.url, key: bus.mainKey, goal: 'sdk' })
  const done = await client.publish('sdk', '{"name":"$(touch x)"}')
  const unknown = await client.publish('sdk', '{"action":"touch x"}', { max_attempts: 1 })
  await expect.poll(() => client.status(done), PATIENT).toBe('fulfilled')
  await expect.poll(() => client.status(unknown), PATIENT).toBe('dead')
  expect((await client.result(unknown)).error).toBe('Unknown action. This worker knows: echo, disk, wait.')
  expect((await worker.kill('SIGTERM')).code).toBe(0)
})

test('where it does not, the worker says what to do before it takes any work', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const client = new Client(bus)
  const id = await client.publish('sdk', '{}')
  await using worker = start({ url: bus.url, key: bus.mainKey, goal: 'sdk' })
  expect((await worker.exited).code).toBe(1)
  expect(worker.output).toContain('Start the bus with BUS_ALLOW_TOKENLESS_WORKERS=true, or use worker.py')
  expect(await client.result(id)).toMatchObject({ status: 'open', claim_attempts: 0 })
})

describe('within one lease', () => {
  test('an action that takes longer is told to stop, and fails', async () => {
    using folder = temporaryFolder()
    await using bus = await BusProcess.start(folder.path, { ...TOKENLESS, BUS_CLAIM_TIMEOUT_SECONDS: '4' })
    const client = new Client(bus)
    await using _ = start({ url: bus.url, key: bus.mainKey, goal: 'sdk' })
    const id = await client.publish('sdk', '{"action":"wait","seconds":60}', { max_attempts: 1 })
    await expect.poll(() => client.status(id), PATIENT).toBe('dead')
    expect((await client.history(id)).map(({ event }) => event)).toEqual(['published', 'claimed', 'failed'])
    expect((await client.result(id)).error).toBe('There was no time to wait so long.')
  })
})

test('a later SDK is given tokens, results and the namespace', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path)
  const client = new Client(bus)
  await using _ = start({ url: bus.url, key: bus.mainKey, goal: 'sdk', namespace: 'lab', env: { PYTHONPATH: LATER } })
  const id = await client.publish('sdk', '{"n":1}', { namespace: 'lab' })
  await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
  expect((await client.result(id)).result).toEqual({ n: 1 })
})

test('what SDK 1.2.0 cannot do is said at the start', async () => {
  using folder = temporaryFolder()
  await using bus = await BusProcess.start(folder.path, TOKENLESS)
  await using elsewhere = start({ url: bus.url, key: bus.mainKey, namespace: 'lab' })
  await using stranger = start({ url: bus.url, key: 'tk_wrong' })
  expect((await elsewhere.exited).code).toBe(1)
  expect(elsewhere.output).toContain('knows no namespace but `default`')
  expect((await stranger.exited).code).toBe(1)
  expect(stranger.output).toContain('The bus does not know this key')
})
