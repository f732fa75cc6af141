import { clientNetwork, clientOf, isLoopback } from './addresses.ts'

/**
 * Handshakes of TLS that may begin: so many at once, and then so many a second. Each costs the bus nearly a millisecond, and
 * a client that only pretends nothing. `client`: one alone; it may call curl over and over, and stays below. `network`: all
 * addresses of one IPv6 network together, as a single machine may have any number of them.
 */
export const HANDSHAKES = {
  client: { atOnce: 200, perSecond: 150 },
  network: { atOnce: 1_000, perSecond: 300 }
} as const
/** Clients that are remembered at a time. */
const MAX_CLIENTS = 10_000

/** Where a connection comes from, and where it came to. */
export interface Ends {
  readonly remoteAddress: string
  readonly localAddress: string
}

/** Keeps one machine from having the bus do nothing but handshakes, on all listeners together. */
export class HandshakeLimit {
  readonly #clientOf: (address: string) => string
  readonly #clients = new Allowances(HANDSHAKES.client)
  readonly #networks = new Allowances(HANDSHAKES.network)

  /** `of`: what counts as one client. */
  constructor(of: (address: string) => string = clientOf) {
    this.#clientOf = of
  }

  /** Counts a handshake that is about to begin; whether it may. The bus's own machine always may. `now`: as `performance.now()`. */
  admit({ remoteAddress, localAddress }: Ends, now = performance.now()): boolean {
    if (isLoopback(remoteAddress) || remoteAddress === localAddress) return true
    const network = clientNetwork(remoteAddress)
    return this.#clients.take(this.#clientOf(remoteAddress), now) && (network === remoteAddress || this.#networks.take(network, now))
  }
}

/** What somebody has left. */
interface Allowance {
  readonly left: number
  /** As of then, in milliseconds of `performance.now()`. */
  readonly at: number
}

class Allowances {
  readonly #rate: { readonly atOnce: number; readonly perSecond: number }
  /** Who came last comes last. */
  readonly #byName = new Map<string, Allowance>()

  constructor(rate: { readonly atOnce: number; readonly perSecond: number }) {
    this.#rate = rate
  }

  take(name: string, now: number): boolean {
    const { atOnce, perSecond } = this.#rate
    const before = this.#byName.get(name) ?? { left: atOnce, at: now }
    const left = Math.min(atOnce, before.left + ((now - before.at) / 1000) * perSecond)
    if (left < 1) return false
    this.#byName.delete(name)
    this.#byName.set(name, { left: left - 1, at: now })
    if (this.#byName.size > MAX_CLIENTS) this.#byName.delete(this.#byName.keys().next().value!)
    return true
  }
}
