import { createHash, type X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { InterfaceView } from '../../src/shared/control/network-views.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../src/shared/control/settings.ts'
import { FileVault } from '../../src/main/file-vault.ts'
import type { Vault } from '../../src/main/host.ts'
import type { RequestListener } from '../../src/main/net/http-server.ts'
import { IdentityStore } from '../../src/main/lan/identity-store.ts'
import { platformOf } from '../../src/main/lan/sharing-report.ts'
import { Sharing } from '../../src/main/lan/sharing.ts'
import { ListenError } from '../../src/main/net/listen-error.ts'
import { Listener } from '../../src/main/net/listener.ts'
import type { Log } from '../../src/main/log.ts'
import { temporaryFolder } from '../support/folders.ts'
import { HandClock } from '../support/hand-clock.ts'

/** Sharing in this process. All of 127.0.0.0/8 is this machine's, so that each address can be one of a network. */

const DAY = 86_400
const ON: Settings = { ...DEFAULT_SETTINGS, share: true, sharePort: 0, shareDiscovery: false, busName: 'kitchen' }

function lan(name: string, ...addresses: readonly string[]): InterfaceView {
  return { name, addresses, kind: 'lan', isDefault: false }
}

class Machine implements AsyncDisposable {
  interfaces: readonly InterfaceView[] = [lan('eth0', '127.7.0.1')]
  name = 'kitchen'
  vault: Vault
  readonly clock = new HandClock(Date.now() / 1000)
  readonly listener: Listener
  readonly onChange = vi.fn()
  sharing: Sharing
  readonly #folder = temporaryFolder()
  readonly #handle: RequestListener

  constructor(handle: RequestListener = (_req, res) => res.end('fine')) {
    this.#handle = handle
    this.vault = new FileVault(this.#folder.path)
    this.listener = new Listener('127.0.0.1', handle, {})
    this.sharing = this.startAnew()
  }

  get rootPath(): string {
    return join(this.#folder.path, 'intent-bus-root.pem')
  }

  /** The same machine after a start of the bus. */
  startAnew(settings: Settings = DEFAULT_SETTINGS): Sharing {
    this.sharing = new Sharing(
      {
        clock: this.clock,
        log: pino({ level: 'silent' }) as Log,
        network: { hostname: () => this.name, interfaces: async () => this.interfaces },
        store: new IdentityStore({ vault: this.vault, rootPath: this.rootPath, leafPath: join(this.#folder.path, 'sharing-leaf.json') }),
        listener: this.listener,
        handle: this.#handle,
        announcerEntry: new URL('../../src/main/announcer.ts', import.meta.url),
        onChange: this.onChange,
        onArrival: () => {}
      },
      settings
    )
    return this.sharing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.sharing.close(0), this.listener.close(0)])
    this.#folder[Symbol.dispose]()
  }
}

let machine: Machine
beforeEach(() => {
  machine = new Machine()
})
afterEach(() => machine[Symbol.asyncDispose]())

interface Seen {
  readonly text: string
  readonly isReused: boolean
  readonly pin: string
  readonly serial: string
  readonly names: string
  /** SHA-256 of the certificate, as systems show it. */
  readonly fingerprint: string
}

const certificates = new WeakMap<Socket, X509Certificate>()

/** What a client sees that trusts this root only. */
function visit(url: string, ca: string, agent: Agent | false = false): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent }, (answer) => {
      const certificate = certificates.get(answer.socket) ?? (answer.socket as TLSSocket).getPeerX509Certificate()!
      // A connection that is used again does not show it again.
      certificates.set(answer.socket, certificate)
      const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
      const pin = `sha256//${createHash('sha256').update(spki).digest('base64')}`
      const { serialNumber: serial, subjectAltName: names = '', fingerprint256: fingerprint } = certificate
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ text, isReused: asked.reusedSocket, pin, serial, names, fingerprint }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

function isOpen(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => resolve(true))
    socket.on('error', () => resolve(false))
    setTimeout(() => socket.destroy(), 50)
  })
}

function takePort(host: string, port = 0): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(port, host, () => resolve(server))
  })
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

