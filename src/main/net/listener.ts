import type { ListenerView } from '../../shared/control/status-views.ts'
import { isLoopback } from './addresses.ts'
import { HttpServer, type HttpServerOptions, type RequestListener } from './http-server.ts'
import { listenTrouble } from './listen-error.ts'

/** Requests on a port that was given up get this many milliseconds to be answered. */
export const MOVE_GRACE_MS = 3_000

const SOURCE = { host: 'BUS_HOST', port: 'BUS_PORT' } as const

/** The bus's listener on one address, whose port can be changed while it serves. */
export class Listener {
  readonly host: string
  readonly #handle: RequestListener
  readonly #options: HttpServerOptions
  #server: HttpServer | undefined
  #wanted: number
  #state: ListenerView

  constructor(host: string, handle: RequestListener, options: HttpServerOptions) {
    this.host = host
    this.#handle = handle
    this.#options = options
    this.#wanted = 0
    this.#state = { state: 'failed', host, port: 0, problem: 'The bus does not listen yet.' }
  }

  get state(): ListenerView {
    return this.#state
  }

  /** Whether other machines can reach the bus by this listener. */
  get isOpenToNetwork(): boolean {
    return this.#state.state === 'listening' && !isLoopback(this.host) && this.host !== 'localhost'
  }

  /** Whether it listens on this address, too. */
  covers(address: string): boolean {
    const isAll = this.host === '::' || (this.host === '0.0.0.0' && !address.includes(':'))
    return this.#state.state === 'listening' && (isAll || this.host === address)
  }

  /**
   * Listens on a port (0 for any free one), and only then lets go of the one before. Throws ListenError; then the one
   * before, if there was one, goes on.
   */
  async listen(port: number): Promise<void> {
    const isThere = this.#state.state === 'listening' && (port === this.#state.port || port === this.#wanted)
    if (isThere) return
    const next = new HttpServer(this.#handle, this.#options)
    let actual: number
    try {
      actual = await next.listen(this.host, port)
    } catch (error) {
      const trouble = listenTrouble(error as NodeJS.ErrnoException, this.host, port, SOURCE)
      if (this.#state.state === 'failed') this.#state = { state: 'failed', host: this.host, port, problem: trouble.message }
      throw trouble
    }
    const previous = this.#server
    this.#server = next
    this.#wanted = port
    this.#state = { state: 'listening', url: urlOf(this.host, actual), host: this.host, port: actual }
    void previous?.close(MOVE_GRACE_MS)
  }

  /** Answers what is under way, for at most `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    await this.#server?.close(grace)
  }
}

/** A listener on all addresses is reached from this machine by loopback. */
function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
