import { clientOf, isLoopback } from './addresses.ts'

/**
 * Handshakes of TLS that one client may begin: so many at once, and then so many a second. Each costs the bus nearly a
 * millisecond, and a client that only pretends nothing. One that calls curl over and over stays below.
 */
export const HANDSHAKES = { atOnce: 100, perSecond: 50 } as const
/** Clients that are remembered at a time. */
const MAX_CLIENTS = 10_000

/** What a client has left. */
interface Allowance {
  /** As of `at`, in milliseconds of `performance.now()`. */
  readonly left: number
  readonly at: number
}

/** Keeps one client from having the bus do nothing but handshakes. */
export class HandshakeLimit {
  /** By client; who came last comes last. */
  readonly #clients = new Map<string, Allowance>()

  /** Counts a handshake that is about to begin; whether it may. This machine always may. `now`: as `performance.now()`. */
  admit(address: string, now = performance.now()): boolean {
    if (isLoopback(address)) return true
    const client = clientOf(address)
    const left = this.#leftFor(client, now)
    if (left < 1) return false
    this.#clients.delete(client)
    this.#clients.set(client, { left: left - 1, at: now })
    if (this.#clients.size > MAX_CLIENTS) this.#clients.delete(this.#clients.keys().next().value!)
    return true
  }

  #leftFor(client: string, now: number): number {
    const { left, at } = this.#clients.get(client) ?? { left: HANDSHAKES.atOnce, at: now }
    return Math.min(HANDSHAKES.atOnce, left + ((now - at) / 1000) * HANDSHAKES.perSecond)
  }
}