describe('sharing', () => {
  test('is off at first: no listener, no keys', async () => {
    await machine.sharing.look()
    expect(machine.sharing.view()).toMatchObject({ state: 'off', problem: null, urls: [], identity: null, interface: null })
    expect(existsSync(machine.rootPath)).toBe(false)
  })

  test('tells the networks there are while it is off', async () => {
    await machine.sharing.look()
    expect(machine.sharing.view().interfaces).toEqual(machine.interfaces)
  })

  test('listens on every address of the network, good for its root and by its pin', async () => {
    machine.interfaces = [lan('eth0', '127.7.0.1', '127.7.0.2'), lan('wlan0', '127.8.0.1')]
    await machine.sharing.apply(ON)
    const { state, interface: chosen, urls, identity, port } = machine.sharing.view()
    expect([state, chosen]).toEqual(['listening', 'eth0'])
    expect(urls).toEqual([`https://127.7.0.1:${port}`, `https://127.7.0.2:${port}`, `https://kitchen.local:${port}`])
    for (const url of urls.slice(0, 2)) {
      expect(await visit(url, identity!.rootPem)).toMatchObject({ text: 'fine', pin: identity!.pin, fingerprint: identity!.certificateFingerprint })
    }
    expect(await isOpen(`https://127.8.0.1:${port}`)).toBe(false)
    expect(machine.sharing.hostNames).toEqual(new Set(['127.7.0.1', '127.7.0.2', ...identity!.names, 'kitchen']))
  })

  test('listens on the network that is asked for', async () => {
    machine.interfaces = [lan('eth0', '127.7.0.1'), { ...lan('wg0', '127.8.0.1'), kind: 'vpn' }]
    await machine.sharing.apply({ ...ON, shareInterface: 'wg0' })
    expect(machine.sharing.view()).toMatchObject({ state: 'listening', interface: 'wg0' })
    expect(machine.sharing.urls[0]).toContain('127.8.0.1')
  })

  test('tells which network it would take by itself, whatever was chosen, and the system of the machine', async () => {
    machine.interfaces = [lan('eth0', '127.7.0.1'), { ...lan('wg0', '127.8.0.1'), kind: 'vpn' }]
    await machine.sharing.apply({ ...ON, shareInterface: 'wg0' })
    expect(machine.sharing.view()).toMatchObject({ interface: 'wg0', automatic: 'eth0', platform: platformOf(process.platform) })
    machine.interfaces = machine.interfaces.slice(1)
    await machine.sharing.look()
    expect(machine.sharing.view()).toMatchObject({ interface: 'wg0', automatic: null })
    expect((['linux', 'darwin', 'win32', 'freebsd'] as const).map(platformOf)).toEqual(['linux', 'macos', 'windows', 'other'])
  })

  test('that is turned off leaves no port open, and its identity as it was', async () => {
    await machine.sharing.apply(ON)
    const { urls, identity } = machine.sharing.view()
    await machine.sharing.apply({ ...ON, share: false })
    expect(await isOpen(urls[0]!)).toBe(false)
    expect(machine.sharing.view()).toMatchObject({ state: 'off', urls: [], identity: { pin: identity!.pin } })
    expect(machine.sharing.hostNames.size).toBe(0)
  })

  test('says every change once', async () => {
    await machine.sharing.apply(ON)
    const calls = machine.onChange.mock.calls.length
    for (let i = 0; i < 3; i++) await machine.sharing.look()
    expect(machine.onChange.mock.calls.length).toBe(calls)
    machine.interfaces = [lan('eth0', '127.7.0.9')]
    await machine.sharing.look()
    expect(machine.onChange.mock.calls.length).toBeGreaterThan(calls)
  })
})

describe('a port that is taken', () => {
  test('is refused, and all is as it was', async () => {
    const taken = await takePort('127.7.0.2')
    machine.interfaces = [lan('eth0', '127.7.0.1', '127.7.0.2')]
    const refusal = await machine.sharing.apply({ ...ON, sharePort: portOf(taken) }).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ListenError)
    expect((refusal as Error).message).toContain(`Port ${portOf(taken)} on 127.7.0.2 is taken by another program`)
    expect((refusal as Error).message).toContain('BUS_SHARE_PORT')
    expect(machine.sharing.state).toBe('off')
    expect(await isOpen(`https://127.7.0.1:${portOf(taken)}`)).toBe(false)

    await machine.sharing.apply(ON)
    const before = machine.sharing.view()
    await expect(machine.sharing.apply({ ...ON, sharePort: portOf(taken) })).rejects.toThrow(ListenError)
    expect(machine.sharing.view()).toEqual(before)
    expect((await visit(before.urls[1]!, before.identity!.rootPem)).text).toBe('fine')
    taken.close()
  })

  test('at a start is said, and taken once it is free', async () => {
    const taken = await takePort('127.7.0.1')
    const settings = { ...ON, sharePort: portOf(taken) }
    await machine.startAnew(settings).look()
    expect(machine.sharing.view()).toMatchObject({ state: 'failed', problem: expect.stringContaining('is taken'), urls: [] })
    // Other settings can be changed meanwhile.
    await machine.sharing.apply({ ...settings, busName: 'cellar', maintenance: true })
    expect(machine.sharing.view()).toMatchObject({ state: 'failed', busName: 'cellar' })
    await new Promise((resolve) => taken.close(resolve))
    await machine.clock.advance(15)
    await vi.waitFor(() => expect(machine.sharing.state).toBe('listening'))
  })
})

