import type { InterfaceView, SharingCheck, SharingView } from '../../shared/control/network-views.ts'
import type { Settings, SettingName } from '../../shared/control/settings.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { PROTOCOL_VERSION, SERVER_API_VERSION } from '../../shared/limits.ts'
import type { Clock } from '../bus/clock.ts'
import { HttpServer, type RequestListener } from '../net/http-server.ts'
import { ListenError } from '../net/listen-error.ts'
import { MOVE_GRACE_MS, type Listener } from '../net/listener.ts'
import type { Log } from '../log.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { Arrivals } from './arrivals.ts'
import { announcedNames, BusNames, markOf } from './bus-names.ts'
import { Discovery } from './discovery.ts'
import { IdentityError, type IdentityStore } from './identity-store.ts'
import { Identity } from './identity.ts'
import { chooseInterface } from './interfaces.ts'
import type { Network } from './network.ts'
import { checkSharing } from './self-check.ts'
import { SharedListeners } from './shared-listeners.ts'

/** Seconds between two looks at the network while the bus is shared, and while it should be and cannot. */
const LOOK_INTERVAL = 3
const RETRY_INTERVAL = 15

/** Settings that decide where is listened. */
const WHAT_LISTENS = ['share', 'sharePort', 'shareInterface', 'sharePlain'] as const satisfies readonly SettingName[]

const SECURE_PORT = { host: null, port: 'BUS_SHARE_PORT' } as const
const PLAIN_PORT = { host: null, port: 'BUS_PORT' } as const

export interface SharingOptions {
  readonly clock: Clock
  readonly log: Log
  readonly network: Network
  readonly store: IdentityStore
  /** The bus's own listener: where plain HTTP is chosen, it is served on the same port. */
  readonly listener: Listener
  readonly handle: RequestListener
  /** The module of the thread that announces. */
  readonly announcerEntry: URL
  /** The state is another one. */
  readonly onChange: () => void
  /** Somebody came. */
  readonly onArrival: () => void
}

type State = Pick<SharingView, 'state' | 'problem'>

const OFF: State = { state: 'off', problem: null }

/** How other machines reach the bus: listeners over HTTPS that follow the network, by whose certificate, and announced how. */
export class Sharing {
  readonly arrivals: Arrivals
  readonly #options: SharingOptions
  readonly #secure: SharedListeners
  readonly #plain: SharedListeners
  readonly #discovery: Discovery
  /** What changes listeners does so one after the other. */
  readonly #inTurn = oneAtATime((action: () => Promise<void>) => action())
  #settings: Settings
  #state: State = OFF
  #interfaces: readonly InterfaceView[] = []
  #chosen: InterfaceView | null = null
  #identity: Identity | undefined
  #hostNames: ReadonlySet<string> = new Set()
  #cancelLook: (() => void) | undefined
  #isClosed = false
  #told = ''

