import type { InterfaceView, SharingCheck, SharingView } from '../../shared/control/network-views.ts'
import type { Settings, SettingName } from '../../shared/control/settings.ts'
import { ProtocolError } from '../../shared/errors.ts'
import { PROTOCOL_VERSION, SERVER_API_VERSION } from '../../shared/limits.ts'
import type { Clock } from '../bus/clock.ts'
import type { RequestListener } from '../net/http-server.ts'
import { ListenError } from '../net/listen-error.ts'
import { MOVE_GRACE_MS, type Listener } from '../net/listener.ts'
import type { Log } from '../log.ts'
import { oneAtATime } from '../one-at-a-time.ts'
import { Arrivals } from './arrivals.ts'
import { announcedNames, BusNames, markOf } from './bus-names.ts'
import { Discovery } from './discovery.ts'
import type { IdentityStore } from './identity-store.ts'
import { Identity } from './identity.ts'
import { chooseInterface } from './interfaces.ts'
import type { Network } from './network.ts'
import { checkSharing } from './self-check.ts'
import { SharingListeners } from './sharing-listeners.ts'
import { SharingReport } from './sharing-report.ts'

/** Seconds between two looks at the network while the bus is shared, and while it should be and cannot. */
const LOOK_INTERVAL = 3
const RETRY_INTERVAL = 15

/** Settings that decide where is listened. */
const WHAT_LISTENS = ['share', 'sharePort', 'shareInterface', 'sharePlain'] as const satisfies readonly SettingName[]

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
  /** After crashes in a row: it stays off, whatever the settings say, until an operator turns it off and on again, where the environment does not decide it. */
  readonly isKeptOff?: boolean
  /** The variable of the environment that decides whether it is shared; undefined where operators do. */
  readonly shareVariable?: string | undefined
  /** The state is another one. */
  readonly onChange: () => void
  /** Somebody came. */
  readonly onArrival: () => void
}

/** How other machines reach the bus: listeners over HTTPS that follow the network, by whose certificate, and announced how. */
export class Sharing {
  readonly arrivals: Arrivals
  readonly #options: SharingOptions
  readonly #listeners: SharingListeners
  readonly #discovery: Discovery
  readonly #report: SharingReport
  /** What changes listeners does so one after the other. */
  readonly #inTurn = oneAtATime((action: () => Promise<void>) => action())
  #settings: Settings
  #interfaces: readonly InterfaceView[] = []
  #chosen: InterfaceView | null = null
  #identity: Identity | undefined
  #hostNames: ReadonlySet<string> = new Set()
  #cancelLook: (() => void) | undefined
  #isKeptOff: boolean
  #isClosed = false

