import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import { isGroup } from '../../src/main/cli/command.ts'
import { EXIT_MEANINGS } from '../../src/main/cli/exit.ts'
import { temporaryFolder } from '../support/folders.ts'
import { MAIN_KEY, TestServer } from '../support/test-server.ts'
import { dataFolder, deserted, jsonOf, runCli } from './cli.ts'
import { Stranger } from './stranger.ts'

test('help tells all commands and exit codes; every command has help of its own', async () => {
  const { code, stdout } = await runCli(['help'], {})
  expect(code).toBe(0)
  for (const { name, summary } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} +${summary.split(' ')[0]}`, 'm'))
  for (const [exitCode, meaning] of EXIT_MEANINGS) expect(stdout).toContain(`${String(exitCode).padEnd(3)}  ${meaning}`)
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100)
  for (const command of COMMANDS) {
    for (const action of isGroup(command) ? command.actions : [command]) {
      const path = isGroup(command) ? [command.name, action.name] : [action.name]
      const help = await runCli([...path, '--help'], {})
      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toContain(`Usage: intent-bus ${path.join(' ')} [options]`)
      for (const { name } of action.options) expect(help.stdout).toContain(`--${name}`)
    }
  }
  expect((await jsonOf(['help'], {})).value.map(({ name }: { name: string }) => name)).toEqual(COMMANDS.map(({ name }) => name))
  expect((await runCli(['help', 'keys', 'create'], {})).stdout).toBe((await runCli(['keys', 'create', '-h'], {})).stdout)
})

test('without a command it tells how it is used, as a mistake', async () => {
  expect(await runCli([], {})).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Usage: intent-bus') })
  expect(await runCli(['keys'], {})).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('list|create|limit|revoke') })
})

test('version', async () => {
  const { version } = (await import('../../package.json', { with: { type: 'json' } })).default
  expect((await runCli(['--version'], {})).stdout).toContain(`intent-bus ${version}, `)
  expect((await runCli(['list', '--version'], {})).stdout).toContain(version)
  expect((await jsonOf(['version'], {})).value).toMatchObject({ version, protocol: '2.1' })
})

test.each([
  [['lst'], 'Did you mean list?'],
  [['pubilsh'], 'Did you mean publish?'],
  [['keys', 'creat'], 'Did you mean create?'],
  [['help', 'nothing'], 'There is no command'],
  [['list', '--colour', 'red'], "Unknown option '--colour'"],
  [['list', '--limit'], "'--limit <value>' argument missing"],
  [['list', '--limit', '0'], '--limit takes a whole number from 1'],
  [['status'], '<id> is missing: intent-bus status <id>.'],
  [['list', '--url', 'localhost:7610'], '--url must be an address'],
  [['list', '--url', 'http://user:secret@localhost'], '--url must not hold a user'],
  [['completion', 'csh'], 'There is no script for csh']
])('%j is a mistake', async (args, sentence) => {
  const { code, stdout, stderr } = await runCli(args, {})
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(sentence)
})

test.each([
  ['--key', MAIN_KEY],
  [`--key=${MAIN_KEY}`],
  ['--api-key', MAIN_KEY],
  ['--password', MAIN_KEY]
])('a secret as an argument is refused, and not repeated: %s', async (...args) => {
  const { code, stdout, stderr } = await runCli(['list', ...args], { INTENT_BUS_URL: await deserted() })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/every user of this machine can see .*\n.*(--key-file|--password-file)/)
  expect(stderr).not.toContain(MAIN_KEY)
})

test('looks for the key in --key-file, INTENT_API_KEY, ~/.apikey and the data folder, in this order', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const data = dataFolder(join(folder.path, 'data'), server.url)
  const file = join(folder.path, 'file')
  const home = join(folder.path, 'home')
  mkdirSync(home)
  const keys = { file: await server.newKey('file'), variable: await server.newKey('variable'), home: await server.newKey('home') }
  writeFileSync(file, `${keys.file}\n`, { mode: 0o600 })
  writeFileSync(join(home, '.apikey'), keys.home, { mode: 0o644 })
  const publisher = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
    const { stdout } = await runCli(['publish', 'g', ...args], { BUS_DATA_DIR: data, ...env })
    const { publisher } = (await server.admin(`/admin/intents/${stdout.trim()}`)).json as { publisher: string }
    const all = (await server.admin('/admin/control/keys.list', {})).json.value as { id: string; owner: string }[]
    return all.find(({ id }) => id === publisher)!.owner
  }
  expect(await publisher(['--key-file', file], { INTENT_API_KEY: keys.variable, HOME: home })).toBe('file')
  expect(await publisher([], { INTENT_API_KEY: keys.variable, HOME: home })).toBe('variable')
  expect(await publisher([], { HOME: home })).toBe('home')
  expect(await publisher([], {})).toBe('main')
  const warned = await runCli(['publish', 'g'], { BUS_DATA_DIR: data, HOME: home })
  expect(warned.stderr).toContain('other users of this machine can read')
  chmodSync(join(home, '.apikey'), 0o600)
  expect((await runCli(['publish', 'g'], { BUS_DATA_DIR: data, HOME: home })).stderr).toBe('')
})

test('a bus that answers with another address is not followed', async () => {
  await using other = await Stranger.listen((_req, res) => void res.writeHead(307, { Location: '/elsewhere' }).end())
  const env = { INTENT_BUS_URL: other.url, INTENT_BUS_PASSWORD: 'p', INTENT_API_KEY: 'k' }
  expect((await runCli(['list'], env)).code).toBe(3)
  expect((await runCli(['status', '0'.repeat(32)], env)).code).toBe(1)
  expect(other.seen).toContain('/status/')
  expect(other.seen).not.toContain('/elsewhere')
})

test('where no bus runs that is what is said, not that a key is missing', async () => {
  using folder = temporaryFolder()
  for (const args of [['publish', 'g'], ['list'], ['work', 'g', '--', 'true']]) {
    const { code, stderr } = await runCli(args, { BUS_DATA_DIR: folder.path })
    expect({ args, code }).toEqual({ args, code: 3 })
    expect(stderr).toContain('No bus runs on this machine')
  }
})

test('what cannot be the id of an intent is a mistake that is named', async () => {
  for (const args of [['status', 'zzz'], ['result', 'zzz'], ['cancel', 'all'], ['retry', 'zzz']]) {
    const { code, stderr } = await runCli(args, { INTENT_BUS_URL: 'http://127.0.0.1:1', INTENT_API_KEY: 'k', INTENT_BUS_PASSWORD: 'p' })
    expect({ args, code }).toEqual({ args, code: 2 })
    expect(stderr).toContain(`"${args[1]}" is not the id of an intent`)
  }
})
