import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Command } from '../cli/cli.ts'
import { ROOT } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HomeNetwork, type NetworkHost } from '../support/home-network.ts'
import { allowNext, SharedBus } from './shared-bus.ts'

/** Machines that find a bus, are let in, and work for it: each in a network namespace of its own. */

const trouble = HomeNetwork.trouble()
const why = trouble === undefined ? '' : `: ${trouble}`

/** A machine whose user has a home of its own. */
class Worker {
  readonly host: NetworkHost
  readonly home: string

  constructor(host: NetworkHost, home: string) {
    this.host = host
    this.home = home
    mkdirSync(home, { recursive: true })
  }

  start(...args: readonly string[]): Command {
    return new Command(args, { HOME: this.home }, undefined, this.host)
  }

  run(...args: readonly string[]) {
    return this.start(...args).finished
  }
}

test.skipIf(trouble !== undefined)(`a machine finds a bus, is let in by the code alone, and works for it until its key is revoked${why}`, { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  using network = await HomeNetwork.create(2)
  const [home, away] = network.hosts as [NetworkHost, NetworkHost]
  await using bus = await SharedBus.start(home, { BUS_DISCOVERY: 'true', BUS_NAME: "Kim's bus", BUS_LOG_LEVEL: 'trace' })
  await bus.until(({ discovery }) => discovery.state === 'announced')
  const pi = new Worker(away, join(folder.path, 'pi'))

  const found = await pi.run('find', '--json', '--timeout', '3')
  expect(found.code, found.stderr).toBe(0)
  const url = bus.view.urls[0]!
  expect(JSON.parse(found.stdout)).toEqual([{ name: "Kim's bus", url, urls: expect.arrayContaining([url]), paired: null, isReached: true, isNewAddress: false }])

  const { code } = bus.call('pairing.start', {}).code!
  await using pairing = pi.start('pair', new URL(url).hostname, '--code', code, '--name', 'pi')
  await allowNext(bus, { limits: { scope: { roles: ['claim'], namespaces: null, goals: ['greet'] } } })
  const paired = await pairing.finished
  expect(paired, paired.stderr).toMatchObject({ code: 0, stdout: `Paired with kim-s-bus at ${url}.\n` })
  // By its name, before it has used its key.
  expect(bus.arrivalFrom(away)).toMatchObject({ success: { name: 'pi', key: expect.stringMatching(/./) } })
  expect((await pi.run('find')).stdout).toContain('as kim-s-bus')

  const variables = (await pi.run('buses', 'env', 'kim-s-bus', '--json')).stdout
  const { INTENT_API_KEY: key } = JSON.parse(variables)
  const [, made] = bus.call('keys.list', {})
  const keyId = made!.id
  const { id } = bus.call('intents.publish', { goal: 'greet', payload: '{"name":"Ada"}', visibility: 'public' })
  await using worker = pi.start('work', 'greet', '--', 'cat')
  await vi.waitFor(() => expect(bus.call('intents.detail', { id })).toMatchObject({ status: 'fulfilled', result: '{"name":"Ada"}' }), 20_000)
  expect(bus.call('keys.list', {})[1]).toMatchObject({ owner: 'pi', lastAddress: away.address })

  await worker.kill('SIGTERM')
  await using slow = pi.start('work', 'greet', '--', 'sleep', '20')
  const lost = bus.call('intents.publish', { goal: 'greet', payload: '1', visibility: 'public' })
  await vi.waitFor(() => expect(bus.call('intents.detail', { id: lost.id }).status).toBe('claimed'), 20_000)
  bus.call('keys.revoke', { id: keyId })
  const refused = await pi.run('publish', 'greet', '{}')
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('Invalid API key')])
  // The second one ends the program, too.
  slow.process.kill('SIGTERM')
  await slow.says('Once more')
  await slow.kill('SIGTERM')
  expect(bus.call('intents.detail', { id: lost.id }).status).not.toBe('fulfilled')
  for (const secret of [code, code.replace('-', ''), key]) expect(bus.bus.stderr + bus.bus.stdout).not.toContain(secret)
})

test.skipIf(trouble !== undefined)(`a machine is let in by the lines that the bus shows${why}`, { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  using network = await HomeNetwork.create(2)
  const [home, away] = network.hosts as [NetworkHost, NetworkHost]
  await using bus = await SharedBus.start(home)
  const pi = new Worker(away, join(folder.path, 'pi'))
  const { command } = bus.call('pairing.start', {}).code!
  await using pairing = pi.start(...command.split(' ').slice(1), '--save-as', 'home')
  await allowNext(bus)
  expect(await pairing.finished).toMatchObject({ code: 0 })
  expect(await pi.run('doctor')).toMatchObject({ code: 0, stdout: expect.stringContaining('Paired as home') })
  expect((await pi.run('publish', 'greet', '{}')).code).toBe(0)

  const { curl } = bus.call('pairing.start', {}).code!
  const asking = away.spawn('sh', ['-c', curl], { stdio: ['ignore', 'pipe', 'inherit'] })
  let answer = ''
  asking.stdout!.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  const ended = new Promise((resolve) => asking.on('close', resolve))
  await allowNext(bus)
  expect(await ended).toBe(0)
  expect(JSON.parse(answer)).toMatchObject({ status: 'allowed', key: expect.stringMatching(/^tk_/), bus: { pin: bus.view.identity!.pin } })
  // What is told to be done with it.
  const [, lines] = /^```sh\n(.*?)^```/ms.exec(readFileSync(join(ROOT, 'docs/pairing.md'), 'utf8'))!
  const desk = folder.path
  writeFileSync(join(desk, 'answer.json'), answer)
  away.run('env', '-C', desk, `HOME=${desk}`, 'sh', '-ec', lines!)
  const { key, bus: known } = JSON.parse(answer) as { key: string; bus: { ca: string; url: string } }
  const kept = ['.apikey', 'intent-bus-root.pem'].map((name) => join(desk, name))
  expect(readFileSync(kept[0]!, 'utf8')).toBe(`${key}\n`)
  for (const file of kept) expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(away.run('curl', '-s', '--cacert', kept[1]!, `${known.url}/health`)).toContain('"ok":true')
  expect(away.attempt('sh', '-c', curl.replace('sha256//', 'sha256//A')).code).not.toBe(0)
  const replay = JSON.parse(away.attempt('sh', '-c', curl).stdout)
  expect(replay.error.code).toBe('invalid_code')
})