  /** `settings`: those that count until the first `apply`. */
  constructor(options: SharingOptions, settings: Settings) {
    const { clock, log, announcerEntry, onArrival } = options
    this.#options = options
    this.#settings = settings
    this.#isKeptOff = options.isKeptOff ?? false
    const isOwn = (address: string): boolean => this.#interfaces.some(({ addresses }) => addresses.includes(address))
    this.arrivals = new Arrivals(clock, isOwn, onArrival)
    this.#listeners = new SharingListeners({
      ...options,
      visitors: this.arrivals,
      onError: (err) => log.error({ err }, 'a connection could not be accepted'),
      certificate: () => this.#identity!.certificate
    })
    this.#discovery = new Discovery({ entry: announcerEntry, clock, log, onChange: () => this.#report.tell() })
    this.#report = new SharingReport({
      ...options,
      listeners: this.#listeners,
      discovery: this.#discovery,
      arrivals: this.arrivals,
      circumstances: () => ({
        settings: this.#settings,
        names: this.#names,
        interfaces: this.#interfaces,
        chosen: this.#chosen,
        identity: this.#identity,
        isKeptOff: this.#isKeptOff,
        shareVariable: options.shareVariable
      })
    })
  }

  /**
   * Shares as these settings say. Throws ListenError where they ask for a port that cannot be had; then all is as before.
   * Other trouble is told by the state, and tried again.
   */
  apply(settings: Settings): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#settings
      this.#settings = settings
      if (settings.share && !before.share) this.#isKeptOff = false
      try {
        await this.#adjust(settings.sharePlain && !before.sharePlain)
      } catch (error) {
        const isAsked = WHAT_LISTENS.some((name) => settings[name] !== before[name])
        if (!isAsked || !(error instanceof ListenError)) return this.#report.fails(error)
        this.#settings = before
        await this.#adjust().catch((trouble) => this.#report.fails(trouble))
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
      await this.#adjust().catch((error) => this.#report.fails(error))
      this.#goOnLooking()
    })
  }

  /** New keys and a new root; whoever trusted those before is cut off. Throws 400 where there are none yet. */
  replaceIdentity(): Promise<void> {
    return this.#inTurn(async () => {
      const { store, clock } = this.#options
      if (this.#identity === undefined && this.state === 'off') {
        throw new ProtocolError('invalid_request', 'This bus has no certificate yet; it gets one when sharing is turned on.')
      }
      this.#identity = await Identity.make(store, { busName: this.#names.bus, names: this.#names.machine }, clock)
      try {
        await this.#adjust()
        await this.#listeners.secure.restart()
      } catch (error) {
        this.#report.fails(error)
      }
    })
  }

  get identity(): Identity | undefined {
    return this.#identity
  }

  get state(): SharingView['state'] {
    return this.#report.state
  }

  /** `https://…`, the best first; empty while it does not listen. */
  get urls(): readonly string[] {
    return this.#report.urls
  }

  /** `http://…`, where that is chosen and can be had. */
  get plainUrls(): readonly string[] {
    return this.#report.plainUrls
  }

  /** Names and addresses by which others ask for this bus. */
  get hostNames(): ReadonlySet<string> {
    return this.#hostNames
  }

  view(): SharingView {
    return this.#report.view()
  }

  /** Looks at this bus as another machine would. */
  async check(): Promise<readonly SharingCheck[]> {
    await this.look()
    const { addresses, port } = this.#listeners.secure
    return checkSharing({ view: this.view(), chosen: this.#chosen, addresses, port, now: this.#options.clock.now() })
  }

  /** Ends sharing; what is under way is answered, for at most `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    this.#isClosed = true
    this.#cancelLook?.()
    this.arrivals.close()
    await this.#inTurn(async () => void (await Promise.all([this.#listeners.close(grace), this.#discovery.close()])))
  }

  get #names(): BusNames {
    return new BusNames(this.#options.network.hostname(), this.#settings.busName)
  }

  /**
   * Makes everything as it should be now. Throws IdentityError, and ListenError: for plain HTTP only where that `isPlainAsked`
   * for just now, for the bus is reached without it.
   */
  async #adjust(isPlainAsked = false): Promise<void> {
    this.#interfaces = await this.#options.network.interfaces()
    const { shareInterface, sharePort, sharePlain } = this.#settings
    const share = this.#settings.share && !this.#isKeptOff
    const { secure } = this.#listeners
    this.#identity ??= await this.#findIdentity(share)
    if (!share) return this.#turnOff()
    const chosen = chooseInterface(this.#interfaces, shareInterface)
    const addresses = chosen?.addresses ?? []
    const identity = this.#identity!
    const names = this.#names.certified(addresses, markOf(identity.fingerprint))
    if (await identity.certify(names)) secure.showCertificate(identity.certificate)
    this.#hostNames = new Set([...addresses, ...identity.names, ...this.#names.machine])
    await secure.move(addresses, sharePort)
    const plainTrouble = await this.#listeners.movePlain(sharePlain ? addresses : [])
    if (isPlainAsked && plainTrouble !== undefined) throw plainTrouble
    this.#chosen = chosen
    await this.#announce(identity, chosen)
    if (secure.addresses.length > 0) this.#report.listens(plainTrouble)
    else this.#report.waits()
  }

  async #turnOff(): Promise<void> {
    this.#chosen = null
    this.#hostNames = new Set()
    // Waits are answered by whoever changes the settings; the rest gets the time that a moving listener gives.
    void this.#listeners.close(MOVE_GRACE_MS)
    await this.#discovery.close()
    this.#report.isOff()
  }

  /** Sharing makes an identity at its first time; without it, one that cannot be read is no trouble. */
  async #findIdentity(isNeeded: boolean): Promise<Identity | undefined> {
    const { store, clock } = this.#options
    if (!isNeeded) return Identity.find(store, clock).catch(() => undefined)
    const found = await Identity.find(store, clock)
    return found ?? Identity.make(store, { busName: this.#names.bus, names: this.#names.machine }, clock)
  }

  async #announce({ fingerprint }: Identity, chosen: InterfaceView | null): Promise<void> {
    const { addresses, port } = this.#listeners.secure
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

  #goOnLooking(): void {
    this.#cancelLook?.()
    this.#cancelLook = undefined
    if (!this.#settings.share || this.#isKeptOff || this.#isClosed) return
    const wait = this.state === 'failed' ? RETRY_INTERVAL : LOOK_INTERVAL
    this.#cancelLook = this.#options.clock.after(wait, () => void this.look())
  }
}