  /** `settings`: those that count until the first `apply`. */
  constructor(options: SharingOptions, settings: Settings) {
    const { clock, log, handle, announcerEntry, onArrival } = options
    this.#options = options
    this.#settings = settings
    this.arrivals = new Arrivals(clock, (address) => this.#isOwnAddress(address), onArrival)
    const onError = (err: Error): void => log.error({ err }, 'a connection could not be accepted')
    const common = { onError, visitors: this.arrivals, isShared: true }
    this.#secure = new SharedListeners(() => new HttpServer(handle, { ...common, certificate: this.#identity!.certificate }), SECURE_PORT)
    this.#plain = new SharedListeners(() => new HttpServer(handle, common), PLAIN_PORT)
    this.#discovery = new Discovery({ entry: announcerEntry, clock, log, onChange: () => this.#tell() })
  }

  /**
   * Shares as these settings say. Throws ListenError where they ask for a port that cannot be had; then all is as before.
   * Other trouble is told by the state, and tried again.
   */
  apply(settings: Settings): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#settings
      this.#settings = settings
      try {
        await this.#adjust()
      } catch (error) {
        const isAsked = WHAT_LISTENS.some((name) => settings[name] !== before[name])
        if (!isAsked || !(error instanceof ListenError)) return this.#fail(error)
        this.#settings = before
        await this.#adjust().catch((trouble) => this.#fail(trouble))
        throw error
      } finally {
        this.#goOnLooking()
      }
    })
  }

  /** Looks at the network and follows it; what cannot be had is told by the state, and tried again. */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isClosed) return
      await this.#adjust().catch((error) => this.#fail(error))
      this.#goOnLooking()
    })
  }

  /** New keys and a new root; whoever trusted those before is cut off. Throws 400 where there are none yet. */
  renewIdentity(): Promise<void> {
    return this.#inTurn(async () => {
      const { store, clock } = this.#options
      if (this.#identity === undefined && this.#state.state === 'off') {
        throw new ProtocolError('invalid_request', 'This bus has no certificate yet; it gets one when sharing is turned on.')
      }
      this.#identity = await Identity.make(store, { busName: this.#names.bus, names: this.#names.machine }, clock)
      try {
        await this.#adjust()
        await this.#secure.restart()
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  get identity(): Identity | undefined {
    return this.#identity
  }

  get state(): SharingView['state'] {
    return this.#state.state
  }

  /** `https://…`, the best first; empty while it does not listen. */
  get urls(): readonly string[] {
    const { addresses, port } = this.#secure
    if (this.#state.state !== 'listening') return []
    const hosts = [...addresses, this.#discovery.host, this.#names.local].filter((host) => host !== null)
    return hosts.map((host) => urlOf('https', host, port))
  }

  get plainUrls(): readonly string[] {
    const { listener } = this.#options
    if (this.#state.state !== 'listening' || !this.#settings.sharePlain || listener.state.state !== 'listening') return []
    const { port } = listener.state
    return this.#chosen!.addresses
      .filter((address) => listener.covers(address) || this.#plain.addresses.includes(address))
      .map((address) => urlOf('http', address, port))
  }

  /** Names and addresses by which others ask for this bus. */
  get hostNames(): ReadonlySet<string> {
    return this.#hostNames
  }

  view(): SharingView {
    return {
      ...this.#state,
      busName: this.#names.bus,
      interfaces: this.#interfaces,
      interface: this.#chosen?.name ?? null,
      port: this.#secure.port || this.#settings.sharePort,
      urls: this.urls,
      plainUrls: this.plainUrls,
      discovery: this.#discovery.view,
      identity: this.#identity?.view ?? null,
      arrivals: this.arrivals.view
    }
  }

  /** Looks at this bus as another machine would. */
  async check(): Promise<readonly SharingCheck[]> {
    await this.look()
    const { addresses, port } = this.#secure
    return checkSharing({ view: this.view(), chosen: this.#chosen, addresses, port, now: this.#options.clock.now() })
  }

  /** Ends sharing; what is under way is answered, for at most `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    this.#isClosed = true
    this.#cancelLook?.()
    this.arrivals.close()
    await this.#inTurn(() => this.#closeAll(grace))
  }

  get #names(): BusNames {
    return new BusNames(this.#options.network.hostname(), this.#settings.busName)
  }

  /** Makes everything as it should be now. Throws ListenError, and IdentityError. */
  async #adjust(): Promise<void> {
    this.#interfaces = await this.#options.network.interfaces()
    const { share, shareInterface, sharePort } = this.#settings
    this.#identity ??= await this.#findIdentity(share)
    if (!share) {
      this.#chosen = null
      // Waits are answered by whoever changes the settings; the rest gets the time that a moving listener gives.
      void this.#closeListeners(MOVE_GRACE_MS)
      await this.#discovery.close()
      return this.#become(OFF)
    }
    const chosen = chooseInterface(this.#interfaces, shareInterface)
    const addresses = chosen?.addresses ?? []
    const identity = this.#identity!
    const names = this.#names.certified(addresses, markOf(identity.fingerprint))
    if (await identity.certify(names)) this.#secure.showCertificate(identity.certificate)
    this.#hostNames = new Set([...addresses, ...identity.names, ...this.#names.machine])
    await this.#secure.move(addresses, sharePort)
    await this.#movePlain(addresses)
    this.#chosen = chosen
    await this.#announce(identity, chosen)
    const isThere = this.#secure.addresses.length > 0
    this.#become(isThere ? { state: 'listening', problem: null } : { state: 'waiting', problem: this.#whyWaiting() })
  }

  /** Sharing makes an identity at its first time; without it, one that cannot be read is no trouble. */
  async #findIdentity(isNeeded: boolean): Promise<Identity | undefined> {
    const { store, clock } = this.#options
    if (!isNeeded) return Identity.find(store, clock).catch(() => undefined)
    const found = await Identity.find(store, clock)
    return found ?? Identity.make(store, { busName: this.#names.bus, names: this.#names.machine }, clock)
  }

  async #movePlain(addresses: readonly string[]): Promise<void> {
    const { listener } = this.#options
    const isWanted = this.#settings.sharePlain && listener.state.state === 'listening'
    const missing = isWanted ? addresses.filter((address) => !listener.covers(address)) : []
    await this.#plain.move(missing, listener.state.port)
  }

  async #announce({ fingerprint }: Identity, chosen: InterfaceView | null): Promise<void> {
    const { addresses, port } = this.#secure
    const isWanted = this.#settings.shareDiscovery && chosen !== null && addresses.length > 0
    if (!isWanted) return this.#discovery.close()
    await this.#discovery.announce({
      interface: chosen.name,
      addresses,
      port,
      names: announcedNames(this.#names, fingerprint),
      text: { api: SERVER_API_VERSION, protocol: PROTOCOL_VERSION, tls: '1' }
    })
  }

  #whyWaiting(): string {
    const { shareInterface } = this.#settings
    if (shareInterface !== '') return `The network ${shareInterface} is not there right now, or has no private address; the bus listens as soon as it has one, or choose another one.`
    const other = this.#interfaces[0]
    if (other === undefined) return 'This machine is in no private network right now; the bus listens as soon as it is.'
    return `This machine is in no home network right now, only in ${other.name} (${other.kind === 'vpn' ? 'a VPN' : 'of virtual machines'}); choose that if you mean it, or join a network.`
  }

  #fail(error: unknown): void {
    const isExpected = error instanceof ListenError || error instanceof IdentityError
    const problem = isExpected ? error.message : `The bus cannot be shared: ${(error as Error).message}.`
    if (!isExpected && problem !== this.#state.problem) this.#options.log.error({ err: error }, 'sharing failed')
    this.#become({ state: 'failed', problem })
  }

  #become(state: State): void {
    const isNew = state.state !== this.#state.state
    this.#state = state
    if (isNew) this.#log(state)
    if (state.state === 'off') this.#hostNames = new Set()
    this.#tell()
  }

  #log({ state, problem }: State): void {
    const { log } = this.#options
    if (state === 'listening') log.info({ urls: this.urls }, 'the bus is shared')
    else if (problem !== null) log.warn(problem)
    else log.info('the bus is not shared any more')
  }

  /** Says that something changed that others see. */
  #tell(): void {
    const { arrivals: _, ...view } = this.view()
    const text = JSON.stringify(view)
    if (text === this.#told) return
    this.#told = text
    this.#options.onChange()
  }

  #goOnLooking(): void {
    this.#cancelLook?.()
    this.#cancelLook = undefined
    if (!this.#settings.share || this.#isClosed) return
    const wait = this.#state.state === 'failed' ? RETRY_INTERVAL : LOOK_INTERVAL
    this.#cancelLook = this.#options.clock.after(wait, () => void this.look())
  }

  async #closeListeners(grace: number): Promise<void> {
    await Promise.all([this.#secure.close(grace), this.#plain.close(grace)])
  }

  async #closeAll(grace: number): Promise<void> {
    await Promise.all([this.#closeListeners(grace), this.#discovery.close()])
  }

  #isOwnAddress(address: string): boolean {
    return this.#interfaces.some(({ addresses }) => addresses.includes(address))
  }
}

function urlOf(scheme: string, host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
