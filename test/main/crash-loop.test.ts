import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAX_CRASHES, StartRecord } from '../../src/main/start-record.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HandClock } from '../support/hand-clock.ts'
import { ask } from '../support/http-client.ts'

describe('the record of starts', () => {
  test('counts those that crashed soon, and forgets them after one that went well', async () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'starts.json')
    const clock = new HandClock()
    for (let i = 0; i < MAX_CRASHES; i++) {
      const crashed = new StartRecord(path, clock)
      expect([i, crashed.isCareful]).toEqual([i, false])
    }
    const careful = new StartRecord(path, clock)
    expect(careful.isCareful).toBe(true)
    careful.begun()
    await clock.advance(119)
    expect(new StartRecord(path, clock).isCareful).toBe(true)
    careful.begun()
    await clock.advance(121)
    expect(new StartRecord(path, clock).crashes).toBe(0)
  })

  test('an end in order is no crash', () => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'starts.json')
    for (let i = 0; i < 10; i++) new StartRecord(path, new HandClock()).ended()
    expect(new StartRecord(path, new HandClock()).crashes).toBe(0)
  })

  test.each(['', 'null', '{"crashes":"many"}', '{"crashes":-4}'])('what cannot be read tells nothing: %s', (text) => {
    using folder = temporaryFolder()
    const path = join(folder.path, 'starts.json')
    writeFileSync(path, text)
    expect(new StartRecord(path, new HandClock()).crashes).toBe(0)
  })
})

/** Asks a bus as its operator; the answer is the value of the call. */
// Tests look into answers of every shape.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function call(bus: BusProcess, method: string, input: object = {}): Promise<any> {
  const Authorization = `Basic ${Buffer.from(`admin:${bus.password}`).toString('base64')}`
  const { json } = await ask(bus.url, { method: 'POST', path: `/admin/control/${method}`, headers: { Authorization }, body: input })
  return json.value
}

/** There is traffic: with it a cleanup comes. */
async function publish(bus: BusProcess): Promise<void> {
  const { status } = await ask(bus.url, { method: 'POST', path: '/intent', headers: { 'X-API-KEY': bus.mainKey }, body: { goal: 'g', payload: {} } })
  expect(status).toBe(201)
}

const SHARED = { BUS_SHARE_INTERFACE: 'lo', BUS_SHARE_PORT: '0', BUS_DISCOVERY: 'false' }

/** Where a machine is in no private network, sharing waits for one. */
const ON = ['listening', 'waiting']

function hasBackup(dataDir: string): boolean {
  return existsSync(join(dataDir, 'backups')) && readdirSync(join(dataDir, 'backups')).length > 0
}

test('a bus that is killed at every start comes up without what may be to blame, and says so', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  const env = { ...SHARED, BUS_SHARE: 'true', BUS_LOG_LEVEL: 'info' }
  for (let i = 0; i < MAX_CRASHES; i++) {
    const bus = await BusProcess.start(folder.path, env)
    await bus.kill('SIGKILL')
  }
  await using careful = await BusProcess.start(folder.path, env)
  expect(careful.stderr).toContain(`ended by itself ${MAX_CRASHES} times in a row`)
  expect((await call(careful, 'status.get')).notices).toContainEqual(expect.stringContaining('without sharing, cleanup and backups'))
  await publish(careful)
  // What the screen of the network asks, and a change of another setting, bring nothing up.
  await call(careful, 'sharing.get')
  await call(careful, 'sharing.check')
  await call(careful, 'settings.change', { maintenance: true })
  await call(careful, 'settings.change', { maintenance: false })
  await call(careful, 'bus.start')
  // Longer than it takes to the first look of the backups.
  await new Promise((resolve) => setTimeout(resolve, 14_000))
  // What the environment decides cannot be turned off and on.
  const problem = expect.stringMatching(/^Sharing is left off.* Start the bus again to have it back; BUS_SHARE decides that it is shared[.]$/)
  expect(await call(careful, 'sharing.get')).toMatchObject({ state: 'off', problem, urls: [] })
  expect(careful.events()[0]).not.toHaveProperty('shared')
  expect(await call(careful, 'storage.view')).toMatchObject({ lastCleanup: null, nextCleanupAt: null })
  expect(hasBackup(folder.path)).toBe(false)
  await careful.kill('SIGTERM')
  expect(JSON.parse(readFileSync(join(folder.path, 'starts.json'), 'utf8'))).toEqual({ crashes: 0 })

  await using next = await BusProcess.start(folder.path, env)
  expect(next.stderr).not.toContain('times in a row')
  expect(ON).toContain((await call(next, 'sharing.get')).state)
  await publish(next)
  expect((await call(next, 'storage.view')).nextCleanupAt).not.toBe(null)
  await expect.poll(() => hasBackup(folder.path), { timeout: 40_000 }).toBe(true)
})

test('sharing that was left off comes up when it is turned on by hand', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  {
    await using bus = await BusProcess.start(folder.path, SHARED)
    await call(bus, 'settings.change', { share: true })
    expect(ON).toContain((await call(bus, 'sharing.get')).state)
    await bus.kill('SIGTERM')
  }
  writeFileSync(join(folder.path, 'starts.json'), JSON.stringify({ crashes: MAX_CRASHES }))
  await using careful = await BusProcess.start(folder.path, SHARED)
  expect(await call(careful, 'sharing.get')).toMatchObject({ state: 'off', problem: expect.stringContaining('turn sharing off and on') })
  await call(careful, 'settings.change', { share: false })
  expect(await call(careful, 'sharing.get')).toMatchObject({ state: 'off', problem: null })
  await call(careful, 'settings.change', { share: true })
  expect(ON).toContain((await call(careful, 'sharing.get')).state)
})

function crashesIn(dataDir: string): unknown {
  return (JSON.parse(readFileSync(join(dataDir, 'starts.json'), 'utf8')) as { crashes: unknown }).crashes
}

test('a start that fails for what nobody expects counts as a crash, one that its user must answer does not', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const key = join(folder.path, 'main.key')
  mkdirSync(key)
  for (let crashes = 1; crashes <= MAX_CRASHES; crashes++) {
    await using bus = BusProcess.spawn(folder.path, SHARED)
    expect(await bus.exited).toEqual({ code: 1, signal: null })
    expect(crashesIn(folder.path)).toBe(crashes)
  }
  rmSync(key, { recursive: true })
  await using careful = await BusProcess.start(folder.path, SHARED)
  expect(careful.stderr).toContain(`ended by itself ${MAX_CRASHES} times in a row`)
  await careful.kill('SIGTERM')

  await using refused = BusProcess.spawn(folder.path, { ...SHARED, BUS_SECRET: 'a-secret-of-the-environment' }, ['--rotate-main-key'])
  expect(await refused.exited).toEqual({ code: 2, signal: null })
  expect(crashesIn(folder.path)).toBe(0)
})

test('a bus that is told to end while it starts did not crash', { timeout: 60_000 }, async () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'starts.json')
  const crashes = (): unknown => existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).crashes
  for (let i = 0; i < MAX_CRASHES; i++) {
    await using bus = BusProcess.spawn(folder.path, { ...SHARED, BUS_SHARE: 'true' })
    // From its first moment on the disk it counts as one that crashed.
    await expect.poll(crashes, { timeout: 20_000, interval: 1 }).toBe(1)
    expect(await bus.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect([i, crashes()]).toEqual([i, 0])
    expect(bus.events().map(({ event }) => event)).toEqual(['stopping', 'stopped'])
  }
})
