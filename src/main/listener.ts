import type { ListenerView } from '../shared/control/views.ts'
import { isLoopback } from './http/addresses.ts'
import { HttpServer, type RequestListener } from './http/server.ts'

/** A port that cannot be listened on. The message is one sentence for the user. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** Requests on a port that was given up get this many milliseconds to be answered. */
const MOVE_GRACE_MS = 3_000

/** The bus's listener on one address, whose port can be changed while it serves. */
export class Listener {
  readonly #host: string
  readonly #handle: RequestListener
  readonly #onError: (error: Error) => void
  #server: HttpServer | undefined
  #wanted: number
  #state: ListenerView

  /** `onError` hears of connections that could not be accepted. */
  constructor(host: string, handle: RequestListener, onError: (error: Error) => void) {
    this.#host = host
    this.#handle = handle
    this.#onError = onError
    this.#wanted = 0
    this.#state = { state: 'failed', host, port: 0, problem: 'The bus does not listen yet.' }
  }

  get state(): ListenerView {
    return this.#state
  }

  /** Whether other machines can reach the bus. */
  get isOpenToNetwork(): boolean {
    return this.#state.state === 'listening' && !isLoopback(this.#host) && this.#host !== 'localhost'
  }

  /** Whether requests that came to this local port are the last on their connection. */
  isLeaving(localPort: number | undefined): boolean {
    const { state, port } = this.#state
    return this.#server?.isClosing === true || (state === 'listening' && localPort !== port)
  }

  /**
   * Listens on a port (0 for any free one), and only then lets go of the one before. Throws ListenError; then the one
   * before, if there was one, goes on.
   */
  async listen(port: number): Promise<void> {
    const isThere = this.#state.state === 'listening' && (port === this.#state.port || port === this.#wanted)
    if (isThere) return
    const next = new HttpServer(this.#handle, this.#onError)
    let actual: number
    try {
      actual = await next.listen(this.#host, port)
    } catch (error) {
      const problem = trouble(error as NodeJS.ErrnoException, this.#host, port)
      if (this.#state.state === 'failed') this.#state = { state: 'failed', host: this.#host, port, problem }
      throw new ListenError(problem)
    }
    const previous = this.#server
    this.#server = next
    this.#wanted = port
    this.#state = { state: 'listening', url: urlOf(this.#host, actual), host: this.#host, port: actual }
    void previous?.close(MOVE_GRACE_MS)
  }

  /** Answers what is under way, for at most `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    await this.#server?.close(grace)
  }
}

function trouble({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is taken by another program; stop it, or choose another port (BUS_PORT, or the settings; 0 takes any free one).`
  }
  if (code === 'EACCES') return `Port ${port} on ${host} needs special rights; choose one from 1024 up (BUS_PORT, or the settings).`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `${host} is not an address of this machine; set BUS_HOST to one that is.`
  }
  return `The bus cannot listen on ${host}, port ${port}: ${message}.`
}

/** A listener on all addresses is reached from this machine by loopback. */
function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}