describe('a network that changes', () => {
  test('is followed: a new address is served, the old one is let go, root and pin stay', async () => {
    await machine.sharing.apply(ON)
    const { identity, port } = machine.sharing.view()
    const first = await visit(`https://127.7.0.1:${port}`, identity!.rootPem)
    machine.interfaces = [lan('eth0', '127.7.0.9')]
    await machine.clock.advance(3)
    await vi.waitFor(() => expect(machine.sharing.urls[0]).toBe(`https://127.7.0.9:${port}`))
    const second = await visit(`https://127.7.0.9:${port}`, identity!.rootPem)
    expect(second.pin).toBe(first.pin)
    expect(second.names).toContain('IP Address:127.7.0.9')
    expect(second.names).not.toContain('127.7.0.1')
    expect(await isOpen(`https://127.7.0.1:${port}`)).toBe(false)
    expect(machine.sharing.view().identity).toMatchObject({ pin: identity!.pin, rootPem: identity!.rootPem })
  })

  test('is told with since when its best address is listened on', async () => {
    const since = (): number | null => machine.sharing.view().since
    await machine.sharing.apply(ON)
    const [first, { port }] = [machine.clock.now(), machine.sharing.view()]
    expect(since()).toBe(first)
    // Others come and go, as those of IPv6 do each day.
    machine.clock.jump(10)
    machine.interfaces = [lan('eth0', '127.7.0.1', '127.7.0.9')]
    await machine.sharing.look()
    expect(since()).toBe(first)
    machine.interfaces = [lan('eth0', '127.7.0.9')]
    await machine.sharing.look()
    expect(since()).toBe(first + 10)
    machine.clock.jump(10)
    await machine.sharing.apply({ ...ON, sharePort: port + 1 })
    expect(since()).toBe(first + 20)
    machine.clock.jump(10)
    await machine.sharing.replaceIdentity()
    expect(since()).toBe(first + 30)
    await machine.sharing.apply(DEFAULT_SETTINGS)
    expect(since()).toBeNull()
    machine.clock.jump(10)
    await machine.sharing.apply(ON)
    expect(since()).toBe(first + 40)
  })

  test('leaves connections to addresses that stay alone', async () => {
    await machine.sharing.apply(ON)
    const { identity, urls } = machine.sharing.view()
    using agent = keepAlive()
    const first = await visit(urls[0]!, identity!.rootPem, agent)
    machine.interfaces = [lan('eth0', '127.7.0.1', '127.7.0.9')]
    await machine.sharing.look()
    const again = await visit(urls[0]!, identity!.rootPem, agent)
    expect([again.isReused, again.serial]).toEqual([true, first.serial])
    expect((await visit(urls[0]!, identity!.rootPem)).serial).not.toBe(first.serial)
  })

  test('that is gone is waited for', async () => {
    machine.interfaces = []
    await machine.sharing.apply(ON)
    expect(machine.sharing.view()).toMatchObject({ state: 'waiting', urls: [], problem: expect.stringContaining('in no private network') })
    machine.interfaces = [{ ...lan('wg0', '127.8.0.1'), kind: 'vpn' }]
    await machine.sharing.look()
    expect(machine.sharing.view()).toMatchObject({ state: 'waiting', problem: expect.stringContaining('wg0 (a VPN)') })
    machine.interfaces = [lan('eth0', '127.7.0.1')]
    await machine.clock.advance(3)
    await vi.waitFor(() => expect(machine.sharing.state).toBe('listening'))
  })

  test('an address that the machine does not have yet is left out until it does', async () => {
    machine.interfaces = [lan('eth0', '127.7.0.1', '192.0.2.77')]
    await machine.sharing.apply(ON)
    expect(machine.sharing.state).toBe('listening')
    expect(machine.sharing.urls.join()).not.toContain('192.0.2.77')
    const [address] = await machine.sharing.check()
    expect(address).toMatchObject({ name: 'address', outcome: 'warning', text: expect.stringContaining('192.0.2.77') })
  })
})

