import type { InterfaceView, Platform, SharingView } from '../../shared/control/network-views.ts'
import type { Settings } from '../../shared/control/settings.ts'
import type { Clock } from '../bus/clock.ts'
import type { Log } from '../log.ts'
import { ListenError } from '../net/listen-error.ts'
import type { Listener } from '../net/listener.ts'
import type { Arrivals } from './arrivals.ts'
import type { BusNames } from './bus-names.ts'
import type { Discovery } from './discovery.ts'
import { IdentityError } from './identity-store.ts'
import { rootTrouble, type Identity } from './identity.ts'
import { chooseInterface } from './interfaces.ts'
import type { SharingListeners } from './sharing-listeners.ts'

/** How sharing stands: the two members of its view that nothing else tells. */
type SharingState = Pick<SharingView, 'state' | 'problem'>

/** What sharing goes by at the moment. */
export interface Circumstances {
  readonly settings: Settings
  readonly names: BusNames
  readonly interfaces: readonly InterfaceView[]
  /** The one that is shared on. */
  readonly chosen: InterfaceView | null
  readonly identity: Identity | undefined
  /** It is off whatever the settings say: the bus crashed several times in a row. */
  readonly isKeptOff: boolean
  /** The variable of the environment that decides whether it is shared; undefined where operators do. */
  readonly shareVariable: string | undefined
}

export interface ReportSource {
  readonly log: Log
  readonly clock: Clock
  /** The bus's own, whose port is that of plain HTTP. */
  readonly listener: Listener
  readonly listeners: SharingListeners
  readonly discovery: Discovery
  readonly arrivals: Arrivals
  circumstances(): Circumstances
  /** What is told is something else, arrivals aside. */
  readonly onChange: () => void
}

const PLATFORMS: Readonly<Partial<Record<NodeJS.Platform, Platform>>> = { linux: 'linux', darwin: 'macos', win32: 'windows' }

const KEPT_OFF = 'Sharing is left off, because the bus ended by itself several times in a row. Start the bus again to have it back'

/** What is told of sharing: its state, to the log too, the addresses of the bus, and the view that operators get. */
export class SharingReport {
  readonly #source: ReportSource
  #state: SharingState = { state: 'off', problem: null }
  #told = ''

  constructor(source: ReportSource) {
    this.#source = source
  }

  get state(): SharingView['state'] {
    return this.#state.state
  }

  /** `https://…`, the best first; empty while it does not listen. */
  get urls(): readonly string[] {
    const { listeners, discovery, circumstances } = this.#source
    if (this.state !== 'listening') return []
    const hosts = [...listeners.secure.addresses, discovery.host, circumstances().names.local].filter((host) => host !== null)
    return hosts.map((host) => urlOf('https', host, listeners.secure.port))
  }

  /** `http://…`, where that is chosen and can be had. */
  get plainUrls(): readonly string[] {
    const { listener, listeners, circumstances } = this.#source
    const { settings, chosen } = circumstances()
    if (this.state !== 'listening' || !settings.sharePlain || listener.state.state !== 'listening') return []
    const { port } = listener.state
    return (chosen?.addresses ?? []).filter((address) => listeners.isPlainAt(address)).map((address) => urlOf('http', address, port))
  }

  view(): SharingView {
    const { listeners, discovery, arrivals, circumstances } = this.#source
    const { settings, names, interfaces, chosen, identity, isKeptOff, shareVariable } = circumstances()
    return {
      ...this.#state,
      ...(isKeptOff && settings.share && { problem: keptOffText(shareVariable) }),
      busName: names.bus,
      interfaces,
      interface: chosen?.name ?? null,
      automatic: chooseInterface(interfaces, '')?.name ?? null,
      platform: platformOf(process.platform),
      port: listeners.secure.port || settings.sharePort,
      urls: this.urls,
      plainUrls: this.plainUrls,
      discovery: discovery.view,
      identity: identity?.view ?? null,
      since: this.state === 'listening' ? listeners.secure.since : null,
      arrivals: arrivals.view
    }
  }

  isOff(): void {
    this.#become({ state: 'off', problem: null })
  }

  /** There is no network to listen on. */
  waits(): void {
    const { settings, interfaces } = this.#source.circumstances()
    this.#become({ state: 'waiting', problem: whyWaiting(interfaces, settings.shareInterface) })
  }

  /** Other machines reach the bus; `plainTrouble`: what keeps plain HTTP from an address where it is chosen. */
  listens(plainTrouble: ListenError | undefined): void {
    const { clock, circumstances } = this.#source
    const ending = rootTrouble(circumstances().identity!.rootExpiresAt, clock.now())
    const problems = [plainTrouble && `Plain HTTP cannot be had: ${plainTrouble.message}`, ending && `${ending.text} ${ending.next}`]
    this.#become({ state: 'listening', problem: problems.filter(Boolean).join(' ') || null })
  }

  /** The bus cannot be shared, for this reason. */
  fails(error: unknown): void {
    const isExpected = error instanceof ListenError || error instanceof IdentityError
    const problem = isExpected ? error.message : `The bus cannot be shared: ${(error as Error).message}.`
    if (!isExpected && problem !== this.#state.problem) this.#source.log.error({ err: error }, 'sharing failed')
    this.#become({ state: 'failed', problem })
  }

  /** Says that something changed that others see, if it did. */
  tell(): void {
    const { arrivals: _, ...view } = this.view()
    const text = JSON.stringify(view)
    if (text === this.#told) return
    this.#told = text
    this.#source.onChange()
  }

  #become(next: SharingState): void {
    const { log, circumstances } = this.#source
    const before = this.#state
    this.#state = next
    const isOther = next.state !== before.state
    if (isOther && next.state === 'listening') {
      const { pin, fingerprint } = circumstances().identity!
      log.info({ urls: this.urls, pin, fingerprint }, 'the bus is shared')
    }
    if (isOther && next.state === 'off') log.info('the bus is not shared any more')
    if (next.problem !== null && next.problem !== before.problem) log.warn(next.problem)
    this.tell()
  }
}

/** Why sharing is left off, and what to do; what the environment decides cannot be turned off and on. */
function keptOffText(variable: string | undefined): string {
  return variable === undefined ? `${KEPT_OFF}, or turn sharing off and on.` : `${KEPT_OFF}; ${variable} decides that it is shared.`
}

/** Why the bus waits for a network, and what to do. `wanted`: the interface that is asked for, '' for none. */
function whyWaiting(interfaces: readonly InterfaceView[], wanted: string): string {
  if (wanted !== '') return `The network ${wanted} is not there right now, or has no private address; the bus listens as soon as it has one, or choose another one.`
  const [other] = interfaces
  if (other === undefined) return 'This machine is in no private network right now; the bus listens as soon as it is.'
  return `This machine is in no home network right now, only in ${other.name} (${other.kind === 'vpn' ? 'a VPN' : 'of virtual machines'}); choose that if you mean it, or join a network.`
}

/** What a system is called by operators. */
export function platformOf(platform: NodeJS.Platform): Platform {
  return PLATFORMS[platform] ?? 'other'
}

function urlOf(scheme: string, host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
