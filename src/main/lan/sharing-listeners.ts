import type { Clock } from '../bus/clock.ts'
import { HandshakeLimit } from '../net/handshake-limit.ts'
import { HttpServer, type RequestListener, type ServerCertificate, type Visitors } from '../net/http-server.ts'
import type { ListenError } from '../net/listen-error.ts'
import type { Listener } from '../net/listener.ts'
import { SharedListeners } from './shared-listeners.ts'

const SECURE_PORT = { host: null, port: 'BUS_SHARE_PORT' } as const
const PLAIN_PORT = { host: null, port: 'BUS_PORT' } as const

export interface SharingListenersOptions {
  readonly clock: Clock
  readonly handle: RequestListener
  readonly visitors: Visitors
  /** Hears of connections that could not be accepted. */
  readonly onError: (error: Error) => void
  /** The bus's own listener, whose port is that of plain HTTP. */
  readonly listener: Listener
  /** What is shown by listeners that are opened from now on. */
  certificate(): ServerCertificate
}

/** What listens for other machines: HTTPS, and plain HTTP where that is chosen. */
export class SharingListeners {
  readonly secure: SharedListeners
  readonly #plain: SharedListeners
  readonly #listener: Listener

  constructor({ clock, handle, visitors, onError, listener, certificate }: SharingListenersOptions) {
    const common = { onError, visitors, isShared: true, handshakes: new HandshakeLimit() }
    const now = (): number => clock.now()
    this.secure = new SharedListeners(() => new HttpServer(handle, { ...common, certificate: certificate() }), SECURE_PORT, now)
    this.#plain = new SharedListeners(() => new HttpServer(handle, common), PLAIN_PORT, now)
    this.#listener = listener
  }

  /** Serves plain HTTP on these addresses, too, and nowhere else; the answer is what keeps it from one of them. */
  movePlain(addresses: readonly string[]): Promise<ListenError | undefined> {
    const { state } = this.#listener
    const missing = state.state === 'listening' ? addresses.filter((address) => !this.#listener.covers(address)) : []
    return this.#plain.moveWherePossible(missing, state.port)
  }

  /** Whether plain HTTP is served on an address. */
  isPlainAt(address: string): boolean {
    return this.#listener.covers(address) || this.#plain.addresses.includes(address)
  }

  /** Listens nowhere any more; what is under way is answered, for at most `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    await Promise.all([this.secure.close(grace), this.#plain.close(grace)])
  }
}