describe('a certificate', () => {
  test('is renewed in time, for connections that come; those that are there go on', async () => {
    machine.clock.jump(-61 * DAY)
    await machine.sharing.apply(ON)
    const { identity, urls } = machine.sharing.view()
    using agent = keepAlive()
    const before = await visit(urls[0]!, identity!.rootPem, agent)
    machine.clock.jump(61 * DAY)
    await machine.sharing.look()
    expect(await visit(urls[0]!, identity!.rootPem, agent)).toMatchObject({ isReused: true, serial: before.serial })
    const renewed = await visit(urls[0]!, identity!.rootPem)
    expect(renewed.serial).not.toBe(before.serial)
    expect(renewed.pin).toBe(identity!.pin)
  })

  test('is the same for the next start of the bus', async () => {
    await machine.sharing.apply(ON)
    const { identity } = machine.sharing.view()
    await machine.sharing.close(0)
    await machine.startAnew().apply(ON)
    expect((await visit(machine.sharing.urls[0]!, identity!.rootPem)).pin).toBe(identity!.pin)
  })

  test('of a replaced identity is not trusted by who trusted the old one, whose connections end', async () => {
    await machine.sharing.apply(ON)
    const { identity, urls } = machine.sharing.view()
    using agent = keepAlive()
    await visit(urls[0]!, identity!.rootPem, agent)
    await machine.sharing.replaceIdentity()
    const next = machine.sharing.view()
    expect(next.urls).toEqual(urls)
    expect(next.identity!.pin).not.toBe(identity!.pin)
    await expect(visit(urls[0]!, identity!.rootPem, agent)).rejects.toThrow()
    expect((await visit(urls[0]!, next.identity!.rootPem)).pin).toBe(next.identity!.pin)
  })

  test('whose root ends soon is good until then, and users are told in time', async () => {
    machine.clock.jump(-(3_652 - 31) * DAY)
    await machine.sharing.apply(ON)
    machine.clock.jump((3_652 - 31) * DAY)
    await machine.sharing.look()
    expect(machine.sharing.view().problem).toBeNull()
    machine.clock.jump(2 * DAY)
    await machine.sharing.look()
    const { urls, identity, problem } = machine.sharing.view()
    const day = new Date(identity!.rootExpiresAt * 1_000).toISOString().slice(0, 10)
    expect(problem).toMatch(new RegExp(`ends on ${day}; .* replace the identity, after which every device must pair again`))
    const { serial } = await visit(urls[0]!, identity!.rootPem)
    for (let i = 0; i < 3; i++) await machine.clock.advance(3)
    expect((await visit(urls[0]!, identity!.rootPem)).serial).toBe(serial)
    const certificateOf = async () => (await machine.sharing.check()).find(({ name }) => name === 'certificate')
    expect(await certificateOf()).toMatchObject({ outcome: 'warning', text: expect.stringContaining(`ends on ${day}`), next: expect.stringContaining('replace the identity') })

    machine.clock.jump(30 * DAY)
    await machine.sharing.look()
    // Whoever knows the pin is not cut off.
    expect(machine.sharing.view()).toMatchObject({ state: 'listening', urls, problem: expect.stringContaining(`ended on ${day}`) })
    expect(await certificateOf()).toMatchObject({ outcome: 'trouble', text: expect.stringContaining(`ended on ${day}`) })
    await machine.sharing.replaceIdentity()
    expect(machine.sharing.view().problem).toBeNull()
  })

  test('that there never was cannot be replaced', async () => {
    await expect(machine.sharing.replaceIdentity()).rejects.toThrow('no certificate yet')
  })
})

describe('keys that cannot be read', () => {
  test('keep the bus from being shared, until they can or are made anew', async () => {
    await machine.sharing.apply(ON)
    const { identity } = machine.sharing.view()
    await machine.sharing.close(0)
    const open = machine.vault
    machine.vault = { place: 'keychain', where: () => 'the keychain', read: async () => undefined, write: (name, secret) => open.write(name, secret), remove: async () => {} }
    const sharing = machine.startAnew()
    await sharing.apply(ON)
    expect(sharing.view()).toMatchObject({ state: 'failed', problem: expect.stringContaining('cannot be read from the keychain') })
    await sharing.replaceIdentity()
    expect(sharing.state).toBe('listening')
    expect(sharing.identity!.pin).not.toBe(identity!.pin)
  })

  test('that cannot be written are a sentence, not the end', async () => {
    machine.vault = { place: 'keychain', where: () => 'the keychain', read: async () => undefined, write: async () => Promise.reject(new Error('locked')), remove: async () => {} }
    await machine.startAnew().apply(ON)
    expect(machine.sharing.view()).toMatchObject({ state: 'failed', problem: expect.stringContaining('locked') })
  })
})

