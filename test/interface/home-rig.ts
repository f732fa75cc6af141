import type { Locator, Page } from 'playwright'
import { expect } from 'playwright/test'
import type { PairingCodeView } from '../../src/shared/control/network-views.ts'
import { SharedBus } from '../lan/shared-bus.ts'
import { HomeNetwork, type NetworkHost } from '../support/home-network.ts'
import { login, type View } from './interface.ts'
import { NetworkBrowser } from './network-browser.ts'

/** A home network: a bus on one machine with its operator's browser, a phone with its own, and another machine. */
export class HomeRig implements AsyncDisposable {
  readonly shared: SharedBus
  readonly desk: NetworkBrowser
  readonly pocket: NetworkBrowser
  readonly phoneHost: NetworkHost
  readonly machine: NetworkHost
  /** What the operator looks at. */
  readonly page: Page
  readonly #network: HomeNetwork

  private constructor(network: HomeNetwork, shared: SharedBus, desk: NetworkBrowser, pocket: NetworkBrowser, page: Page) {
    this.#network = network
    this.shared = shared
    this.desk = desk
    this.pocket = pocket
    this.page = page
    this.phoneHost = network.hosts[1]!
    this.machine = network.hosts[2]!
  }

  /** `env`: of the bus, beside what keeps it from being shared by the environment. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<HomeRig> {
    const network = await HomeNetwork.create(3)
    const [home, phone] = network.hosts as [NetworkHost, NetworkHost]
    const [shared] = await Promise.all([SharedBus.start(home, { BUS_SHARE: '', BUS_DISCOVERY: '', ...env }), settled(network.hosts)])
    const [desk, pocket] = await Promise.all([NetworkBrowser.start(home), NetworkBrowser.start(phone)])
    return new HomeRig(network, shared, desk, pocket, await openDesk(shared, desk, '#/lan'))
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog')
  }

  /** The bus's best address for other machines. */
  get lanUrl(): string {
    return this.shared.view.urls[0]!
  }

  section(name: string): Locator {
    return this.page.getByRole('region', { name, exact: true })
  }

  /** Has the operator's page show a place: a hash, as `#/lan`. */
  async goTo(place: string): Promise<void> {
    await this.page.goto(`${this.shared.bus.url}/admin/${place}`)
  }

  /** Another page of the operator's, logged in. */
  openDesk(place: string, view?: View): Promise<Page> {
    return openDesk(this.shared, this.desk, place, view)
  }

  /** Shows a pairing code on the operator's page, which must be at `#/lan`; gives it as the bus has it. */
  async showCode(): Promise<PairingCodeView> {
    const { code } = this.shared.call('pairing.start', {})
    await expect(this.section('Pair a device')).toContainText(code!.code)
    return code!
  }

  /** Waits for a question that says this, and past its first moments, in which it takes no answer. */
  async readQuestion(about: string): Promise<void> {
    await expect(this.dialog).toContainText(about)
    await this.page.waitForTimeout(700)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.desk[Symbol.asyncDispose](), this.pocket[Symbol.asyncDispose]()])
    await this.shared[Symbol.asyncDispose]()
    this.#network[Symbol.dispose]()
  }
}

/** A new address is tentative for a moment (RFC 4862). When it is that no more, Chromium drops whatever it is loading. */
async function settled(hosts: readonly NetworkHost[]): Promise<void> {
  for (const host of hosts) await expect.poll(() => host.run('ip', 'address', 'show', 'tentative')).toBe('')
}

async function openDesk({ bus }: SharedBus, desk: NetworkBrowser, place: string, view?: View): Promise<Page> {
  const page = await desk.open(`${bus.url}/admin/${place}`, view)
  await login(page, bus.password)
  await expect(page.getByRole('navigation').first()).toBeVisible()
  return page
}
