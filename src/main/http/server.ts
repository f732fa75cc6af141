import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorCode } from '../../shared/errors.ts'
import { clientNetwork, isLoopback, plainAddress } from './addresses.ts'
import { rawRefusal } from './exchange.ts'

/** Limits of patience, in milliseconds and bytes: slow or many clients cannot hold the bus. */
export const PATIENCE = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  /** Between two requests on one connection; workers poll more often than that. */
  keepAliveTimeout: 65_000,
  /** Without a byte either way: a client that does not read its answer, or nothing to say for that long. */
  idleTimeout: 120_000,
  checkInterval: 2_000,
  maxHeaderBytes: 16_384,
  maxConnections: 4_096,
  /** From one address (IPv6: one /64) other than this machine's own. */
  maxConnectionsPerClient: 512
} as const

export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void

/** One HTTP listener of the bus. */
export class HttpServer {
  readonly #server: Server
  readonly #connections = new Map<string, number>()
  /** The newest answer that is under way on a connection. */
  readonly #answering = new WeakMap<Duplex, ServerResponse>()
  readonly #onError: (error: Error) => void
  #isClosing = false

  /** `onError` hears of connections that could not be accepted; the server goes on. */
  constructor(listener: RequestListener, onError: (error: Error) => void = () => {}) {
    const server = createServer(
      {
        headersTimeout: PATIENCE.headersTimeout,
        requestTimeout: PATIENCE.requestTimeout,
        keepAliveTimeout: PATIENCE.keepAliveTimeout,
        connectionsCheckingInterval: PATIENCE.checkInterval,
        maxHeaderSize: PATIENCE.maxHeaderBytes,
        noDelay: true,
        // A missing Host is refused like a wrong one, in the protocol's own shape.
        requireHostHeader: false
      },
      (req, res) => {
        this.#answering.set(req.socket, res)
        listener(req, res)
      }
    )
    server.maxConnections = PATIENCE.maxConnections
    server.setTimeout(PATIENCE.idleTimeout)
    server.on('connection', (socket) => this.#count(socket))
    server.on('clientError', (error, socket) => this.#refuseUnparsed(error, socket))
    // Without these, node answers by itself, or not at all.
    server.on('checkExpectation', listener)
    server.on('connect', (_req, socket) => {
      // node has taken its own listeners off this socket: an error without one would end the process.
      socket.on('error', () => socket.destroy())
      endWith(socket, 'method_not_allowed', 'This server is no proxy.')
    })
    this.#server = server
    this.#onError = onError
  }

  /** Listens and resolves with the port; 0 asks for any free one. Rejects when the port cannot be had. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', this.#onError)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Takes no more requests, lets those under way have their answer, and cuts off what is not done after `grace` ms. */
  async close(grace: number): Promise<void> {
    this.#isClosing = true
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const timeUp = new AbortController()
    await Promise.race([closed, sleep(grace, undefined, { signal: timeUp.signal }).catch(() => {})])
    timeUp.abort()
    this.#server.closeAllConnections()
    await closed
  }

  /** What the parser could not make a request of. */
  #refuseUnparsed(error: Error & { code?: string }, socket: Duplex): void {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const answer = this.#answering.get(socket)
    if (answer !== undefined && !answer.writableFinished && answer.req.complete) {
      // The request before this one was fine and gets its answer; what came behind it gets none.
      answer.once('close', () => socket.destroy())
    } else if (error.code === 'HPE_HEADER_OVERFLOW') {
      endWith(socket, 'headers_too_large', `The request headers are limited to ${PATIENCE.maxHeaderBytes} bytes.`)
    } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      endWith(socket, 'request_timeout', 'The request took too long to arrive.')
    } else {
      endWith(socket, 'invalid_request', 'This is not a valid HTTP request.')
    }
  }

  #count(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '')
    if (isLoopback(address)) return
    const client = clientNetwork(address)
    const count = (this.#connections.get(client) ?? 0) + 1
    if (count > PATIENCE.maxConnectionsPerClient) {
      socket.destroy()
      return
    }
    this.#connections.set(client, count)
    socket.once('close', () => {
      const left = this.#connections.get(client)! - 1
      if (left === 0) this.#connections.delete(client)
      else this.#connections.set(client, left)
    })
  }
}

function endWith(socket: Duplex, code: ErrorCode, message: string): void {
  socket.end(rawRefusal(code, message), () => socket.destroy())
}