describe('plain HTTP', () => {
  test('is served on the port of the bus, only where it was chosen', async () => {
    await machine.listener.listen(0)
    const { port } = machine.listener.state
    await machine.sharing.apply(ON)
    expect(machine.sharing.plainUrls).toEqual([])
    expect(await isOpen(`http://127.7.0.1:${port}`)).toBe(false)
    await machine.sharing.apply({ ...ON, sharePlain: true })
    expect(machine.sharing.plainUrls).toEqual([`http://127.7.0.1:${port}`])
    expect(await (await fetch(machine.sharing.plainUrls[0]!)).text()).toBe('fine')
    await machine.sharing.apply(ON)
    expect(await isOpen(`http://127.7.0.1:${port}`)).toBe(false)
  })

  test('that cannot be had on a new network is told of beside all that can, and is there once its port is free', async () => {
    await machine.listener.listen(0)
    const { port } = machine.listener.state
    await machine.sharing.apply({ ...ON, sharePlain: true })
    const taken = await takePort('127.7.0.9', port)
    machine.interfaces = [lan('eth0', '127.7.0.8', '127.7.0.9')]
    await machine.clock.advance(3)
    await vi.waitFor(() => expect(machine.sharing.urls[0]).toContain('127.7.0.8'))
    const { state, problem, urls, plainUrls, identity } = machine.sharing.view()
    expect([state, plainUrls]).toEqual(['listening', [`http://127.7.0.8:${port}`]])
    expect(problem).toMatch(new RegExp(`^Plain HTTP cannot be had: Port ${port} on 127\\.7\\.0\\.9 is taken by another program; stop it, or choose`))
    for (const url of urls.slice(0, 2)) expect((await visit(url, identity!.rootPem)).text).toBe('fine')
    expect(await (await fetch(plainUrls[0]!)).text()).toBe('fine')
    expect(await isOpen(`http://127.7.0.1:${port}`)).toBe(false)
    await new Promise((resolve) => taken.close(resolve))
    await machine.clock.advance(3)
    await vi.waitFor(() => expect(machine.sharing.plainUrls).toEqual([`http://127.7.0.8:${port}`, `http://127.7.0.9:${port}`]))
    expect(machine.sharing.view()).toMatchObject({ state: 'listening', problem: null })
  })

  test('that cannot be had at a start keeps nobody from HTTPS', async () => {
    await machine.listener.listen(0)
    const taken = await takePort('127.7.0.1', machine.listener.state.port)
    await machine.startAnew({ ...ON, sharePlain: true }).look()
    expect(machine.sharing.view()).toMatchObject({ state: 'listening', plainUrls: [], problem: expect.stringContaining('is taken') })
    expect((await visit(machine.sharing.urls[0]!, machine.sharing.identity!.rootPem)).text).toBe('fine')
    taken.close()
  })

  test('that is asked for and cannot be had is refused, and all is as it was', async () => {
    await machine.listener.listen(0)
    const taken = await takePort('127.7.0.2', machine.listener.state.port)
    machine.interfaces = [lan('eth0', '127.7.0.1', '127.7.0.2')]
    await machine.sharing.apply(ON)
    const before = machine.sharing.view()
    await expect(machine.sharing.apply({ ...ON, sharePlain: true })).rejects.toThrow(ListenError)
    expect(machine.sharing.view()).toEqual(before)
    expect(await isOpen(`http://127.7.0.1:${machine.listener.state.port}`)).toBe(false)
    taken.close()
  })
})

describe('a look at itself', () => {
  test('finds everything fine', async () => {
    await machine.sharing.apply(ON)
    const findings = await machine.sharing.check()
    expect(findings.map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'address fine',
      'connection fine',
      'certificate fine',
      'answer fine',
      'clock fine',
      'discovery fine'
    ])
    expect(machine.sharing.view().arrivals).toEqual([])
  })

  test('says that there is nothing to look at', async () => {
    expect(await machine.sharing.check()).toMatchObject([{ name: 'address', outcome: 'trouble', text: 'The bus is not shared.' }, { name: 'discovery' }])
  })

  test('sees that the bus answers wrongly, and that its clock was set back', async () => {
    await using other = new Machine((_req, res) => res.writeHead(503).end())
    await other.sharing.apply(ON)
    other.clock.jump(-30 * DAY)
    const findings = await other.sharing.check()
    expect(findings.filter(({ outcome }) => outcome !== 'fine').map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(['answer trouble', 'clock trouble'])
  })
})

function keepAlive(): Agent & Disposable {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() })
}
