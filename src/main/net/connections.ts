import type { Socket } from 'node:net'
import { clientOf, isLoopback, plainAddress } from './addresses.ts'

export interface ConnectionLimits {
  /** Of all together. */
  readonly all: number
  /** From one client other than this machine. */
  readonly perClient: number
}

interface Connection {
  readonly socket: Socket
  /** Requests that are not answered. */
  requests: number
}

/** The connections of a listener, within their limits: whoever opens many makes room for whoever has few. */
export class Connections {
  readonly #limits: ConnectionLimits
  /** By peer; of each client the one that was in use last comes last. */
  readonly #clients = new Map<string, Map<string, Connection>>()
  #count = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Takes a new connection in, or ends it. `socket`: the one below TLS. */
  admit(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '')
    const client = clientOf(address)
    const own = this.#clients.get(client) ?? new Map<string, Connection>()
    const isTooMany = own.size >= this.#limits.perClient && !isLoopback(address)
    if (isTooMany || (this.#count >= this.#limits.all && !this.#makeRoom(own.size))) {
      socket.destroy()
      return
    }
    const peer = peerOf(socket)
    this.#clients.set(client, own)
    own.set(peer, { socket, requests: 0 })
    this.#count++
    socket.once('close', () => this.#forget(client, peer, socket))
  }

  /** A request came on a connection, which is not idle until the answer is called. `socket`: that of the request. */
  begin(socket: Socket): () => void {
    const peer = peerOf(socket)
    const own = this.#clients.get(clientOf(plainAddress(socket.remoteAddress ?? '')))
    const connection = own?.get(peer)
    if (own === undefined || connection === undefined) return () => {}
    connection.requests++
    return () => {
      connection.requests--
      if (own.delete(peer)) own.set(peer, connection)
    }
  }

  /** Ends the connection that has been idle longest of who has most, for a client that has fewer; false when there is none. */
  #makeRoom(has: number): boolean {
    const clients = [...this.#clients].filter(([, { size }]) => size > has).sort(([, a], [, b]) => b.size - a.size)
    for (const [client, connections] of clients) {
      for (const [peer, { socket, requests }] of connections) {
        if (requests > 0) continue
        this.#forget(client, peer, socket)
        socket.destroy()
        return true
      }
    }
    return false
  }

  #forget(client: string, peer: string, socket: Socket): void {
    const own = this.#clients.get(client)
    if (own?.get(peer)?.socket !== socket) return
    own.delete(peer)
    this.#count--
    if (own.size === 0) this.#clients.delete(client)
  }
}

/** The same for a connection and for TLS over it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
