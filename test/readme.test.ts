import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { allowNext, SharedBus } from './lan/shared-bus.ts'
import { BusProcess, cleanEnvironment, ROOT } from './support/bus-process.ts'
import { temporaryFolder } from './support/folders.ts'
import { HomeNetwork, type NetworkHost } from './support/home-network.ts'

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** The shell blocks of one section. */
function shellBlocks(heading: string): string {
  const section = readme.split(/^## /m).find((part) => part.startsWith(heading))!
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block).join('')
}

/** What links can point at in a document: its headings, as GitHub names them. */
function anchorsOf(path: string): string[] {
  const headings = readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading]) => heading!.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}

test('the five minutes with curl do what the README says', async () => {
  using home = temporaryFolder()
  await using bus = await BusProcess.start(join(home.path, '.config', 'intent-bus-desktop'))
  const script = `set -eu\n${shellBlocks('Five minutes with curl')}`
    .replaceAll('http://127.0.0.1:7610', bus.url)
    .replaceAll('curl -s ', 'curl -sS ')
  const env = { ...cleanEnvironment(), HOME: home.path }
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  const lines = stdout.trim().split('\n').filter((line) => line !== '')
  expect(lines[1]).toContain('"n":12345678901234567890')
  const id = expect.stringMatching(/^[0-9a-f]{32}$/)
  const answers = lines.map((line) => JSON.parse(line) as unknown)
  expect(answers).toEqual([
    { id, status: 'published', namespace: 'default' },
    expect.objectContaining({ goal: 'greet', claim_timeout: 60 }),
    { ok: true, id, extended_by: 120 },
    { ok: true, id },
    expect.objectContaining({ status: 'fulfilled', result: { said: 'Hello, Ada' } }),
    { id, status: 'published', namespace: 'default' },
    { ok: true, id },
    [expect.objectContaining({ goal: 'fragile', reason: 'it broke', attempts: 1 })],
    { ok: true, id, status: 'open' },
    expect.objectContaining({ owner: 'raspberry pi', api_key: expect.stringMatching(/^tk_/) }),
    { ok: true },
    { value: 'hello' },
    expect.objectContaining({ ok: true, version: '7.61' })
  ])
})

test('the command line does what the README says', { timeout: 60_000 }, async () => {
  using home = temporaryFolder()
  const prefix = join(home.path, 'npm')
  await using bus = await BusProcess.start(join(home.path, '.config', 'intent-bus-desktop'))
  const env = { ...cleanEnvironment(), HOME: home.path, npm_config_prefix: prefix, PATH: `${join(prefix, 'bin')}:${process.env.PATH}` }
  const script = `set -eu\n${shellBlocks('The command line').replaceAll('http://127.0.0.1:7610', bus.url)}\nwait $! || echo "the worker ended with $?"`
  const { stdout, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8', env, cwd: ROOT, timeout: 50_000 })
  expect(status).toBe(0)
  expect(stdout).toContain(bus.url)
  expect(stdout).toContain('{"NAME":"ADA"}')
  expect(stdout).toMatch(/fulfilled +.*shout|shout +.*fulfilled/)
  expect(stdout).toContain('the worker ended with 143')
})

const noNetwork = HomeNetwork.trouble()

test.skipIf(noNetwork !== undefined)(`the home network does what the README says${noNetwork ? `: ${noNetwork}` : ''}`, { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  using network = await HomeNetwork.create(2)
  const [home, away] = network.hosts as [NetworkHost, NetworkHost]
  await using shared = await SharedBus.start(home, { BUS_DISCOVERY: 'true', BUS_NAME: 'kitchen' })
  await shared.until(({ discovery }) => discovery.state === 'announced')
  const { code } = shared.call('pairing.start', {}).code!
  const script = shellBlocks('Your home network')
    .replaceAll('192.168.1.20', home.address)
    .replace('sha256//…', shared.view.identity!.pin)
    .replace('K7QF-92MX', code)
  const prefix = join(folder.path, 'npm')
  const work = join(folder.path, 'work')
  mkdirSync(work)
  const npm = { npm_config_prefix: prefix, npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false', npm_config_offline: 'true' }
  const env = { ...cleanEnvironment(), ...npm, HOME: folder.path, PATH: `${join(prefix, 'bin')}:${process.env.PATH}` }
  const device = away.spawn('bash', ['-c', `set -eu\n${script}`], { env, cwd: work, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  device.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  device.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise((resolve) => device.once('close', resolve))
  await vi.waitFor(() => expect([device.exitCode, stderr]).toEqual([null, expect.stringContaining('Now allow')]), { timeout: 60_000, interval: 200 })
  await allowNext(shared)
  expect(await ended, stdout + stderr).toBe(0)
  for (const said of [`kitchen  https://${home.address}:7611`, `Paired with home at https://${home.address}:7611.`, '{"NAME":"ADA"}', '{"ok":true}', 'Forgot home.']) {
    expect(stdout).toContain(said)
  }
  expect(stdout).not.toContain('FAIL')
  expect(existsSync(join(folder.path, '.intent-bus', 'home.pem'))).toBe(false)
})

test('the commands that the README names exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  const named = [...readme.matchAll(/npm (?:run (?:-s )?)?(\w+)/g)].map(([, name]) => name!)
  const known = new Set([...Object.keys(scripts), 'ci', 'install', 'prints'])
  expect(named.filter((name) => !known.has(name))).toEqual([])
  expect(named).toEqual(expect.arrayContaining(['start', 'test', 'headless', 'bench', 'stress']))
})

test('the README lists exactly the variables that the bus reads', () => {
  const section = readme.split(/^## /m).find((part) => part.startsWith('Configuration'))!
  const listed = [...section.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, name]) => name)
  const config = readFileSync(join(ROOT, 'src/main/config.ts'), 'utf8')
  const read = [...config.matchAll(/\(env, '([A-Z_]+)'/g)].map(([, name]) => name)
  expect(new Set(listed)).toEqual(new Set(read))
  expect(listed).toHaveLength(read.length)
})

test('every file that the documents link to is there', () => {
  const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))
  for (const document of ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...pages]) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [, target, heading] of text.matchAll(/\]\((?!http)([^)#]*)(?:#([^)]+))?\)/g)) {
      const path = join(ROOT, document, target === '' ? '.' : join('..', target!))
      expect(existsSync(path), `${target} in ${document}`).toBe(true)
      if (heading !== undefined) expect(anchorsOf(path), `#${heading} in ${document}`).toContain(heading)
    }
  }
})
