import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { HomeNetwork, type NetworkHost } from '../support/home-network.ts'
import { SharedBus } from './shared-bus.ts'

const trouble = HomeNetwork.trouble()
const SERVICE = '_intent-bus._tcp.local'

interface Heard {
  readonly from: string
  readonly name: string
  readonly type: string
  readonly ttl: number
  readonly data: unknown
}

describe.skipIf(trouble !== undefined)('mDNS', () => {
  let network: HomeNetwork
  let home: NetworkHost
  let second: NetworkHost
  let away: NetworkHost
  let listening: ChildProcess
  let heard: Heard[]
  beforeAll(async () => {
    network = await HomeNetwork.create(3)
    ;[home, second, away] = network.hosts as [NetworkHost, NetworkHost, NetworkHost]
  })
  afterAll(() => network[Symbol.dispose]())

  beforeEach(async () => {
    heard = []
    listening = away.spawn(process.execPath, [join(import.meta.dirname, 'listen-mdns.ts'), away.address], { stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface({ input: listening.stdout! }).on('line', (line) => heard.push(JSON.parse(line) as Heard))
    await hears(({ type }) => type === 'ready')
  })
  afterEach(() => listening.kill('SIGKILL'))

  function hears(wanted: (record: Heard) => boolean): Promise<Heard> {
    return vi.waitFor(
      () => {
        const record = heard.find(wanted)
        expect(record, JSON.stringify(heard)).toBeDefined()
        return record!
      },
      { timeout: 15_000, interval: 50 }
    )
  }

  function start(host: NetworkHost, env: Readonly<Record<string, string>> = {}): Promise<SharedBus> {
    return SharedBus.start(host, { BUS_DISCOVERY: 'true', BUS_NAME: 'kitchen', ...env })
  }

  test('tells where a shared bus is and nothing that is secret; its last word is a goodbye', async () => {
    await using shared = await start(home)
    const instance = `kitchen.${SERVICE}`
    expect(await hears(({ type, ttl }) => type === 'PTR' && ttl > 0)).toMatchObject({ from: home.address, name: SERVICE, data: instance })
    const { data } = await hears(({ type }) => type === 'SRV')
    const { port, target } = data as { port: number; target: string }
    expect([port, target]).toEqual([7611, expect.stringMatching(/-bus\.local$/)])
    expect(await hears(({ type }) => type === 'A')).toMatchObject({ name: target, data: home.address })
    const text = (await hears(({ type }) => type === 'TXT')).data as string[]
    expect(text.toSorted()).toEqual(['api=7.61', 'protocol=2.1', 'tls=1'])

    await shared.until(({ discovery }) => discovery.state === 'announced')
    const { urls, identity } = shared.view
    expect(urls).toContain(`https://${target}:7611`)
    expect(identity!.names).toContain(target)
    heard = []
    await shared.bus.kill('SIGTERM')
    expect(await hears(({ type, ttl }) => type === 'PTR' && ttl === 0)).toMatchObject({ name: SERVICE, data: instance })
  })

  test('ends with sharing, whatever else was shared, and is not left behind by a network that goes', async () => {
    await using shared = await start(home, { BUS_SHARE: '' })
    shared.call('settings.change', { share: true, sharePlain: true })
    await shared.until(({ discovery, plainUrls }) => discovery.state === 'announced' && plainUrls.length > 0)
    heard = []
    shared.call('settings.change', { share: false })
    expect(await shared.until(({ state }) => state !== 'listening')).toMatchObject({ state: 'off', problem: null })
    await hears(({ type, ttl }) => type === 'PTR' && ttl === 0)

    shared.call('settings.change', { share: true })
    await shared.until(({ discovery }) => discovery.state === 'announced')
    home.removeAddress(home.address)
    expect(await shared.until(({ state }) => state !== 'listening')).toMatchObject({ state: 'waiting', discovery: { state: 'off' } })
    home.addAddress(home.address)
    expect(await shared.until(({ discovery }) => discovery.state === 'announced')).toMatchObject({ state: 'listening', problem: null })
  })

  test('says goodbye when sharing is turned off, and nothing afterwards', async () => {
    await using shared = await start(home, { BUS_SHARE: '' })
    shared.call('settings.change', { share: true })
    await hears(({ type, ttl }) => type === 'PTR' && ttl > 0)
    shared.call('settings.change', { share: false })
    await hears(({ type, ttl }) => type === 'PTR' && ttl === 0)
    heard = []
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect(heard).toEqual([])
    expect(shared.view.discovery).toEqual({ state: 'off', problem: null })
  })

  test('follows a network that changes', async () => {
    await using shared = await start(home)
    await hears(({ type, data }) => type === 'A' && data === home.address)
    home.removeAddress(home.address)
    home.addAddress('10.77.0.11')
    await hears(({ type, data }) => type === 'A' && data === '10.77.0.11')
    await shared.until(({ discovery }) => discovery.state === 'announced')
    home.removeAddress('10.77.0.11')
    home.addAddress(home.address)
  })

  test('gives a second bus of the same name another one, and a host name that its certificate holds', { timeout: 60_000 }, async () => {
    await using first = await start(home)
    await first.until(({ discovery }) => discovery.state === 'announced')
    await using other = await start(second)
    const { urls, identity } = await other.until(({ discovery }) => discovery.state === 'announced')
    const pointer = await hears(({ type, from, ttl, data }) => type === 'PTR' && from === second.address && ttl > 0 && /^kitchen [0-9a-f]{4}\./.test(String(data)))
    expect(pointer.data).not.toBe(`kitchen.${SERVICE}`)
    const announced = urls.find((url) => url.includes('-bus-'))!
    expect(identity!.names).toContain(new URL(announced).hostname)
    expect(first.view.urls.some((url) => url.includes('-bus-'))).toBe(false)
  })

  test('that cannot be had is said, and the bus is shared all the same', async () => {
    const taken = home.spawn('python3', ['-c', "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 5353)); print('there', flush=True); time.sleep(60)"], { stdio: 'pipe' })
    await new Promise((resolve) => taken.stdout!.once('data', resolve))
    await using shared = await start(home)
    const { discovery, state } = await shared.until((view) => view.discovery.state === 'failed')
    expect([state, discovery.problem]).toEqual(['listening', expect.stringContaining('EADDRINUSE')])
    const check = shared.call('sharing.check', {}).find(({ name }) => name === 'discovery')
    expect(check).toMatchObject({ outcome: 'warning', text: discovery.problem })
    taken.kill('SIGKILL')
  })

  test('goes on, and takes no memory to speak of, whatever a neighbour sends', { timeout: 60_000 }, async () => {
    await using shared = await start(home)
    await shared.until(({ discovery }) => discovery.state === 'announced')
    const peak = (): number => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${shared.bus.process.pid}/status`, 'utf8'))![1]) / 1024
    const before = peak()
    const sender = second.spawn(process.execPath, [join(import.meta.dirname, 'send-mdns.ts'), second.address], { stdio: ['ignore', 'inherit', 'inherit'] })
    await new Promise((resolve) => sender.once('exit', resolve))
    // Megabytes; without limits it is hundreds.
    expect(peak() - before).toBeLessThan(150)
    expect(shared.view.discovery.state).toBe('announced')
    heard = []
    await shared.bus.kill('SIGTERM')
    await hears(({ type, ttl }) => type === 'PTR' && ttl === 0)
  })

  test('is not spoken where it was turned off', async () => {
    await using shared = await start(home, { BUS_DISCOVERY: 'false' })
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(heard.filter(({ type }) => type !== 'ready')).toEqual([])
    expect(shared.view.discovery.state).toBe('off')
  })
})
