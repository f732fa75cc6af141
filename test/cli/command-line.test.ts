import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import { isGroup } from '../../src/main/cli/command.ts'
import { EXIT_MEANINGS } from '../../src/main/cli/exit.ts'
import { temporaryFolder } from '../support/folders.ts'
import { MAIN_KEY, PASSWORD, TestServer } from '../support/test-server.ts'
import { childEnvironment, CLI, deserted, environmentOf, jsonOf, runCli } from './cli.ts'

const run = promisify(execFile)

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
  expect(await runCli(['keys'], {})).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('list|create|revoke') })
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
  [['status'], 'Something is missing: <id>'],
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

/** The data folder of a bus that runs at `url`. */
function dataFolder(path: string, url: string | undefined): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (url !== undefined) writeFileSync(join(path, 'running.json'), `${JSON.stringify({ pid: 1, url })}\n`)
  writeFileSync(join(path, 'main.key'), `${MAIN_KEY}\n`, { mode: 0o600 })
  writeFileSync(join(path, 'dashboard.password'), `${PASSWORD}\n`, { mode: 0o600 })
  return path
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

test('the secrets of this machine’s bus are sent to no other', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  using folder = temporaryFolder()
  const seen: string[] = []
  const other = createServer((req, res) => {
    seen.push(JSON.stringify(req.headers))
    res.writeHead(401).end('{}')
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  const env = { BUS_DATA_DIR: dataFolder(folder.path, server.url), INTENT_BUS_URL: url }
  for (const args of [['publish', 'g'], ['list'], ['watch'], ['doctor']]) {
    const { code, stderr, stdout } = await runCli(args, env)
    expect({ args, code }).toEqual({ args, code: args[0] === 'doctor' ? 3 : 4 })
    expect(stderr + stdout).not.toContain(MAIN_KEY)
  }
  other.close()
  expect(seen.join()).not.toContain(MAIN_KEY)
  expect(seen.join()).not.toMatch(/authorization|x-api-key/)
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

test('a reader that stops reading is no error', async () => {
  await using server = await TestServer.start({ isClockReal: true })
  await Promise.all(Array.from({ length: 2_000 }, () => server.publish()))
  const shell = `"$0" "$1" list --all --json | head -c 1; echo " \${PIPESTATUS[0]}"`
  const { stdout, stderr } = await run('bash', ['-c', shell, process.execPath, CLI], { env: childEnvironment(environmentOf(server)) })
  expect({ stdout, stderr }).toEqual({ stdout: '[ 0\n', stderr: '' })
})

test('a bus that answers with another address is not followed', async () => {
  const target: string[] = []
  const server = createServer((req, res) => {
    target.push(req.url!)
    res.writeHead(307, { Location: '/elsewhere' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const env = { INTENT_BUS_URL: `http://127.0.0.1:${port}`, INTENT_BUS_PASSWORD: 'p', INTENT_API_KEY: 'k' }
  expect((await runCli(['list'], env)).code).toBe(3)
  expect((await runCli(['status', '0'.repeat(32)], env)).code).toBe(1)
  server.close()
  expect(target).not.toContain('/elsewhere')
})
