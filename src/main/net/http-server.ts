import { constants } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorCode } from '../../shared/errors.ts'
import { plainAddress } from './addresses.ts'
import { Connections } from './connections.ts'
import { HandshakeLimit } from './handshake-limit.ts'
import { rawRefusal } from './raw-refusal.ts'

/** Limits of patience, in milliseconds and bytes: slow or many clients cannot hold the bus. */
export const PATIENCE = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  handshakeTimeout: 10_000,
  /** Between two requests on one connection; workers poll more often than that. */
  keepAliveTimeout: 65_000,
  /** Without a byte either way: a client that does not read its answer, or nothing to say for that long. */
  idleTimeout: 120_000,
  checkInterval: 2_000,
  maxHeaderBytes: 16_384,
  maxConnections: 4_096,
  /** From one client other than this machine: see `clientOf`. */
  maxConnectionsPerClient: 512
} as const

const HTTP_OPTIONS: ServerOptions = {
  headersTimeout: PATIENCE.headersTimeout,
  requestTimeout: PATIENCE.requestTimeout,
  keepAliveTimeout: PATIENCE.keepAliveTimeout,
  connectionsCheckingInterval: PATIENCE.checkInterval,
  maxHeaderSize: PATIENCE.maxHeaderBytes,
  noDelay: true,
  // A missing Host is refused like a wrong one, in the protocol's own shape.
  requireHostHeader: false
}

const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  handshakeTimeout: PATIENCE.handshakeTimeout,
  // A handshake that is let in is one, not as many as its client likes.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION
} as const

export type RequestListener = (req: IncomingMessage, res: ServerResponse) => void

/** What a server shows to those who come over TLS, in PEM. */
export interface ServerCertificate {
  readonly key: string
  /** The leaf, and behind it what signed it. */
  readonly cert: string
}

/** What a request presented: an API key, an operator's password or token, or nothing. */
export type Credentials = 'key' | 'password' | 'none'

/** A request that was answered. */
export interface Visit {
  readonly address: string
  readonly agent: string | undefined
  /** Public id of the key, where it is known. */
  readonly keyId: string | undefined
  /** What the key's owner or the paired browser is called, where it is known. */
  readonly name: string | undefined
  readonly credentials: Credentials
  /** Why it did not get what it asked for; undefined where it did. */
  readonly refused: VisitRefusal | undefined
}

/** Why a request was refused. */
export interface VisitRefusal {
  /** The protocol's, or one of the control contract's own. */
  readonly code: string
  /** What is wrong with its signature. */
  readonly trouble?: string
  /** The member of the input that is at fault. */
  readonly field?: string
}

/** Is told who comes to a server from other machines, and how it went for them. */
export interface Visitors {
  answered(visit: Visit): void
  /** Somebody left over TLS without a request; `code` is node's for what went wrong, where something did. */
  left(address: string, code: string | undefined): void
}

export interface HttpServerOptions {
  /** Hears of connections that could not be accepted; the server goes on. */
  readonly onError?: (error: Error) => void
  /** Has the server speak HTTPS. */
  readonly certificate?: ServerCertificate
  readonly visitors?: Visitors
  /** It is there for the machines of the network: no proxy of the user's stands before it. */
  readonly isShared?: boolean
  /** Counts handshakes of TLS; default: one of its own. */
  readonly handshakes?: HandshakeLimit
}

/** The server that each connection came to. */
const servers = new WeakMap<Duplex, HttpServer>()

/** Whether a request is the last on its connection, because its server takes no more. */
export function isLeaving({ socket }: IncomingMessage): boolean {
  return servers.get(socket)?.isClosing === true
}

/** Whether a request came to a listener for the machines of the network. */
export function isShared({ socket }: IncomingMessage): boolean {
  return servers.get(socket)?.isShared === true
}

/** Who is told of a request; undefined where nobody is. */
export function visitorsOf({ socket }: IncomingMessage): Visitors | undefined {
  return servers.get(socket)?.visitors
}

