import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https'
import { Readable, type Duplex } from 'node:stream'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'

/** Whom to trust besides, or in place of, the authorities that the system trusts. */
export interface TlsOptions {
  /** Certificates in PEM of the authorities, or of the bus itself, in place of the system's. */
  readonly ca?: string | readonly string[] | undefined
  /**
   * SHA-256 of the bus's public key, as `sha256//` and base64, which is how curl's --pinnedpubkey has it; several, and any of
   * them will do. A pin alone says who the bus is: without `ca`, neither authorities nor names are asked.
   */
  readonly pin?: string | readonly string[] | undefined
}

/** Milliseconds until a peer that does not finish its handshake is given up. */
const HANDSHAKE_MS = 10_000
/** Milliseconds of silence behind which a connection is probed: one to an address that is gone would seem to wait. */
const PROBE_AFTER_MS = 5_000

/** Statuses whose answers have no body. */
const WITHOUT_BODY = new Set([204, 205, 304])

/**
 * A fetch over HTTPS that trusts as it is told. Connections are kept open. Nothing is sent before the pin has been checked,
 * and redirects are never followed. Throws TypeError for a pin that is none. `patience`: milliseconds for a handshake.
 */
export function tlsFetch(options: TlsOptions, patience = HANDSHAKE_MS): typeof fetch {
  const agent = new PinnedAgent(options, patience)
  return async (input, init) => {
    const request = new Request(input, init)
    const body = Buffer.from(await request.arrayBuffer())
    // The request has a signal of its own, which stops to follow this one when it is garbage collected.
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined)
    signal?.throwIfAborted()
    return exchange(agent, request, body, signal)
  }
}

/** Errors of connections that never came to be. */
const unsent = new WeakSet<object>()

/** Whether a request that failed with this error was never sent: it may be sent again, whatever it asks for. */
export function isUnsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unsent.has(error)
}

function exchange(agent: Agent, { method, url, headers }: Request, body: Buffer, signal?: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const length = body.length > 0 || method === 'POST' ? { 'content-length': String(body.length) } : {}
    const outgoing = httpsRequest(url, { method, agent, headers: { ...Object.fromEntries(headers), ...length } })
    let incoming: IncomingMessage | undefined
    const onAbort = (): void => {
      const reason = signal!.reason as Error
      incoming?.destroy(reason)
      outgoing.destroy(reason)
      // A request that still waits for its connection would say nothing.
      reject(reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    outgoing.on('close', () => {
      signal?.removeEventListener('abort', onAbort)
      // All that is said of a connection that was to change its protocol.
      if (incoming === undefined) reject(new Error('the connection was closed before an answer came'))
    })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      incoming = response
      try {
        resolve(toResponse(response))
      } catch (error) {
        // A status that no answer may have.
        response.destroy()
        reject(error as Error)
      }
    })
    outgoing.end(body)
  })
}

function toResponse(incoming: IncomingMessage): Response {
  const status = incoming.statusCode!
  const headers = new Headers()
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) headers.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!)
  const init = { status, statusText: incoming.statusMessage ?? '', headers }
  if (WITHOUT_BODY.has(status)) {
    // Read to its end, the connection is free for the next request.
    incoming.resume()
    return new Response(null, init)
  }
  return new Response(Readable.toWeb(incoming) as ReadableStream<Uint8Array>, init)
}

/** Connections whose peer has shown the right key. */
class PinnedAgent extends Agent {
  readonly #pins: readonly Buffer[]
  readonly #patience: number

  constructor({ ca, pin }: TlsOptions, patience: number) {
    const pins = pin === undefined ? [] : [pin].flat().map(readPin)
    // An empty list would silently mean the system's authorities.
    if (pin !== undefined && pins.length === 0) throw new TypeError('A list of pins must have one at least.')
    if (ca !== undefined && [ca].flat().length === 0) throw new TypeError('A list of certificates must have one at least.')
    super({
      keepAlive: true,
      // A resumed session shows no certificate to compare.
      maxCachedSessions: 0,
      ...(ca === undefined ? {} : { ca: [ca].flat() }),
      // The pin is compared instead.
      rejectUnauthorized: ca !== undefined || pins.length === 0
    })
    this.#pins = pins
    this.#patience = patience
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const socket = connect(options as ConnectionOptions)
    const onError = (error: Error): void => {
      unsent.add(error)
      callback?.(error, socket)
    }
    const onTimeout = (): void => void socket.destroy(new Error('the TLS handshake takes too long'))
    socket.once('error', onError)
    socket.setTimeout(this.#patience, onTimeout)
    // A socket that is handed out earlier would send the request before the pin is checked.
    socket.once('secureConnect', () => {
      const problem = this.#problemWith(socket)
      if (problem !== undefined) {
        socket.destroy(problem)
        return
      }
      socket.off('error', onError)
      socket.off('timeout', onTimeout)
      socket.setTimeout(0)
      socket.setKeepAlive(true, PROBE_AFTER_MS)
      callback?.(null, socket)
    })
  }

  #problemWith(socket: TLSSocket): Error | undefined {
    if (this.#pins.length === 0) return undefined
    const certificate = socket.getPeerX509Certificate()
    const spki = certificate?.publicKey.export({ type: 'spki', format: 'der' })
    const digest = createHash('sha256')
      .update(spki ?? '')
      .digest()
    if (this.#pins.some((pin) => timingSafeEqual(pin, digest))) return undefined
    return new Error(`the public key sha256//${digest.toString('base64')} is not the pinned one; another machine may answer`)
  }
}

function readPin(text: string): Buffer {
  const [, base64] = /^(?:sha256\/\/)?([A-Za-z0-9+/]{43}=)$/.exec(text) ?? []
  if (base64 === undefined) throw new TypeError(`${text} is not a pin: that is sha256// and 44 characters of base64.`)
  return Buffer.from(base64, 'base64')
}
