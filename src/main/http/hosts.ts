import { hostname, networkInterfaces } from 'node:os'
import { isLoopback, plainAddress } from '../net/addresses.ts'

/** The addresses of this machine change while it runs; they are read again at most this often (milliseconds). */
const REREAD_AFTER_MS = 2_000

/**
 * The names that this bus answers to. A web page can make a name of its own resolve to this machine (DNS rebinding), so
 * a Host header with any other name is refused.
 */
export class HostNames {
  readonly #names: ReadonlySet<string>
  readonly #isWildcard: boolean
  readonly #shared: () => ReadonlySet<string>
  #addresses = new Set<string>()
  #readAt = -Infinity

  /**
   * `bound`: what the listener was told to bind to; `allowed`: further names by setting; `shared`: those that other machines
   * know this bus by at the moment, in lower case.
   */
  constructor(bound: string, allowed: readonly string[], shared: () => ReadonlySet<string>) {
    const own = hostname().toLowerCase()
    this.#shared = shared
    this.#isWildcard = bound === '0.0.0.0' || bound === '::'
    const names = ['localhost', own, `${own.split('.')[0]}.local`, bound, ...allowed]
    this.#names = new Set(names.map((name) => name.toLowerCase()))
  }

  /** Whether a Host header is one of this bus's. Its port is ignored. */
  isOwn(header: string): boolean {
    const name = nameOf(header)
    if (name === undefined) return false
    return this.#names.has(name) || isLoopback(name) || this.#shared().has(name) || (this.#isWildcard && this.#isOwnAddress(name))
  }

  #isOwnAddress(name: string): boolean {
    if (this.#addresses.has(name)) return true
    if (performance.now() - this.#readAt < REREAD_AFTER_MS) return false
    this.#readAt = performance.now()
    this.#addresses = new Set(
      Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => plainAddress(address)))
    )
    return this.#addresses.has(name)
  }
}

/** The name in `name`, `name:port` or `[address]:port`, in lower case; undefined when it is none of these. */
function nameOf(header: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::\d{1,5})?$/.exec(header) ?? []
  const name = bracketed ?? plain?.replace(/\.$/, '')
  return name?.toLowerCase()
}
