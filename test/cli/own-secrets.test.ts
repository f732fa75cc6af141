import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Arguments } from '../../src/main/cli/arguments/arguments.ts'
import { findOperatorSecretOrKey, type CredentialSource } from '../../src/main/cli/bus/credentials.ts'
import { DEFAULT_URL, LocalBus } from '../../src/main/cli/bus/local-bus.ts'
import { temporaryFolder } from '../support/folders.ts'
import { TestServer } from '../support/test-server.ts'
import { dataFolder, runCli } from './cli.ts'
import { Stranger } from './stranger.ts'

/** A process that has ended. */
const { pid: DEAD } = spawnSync('true')

const COMMANDS = [['publish', 'g'], ['list'], ['watch'], ['work', 'g', '--', 'true'], ['doctor']] as const

/** Runs commands that would send the key or the password of the bus of a folder, were the stranger that bus. */
async function approach(stranger: Stranger, folder: string, url?: string): Promise<void> {
  for (const args of COMMANDS) {
    const { code } = await runCli(args, { BUS_DATA_DIR: folder, INTENT_BUS_URL: url })
    // The doctor alone goes there without a key, and finds no bus. Where no bus is named, none is what is missing.
    expect({ args, code }).toEqual({ args, code: args[0] === 'doctor' || url === undefined ? 3 : 4 })
  }
  expect(stranger.seen).toContain('/health')
  expect(stranger.seen).not.toMatch(/authorization|x-api-key|x-signature/i)
}

test('finds the bus of this machine, its main key and its password by itself', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const env = { BUS_DATA_DIR: dataFolder(folder.path, server.url) }
  expect((await runCli(['publish', 'g'], env)).code).toBe(0)
  expect((await runCli(['list'], env)).code).toBe(0)
  const { port } = new URL(server.url)
  expect((await runCli(['list', '--url', `http://localhost:${port}/`], env)).code).toBe(0)
})

test('another port of this machine gets no secret of its bus', async () => {
  await using stranger = await Stranger.listen()
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  await approach(stranger, dataFolder(folder.path, server.url), stranger.url)
})

test('another address of this machine with the same port gets none', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await using stranger = await Stranger.listen(undefined, '127.0.0.2', Number(new URL(server.url).port))
  using folder = temporaryFolder()
  await approach(stranger, dataFolder(folder.path, server.url), stranger.url)
})

test('who listens where a bus did that was killed gets none', async () => {
  await using stranger = await Stranger.listen()
  using folder = temporaryFolder()
  await approach(stranger, dataFolder(folder.path, stranger.url, DEAD))
})

test('who listens where a bus would be gets none', async () => {
  await using stranger = await Stranger.listen()
  using folder = temporaryFolder()
  await approach(stranger, dataFolder(folder.path, undefined), stranger.url)
})

test.each([
  ['http://127.0.0.1:7610', 'http://127.0.0.1:7610', true],
  ['http://127.0.0.1:7610', 'http://localhost:7610/path', true],
  ['http://localhost:7610', 'http://127.0.0.1:7610', true],
  ['https://127.0.0.1:443', 'https://localhost', true],
  ['http://127.0.0.1:7610', 'https://127.0.0.1:7610', false],
  ['https://127.0.0.1:7610', 'http://127.0.0.1:7610', false],
  ['http://127.0.0.1:7610', 'http://127.0.0.1:7611', false],
  ['http://127.0.0.1:7610', 'http://127.0.0.2:7610', false],
  ['http://127.0.0.1:7610', 'http://[::1]:7610', false],
  ['http://127.0.0.1:7610', 'http://localhost.example.org:7610', false],
  ['http://192.168.1.7:7610', 'http://127.0.0.1:7610', false]
])('for a bus at %s, one asked at %s is itself: %s', (own, asked, isOwn) => {
  using folder = temporaryFolder()
  expect(new LocalBus(dataFolder(folder.path, own)).isAt(asked)).toBe(isOwn)
  expect(new LocalBus(dataFolder(folder.path, own, DEAD)).isAt(asked)).toBe(false)
})

test('what is no bus that runs is nowhere', () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'running.json')
  for (const text of ['', '{', 'null', '{}', `{"pid":${process.pid}}`, `{"url":"${DEFAULT_URL}"}`, `{"pid":${process.pid},"url":"none"}`]) {
    writeFileSync(file, text)
    expect([text, new LocalBus(folder.path).isAt(DEFAULT_URL)]).toEqual([text, false])
  }
})

describe.each([
  ['the password', { INTENT_BUS_PASSWORD: 'secret' }],
  ['the token', { BUS_ADMIN_SECRET: 'secret' }],
  ['a key', { INTENT_API_KEY: 'secret' }]
])('%s of operators', (_what, env) => {
  const LOCAL = new LocalBus('/nowhere')
  const sourceAt = (url: string, local = LOCAL): CredentialSource =>
    ({ args: new Arguments({}, [], []), env, local, url, fetch, from: '--url', warn: () => {} })

  test.each(['http://192.168.1.7:7610', 'http://bus.example.org', 'http://localhost.example.org:7610'])('is not sent to %s in clear', (url) => {
    expect(() => findOperatorSecretOrKey(sourceAt(url))).toThrow('anybody on the way could read it')
  })

  test.each(['http://127.0.0.1:7610', 'http://localhost:7610', 'http://[::1]:7610', 'https://192.168.1.7:7611'])('is sent to %s', (url) => {
    expect(findOperatorSecretOrKey(sourceAt(url))).toMatchObject({ secret: 'secret' })
  })

  test('is sent to this machine’s own bus, whatever its address', () => {
    using folder = temporaryFolder()
    const local = new LocalBus(dataFolder(folder.path, 'http://192.168.1.7:7610'))
    expect(findOperatorSecretOrKey(sourceAt('http://192.168.1.7:7610', local))).toBeDefined()
  })
})

test('a command for operators says what to do instead; one for clients warns, and goes on', async () => {
  const url = 'http://0.0.0.0:9'
  const refused = await runCli(['list', '--url', url], { INTENT_BUS_PASSWORD: 'secret' })
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('Name an address with https')])
  const { stderr } = await runCli(['publish', 'g', '--url', url], { INTENT_API_KEY: 'secret', INTENT_BUS_PASSWORD: 'secret' })
  expect(stderr).toContain('in clear')
  expect(stderr).toContain('cannot be reached')
})
