import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { Client } from './client.ts'
import { clientPackage, LANGUAGES, LEAVES_TRACES, Starter } from './starter.ts'

const PATIENT = { timeout: 20_000, interval: 50 }
const ALL = [...LANGUAGES, 'python-sdk'] as const

const folder = temporaryFolder()
let bus: BusProcess
let client: Client

beforeAll(async () => {
  clientPackage()
  bus = await BusProcess.start(folder.path, { BUS_ALLOW_TOKENLESS_WORKERS: 'true' })
  client = new Client(bus)
})
afterAll(async () => {
  await bus[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** What a worker says that cannot write down a result: in its own words, or in those of its system. */
const NOT_KEPT = /cannot be kept, and is done again|ENOTDIR/

describe.concurrent.each(ALL)('the worker in %s', (language) => {
  test('fulfils what it cannot write down, says that it may be done again, and goes on', async ({ expect }) => {
    const goal = `unkept.${language}`
    const trace = LEAVES_TRACES[language === 'python-sdk' ? 'python' : language]
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, goal, changes: [trace] })
    await expect.poll(() => worker.output, PATIENT).toContain('asking')
    // No file can be made in it any more, not even by root.
    const state = join(worker.home, '.local', 'state', 'intent-bus')
    rmSync(state, { recursive: true })
    writeFileSync(state, '')
    for (const n of [1, 2]) {
      const id = await client.publish(goal, `{"n":${n}}`)
      await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
      expect(await client.result(id)).toMatchObject({ claim_attempts: 1 })
      if (language !== 'python-sdk') expect((await client.result(id)).result).toEqual({ n })
    }
    expect(worker.traces).toBe(2)
    expect(worker.output).toMatch(NOT_KEPT)
    expect(worker.output).not.toContain('Traceback')
    expect((await worker.kill('SIGTERM')).code).toBe(0)
  })

  test('says at the start when it can keep no results at all', async ({ expect }) => {
    using home = temporaryFolder()
    writeFileSync(join(home.path, '.local'), '')
    await using worker = new Starter(language, { url: bus.url, key: bus.mainKey, home: home.path })
    const { code } = await worker.exited
    expect([code !== 0, worker.output]).toEqual([true, expect.stringMatching(/Results cannot be kept|ENOTDIR/)])
    expect(worker.output).not.toContain('Traceback')
  })
})

test('a worker in Python whose disk is full while it writes goes on', async ({ expect }) => {
  // The file that the result is written to is a disk without room.
  const fill = 'def echo(intent, stop):\n    os.symlink("/dev/full", os.path.expanduser(STATE_DIR) + "/" + intent["id"] + ".new")\n'
  await using worker = new Starter('python', {
    url: bus.url,
    key: bus.mainKey,
    goal: 'full',
    changes: [['def echo(intent, stop):\n', fill]]
  })
  const id = await client.publish('full', '{"n":1}')
  await expect.poll(() => client.status(id), PATIENT).toBe('fulfilled')
  expect(worker.output).toContain('No space left on device')
  expect((await worker.kill('SIGTERM')).code).toBe(0)
})