/** One listener of the bus, for HTTP or HTTPS. */
export class HttpServer {
  readonly isShared: boolean
  readonly #server: Server | SecureServer
  readonly #connections = new Connections({ all: PATIENCE.maxConnections, perClient: PATIENCE.maxConnectionsPerClient })
  /** The newest answer that is under way on a connection. */
  readonly #answering = new WeakMap<Duplex, ServerResponse>()
  readonly #handshakes: HandshakeLimit
  /** Connections below TLS: the server knows none of those that did not finish their handshake. */
  readonly #beforeTls = new Set<Socket>()
  /** node's codes for what came by a connection in place of a request. */
  readonly #unparsed = new WeakMap<Duplex, string | undefined>()
  /** Connections that the bus itself has ended: who came by them has not left. */
  readonly #turnedAway = new WeakSet<Duplex>()
  readonly #onError: (error: Error) => void
  readonly #visitors: Visitors | undefined
  #isClosing = false

  constructor(listener: RequestListener, { onError = () => {}, certificate, visitors, isShared = false, handshakes = new HandshakeLimit() }: HttpServerOptions = {}) {
    const answer: RequestListener = (req, res) => {
      this.#answering.set(req.socket, res)
      res.once('close', this.#connections.begin(req.socket))
      listener(req, res)
    }
    const server =
      certificate === undefined
        ? createServer(HTTP_OPTIONS, answer)
        : createSecureServer({ ...HTTP_OPTIONS, ...TLS_OPTIONS, ...certificate }, answer)
    server.setTimeout(PATIENCE.idleTimeout)
    server.on('connection', (socket: Socket) => this.#connections.admit(socket))
    if (certificate === undefined) {
      server.on('connection', (socket: Socket) => void servers.set(socket, this))
    } else {
      server.on('connection', (socket: Socket) => this.#holdBeforeTls(socket))
      server.on('secureConnection', (socket: Socket) => this.#welcome(socket))
    }
    server.on('clientError', (error, socket) => this.#refuseUnparsed(error, socket))
    // Without these, node answers by itself, or not at all.
    server.on('checkExpectation', answer)
    server.on('connect', (_req, socket) => {
      // node has taken its own listeners off this socket: an error without one would end the process.
      socket.on('error', () => socket.destroy())
      endWith(socket, 'method_not_allowed', 'This server is no proxy.')
    })
    this.#handshakes = handshakes
    this.#visitors = visitors
    this.isShared = isShared
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

  /** undefined once it is let go: what it still answers, and whom it cuts off, says nothing of the way to the bus. */
  get visitors(): Visitors | undefined {
    return this.#isClosing ? undefined : this.#visitors
  }

  /** Shows another certificate to who comes from now on. Connections that are there stay. */
  showCertificate({ key, cert }: ServerCertificate): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext({ ...TLS_OPTIONS, key, cert })
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
    for (const socket of this.#beforeTls) socket.destroy()
    await closed
  }

  /** A connection that will begin its handshake, unless its client has begun too many. */
  #holdBeforeTls(socket: Socket): void {
    const [remoteAddress, localAddress] = [socket.remoteAddress, socket.localAddress].map((address) => plainAddress(address ?? '')) as [string, string]
    if (!this.#handshakes.admit({ remoteAddress, localAddress })) {
      this.#turnedAway.add(socket)
      socket.destroy()
      return
    }
    this.#beforeTls.add(socket)
    socket.once('close', () => this.#beforeTls.delete(socket))
  }

  /** A connection whose handshake is done. */
  #welcome(socket: Socket): void {
    servers.set(socket, this)
    if (this.#visitors === undefined) return
    const address = plainAddress(socket.remoteAddress ?? '')
    socket.once('close', () => {
      if (!this.#answering.has(socket)) this.visitors?.left(address, this.#unparsed.get(socket))
    })
  }

  /** What the parser could not make a request of, and what never got so far. */
  #refuseUnparsed(error: Error & { code?: string }, socket: Duplex): void {
    if (!servers.has(socket)) {
      if (!this.#turnedAway.has(below(socket))) this.visitors?.left(peerOf(socket), error.code)
      socket.destroy()
      return
    }
    this.#unparsed.set(socket, error.code)
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
}

/** The socket below TLS. */
function below(socket: Duplex & { _parent?: Socket }): Duplex {
  return socket._parent ?? socket
}

/** node forgets the peer of a handshake that came to nothing, but for the socket below it. */
function peerOf(socket: Duplex & { remoteAddress?: string; _parent?: Socket }): string {
  return plainAddress(socket.remoteAddress ?? socket._parent?.remoteAddress ?? '')
}

function endWith(socket: Duplex, code: ErrorCode, message: string): void {
  socket.end(rawRefusal(code, message), () => socket.destroy())
}
