import type { HttpServer, ServerCertificate } from '../net/http-server.ts'
import { isNoAddress, listenTrouble, type PortSource } from '../net/listen-error.ts'
import { MOVE_GRACE_MS } from '../net/listener.ts'

/** Listeners on one port of several addresses, which can be changed while they serve. */
export class SharedListeners {
  readonly #make: () => HttpServer
  readonly #source: PortSource
  #servers = new Map<string, HttpServer>()
  #wanted = 0
  #port = 0

  /** `source`: what decides the port. */
  constructor(make: () => HttpServer, source: PortSource) {
    this.#make = make
    this.#source = source
  }

  /** Where it listens. */
  get addresses(): readonly string[] {
    return [...this.#servers.keys()]
  }

  get port(): number {
    return this.#port
  }

  /**
   * Listens on these addresses (`port` 0: on any port that is free), and only then lets go of others. An address that is
   * not the machine's yet, or not any more, is left out. Throws ListenError; then all is as before.
   */
  async move(addresses: readonly string[], port: number): Promise<void> {
    const isSamePort = this.#servers.size > 0 && (port === this.#wanted || port === this.#port)
    const next = new Map<string, HttpServer>()
    const opened: HttpServer[] = []
    let actual = isSamePort ? this.#port : port
    for (const address of addresses) {
      const present = isSamePort ? this.#servers.get(address) : undefined
      const server = present ?? this.#make()
      try {
        if (present === undefined) actual = await server.listen(address, actual)
      } catch (error) {
        if (isNoAddress((error as NodeJS.ErrnoException).code)) continue
        await Promise.all(opened.map((other) => other.close(0)))
        throw listenTrouble(error as NodeJS.ErrnoException, address, actual, this.#source)
      }
      if (present === undefined) opened.push(server)
      next.set(address, server)
    }
    const left = [...this.#servers.values()].filter((server) => ![...next.values()].includes(server))
    this.#servers = next
    this.#wanted = port
    this.#port = next.size > 0 ? actual : 0
    for (const server of left) void server.close(MOVE_GRACE_MS)
  }

  /** Lets go of every connection, and listens again where it did. Throws ListenError. */
  async restart(): Promise<void> {
    const { addresses } = this
    const [wanted, actual] = [this.#wanted, this.#port]
    void this.close(MOVE_GRACE_MS)
    await this.move(addresses, actual)
    this.#wanted = wanted
  }

  showCertificate(certificate: ServerCertificate): void {
    for (const server of this.#servers.values()) server.showCertificate(certificate)
  }

  /** Listens nowhere any more; what is under way is answered, for at most `grace` milliseconds. */
  async close(grace: number): Promise<void> {
    const servers = [...this.#servers.values()]
    this.#servers = new Map()
    this.#port = 0
    await Promise.all(servers.map((server) => server.close(grace)))
  }
}
