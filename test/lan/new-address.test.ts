import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import type { PairedBuses } from '../../src/main/client/index.ts'
import { Command } from '../cli/cli.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HomeNetwork, type NetworkHost } from '../support/home-network.ts'
import { allowNext, SharedBus } from './shared-bus.ts'

/** A paired machine while the bus's address changes, as a router changes it: each in a network namespace of its own. */

const trouble = HomeNetwork.trouble()
const why = trouble === undefined ? '' : `: ${trouble}`
const NEW_ADDRESS = '10.77.0.50'

test.skipIf(trouble !== undefined)(`a worker and all commands go on when the bus has another address${why}`, { timeout: 180_000 }, async () => {
  using folder = temporaryFolder()
  using network = await HomeNetwork.create(2)
  const [home, away] = network.hosts as [NetworkHost, NetworkHost]
  await using bus = await SharedBus.start(home, { BUS_DISCOVERY: 'true' })
  await bus.until(({ discovery }) => discovery.state === 'announced')
  const HOME = join(folder.path, 'pi')
  mkdirSync(HOME)
  const start = (...args: string[]): Command => new Command(args, { HOME }, undefined, away)
  const kept = () => (JSON.parse(readFileSync(join(HOME, '.intent-bus', 'buses.json'), 'utf8')) as { buses: PairedBuses }).buses.home!
  const fulfilled = async (id: string): Promise<void> => {
    await vi.waitFor(() => expect(bus.call('intents.detail', { id })).toMatchObject({ status: 'fulfilled' }), { timeout: 60_000, interval: 250 })
  }
  const publish = (): string => bus.call('intents.publish', { goal: 'greet', payload: '1', visibility: 'public' }).id

  const { code } = bus.call('pairing.start', {}).code!
  await using pairing = start('pair', home.address, '--code', code, '--save-as', 'home')
  await allowNext(bus)
  await pairing.finished
  const before = kept().url
  await using worker = start('work', 'greet', '--', 'cat')
  await fulfilled(publish())

  home.removeAddress(home.address)
  home.addAddress(NEW_ADDRESS)
  const { urls, port } = await bus.until(({ urls: now }) => now[0]?.includes(NEW_ADDRESS) === true)
  const after = `https://${NEW_ADDRESS}:${port}`
  expect(urls[0]).toBe(after)
  await bus.until(({ discovery }) => discovery.state === 'announced')

  const found = await start('find').finished
  expect(found.stdout, found.stderr).toContain('as home (new address)')
  // The worker may have found it already, and kept that.
  const doctor = await start('doctor', '--bus', 'home').finished
  expect(doctor.stdout, doctor.stderr).toContain(`${after} answers`)
  expect(kept()).toMatchObject({ url: after, urls: expect.arrayContaining([before, after]) })
  await fulfilled(publish())
  // What it printed before may still be on its way here.
  await vi.waitFor(() => expect(worker.stderr).toContain('The bus answers again.'), { timeout: 10_000 })
  expect(await start('publish', 'greet', '{}', '--wait').finished).toMatchObject({ code: 0 })
  // Who names an address means that one.
  expect(await start('doctor', '--url', before).finished).toMatchObject({ code: 3, stdout: expect.stringContaining(`${before} does not answer`) })
})
