import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { Input, MethodName, Output } from '../../src/shared/control/contract.ts'
import type { ArrivalView, SharingView } from '../../src/shared/control/network-views.ts'
import { BusProcess } from '../support/bus-process.ts'
import { temporaryFolder } from '../support/folders.ts'
import type { NetworkHost } from '../support/home-network.ts'

/** A bus on one machine of a home network, shared with the others, and its operator at that machine. */
export class SharedBus implements AsyncDisposable {
  bus: BusProcess
  readonly host: NetworkHost
  readonly #folder: ReturnType<typeof temporaryFolder>
  readonly #env: Readonly<Record<string, string>>

  private constructor(bus: BusProcess, host: NetworkHost, folder: ReturnType<typeof temporaryFolder>, env: Readonly<Record<string, string>>) {
    this.bus = bus
    this.host = host
    this.#folder = folder
    this.#env = env
  }

  static async start(host: NetworkHost, env: Readonly<Record<string, string>> = {}): Promise<SharedBus> {
    const folder = temporaryFolder()
    const all = { BUS_SHARE: 'true', BUS_DISCOVERY: 'false', ...env }
    return new SharedBus(await BusProcess.start(folder.path, all, [], host), host, folder, all)
  }

  /** Starts again on the same folder, after the process is gone. */
  async startAgain(): Promise<void> {
    this.bus = await BusProcess.start(this.#folder.path, this.#env, [], this.host)
  }

  /** A file of the bus's folder that other machines of the tests can read. */
  file(name: string): string {
    return join(this.#folder.path, name)
  }

  /** A call of the operator's. Throws what refuses it. */
  call<M extends MethodName>(method: M, input: Input<M>): Output<M> {
    const { stdout } = this.host.attempt(
      ...['curl', '-s', '-u', `admin:${this.bus.password}`, '-H', 'Content-Type: application/json'] as const,
      ...['-d', JSON.stringify(input), `${this.bus.url}/admin/control/${method}`]
    )
    const answer = JSON.parse(stdout) as { value: Output<M>; error?: { message: string } }
    if (answer.error !== undefined) throw new Error(answer.error.message)
    return answer.value
  }

  get view(): SharingView {
    return this.call('sharing.get', {})
  }

  /** Waits until sharing is as it should be. */
  until(check: (view: SharingView) => boolean): Promise<SharingView> {
    return vi.waitFor(
      () => {
        const { view } = this
        expect(check(view), JSON.stringify(view)).toBe(true)
        return view
      },
      { timeout: 15_000, interval: 200 }
    )
  }

  /** What the bus says of who came last from this address. */
  arrivalFrom({ address }: NetworkHost): ArrivalView | undefined {
    return this.view.arrivals.find((arrival) => arrival.address === address)
  }

  /** A copy of the root's certificate, as a user makes one. */
  copyRoot(name: string): string {
    const copy = this.file(name)
    copyFileSync(this.file('intent-bus-root.pem'), copy)
    return copy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bus[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}

/** Lets in whoever asks next, or does already; `given` is what it gets. */
export async function allowNext(bus: SharedBus, given: object = {}): Promise<void> {
  const request = await vi.waitFor(
    () => {
      const waiting = bus.call('pairing.get', {}).requests.find(({ state }) => state === 'waiting')
      expect(waiting).toBeDefined()
      return waiting!
    },
    { timeout: 20_000, interval: 100 }
  )
  bus.call('pairing.decide', { id: request.id, allow: true, name: request.name, ...given })
}
