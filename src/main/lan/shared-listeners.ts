import type { HttpServer, ServerCertificate } from '../net/http-server.ts'
import { isNoAddress, listenTrouble, type ListenError, type PortSource } from '../net/listen-error.ts'
import { MOVE_GRACE_MS } from '../net/listener.ts'

/** What came of listening, before anything was let go. */
interface Opening {
  /** By address, those included that were there before. */
  readonly servers: Map<string, HttpServer>
  readonly opened: readonly HttpServer[]
  /** The actual one. */
  readonly port: number
  /** Why an address is missing that is this machine's. */
  readonly trouble: ListenError | undefined
}

/** Listeners on one port of several addresses, which can be changed while they serve. */
export class SharedListeners {
  readonly #make: () => HttpServer
  readonly #source: PortSource
  readonly #now: () => number
  #servers = new Map<string, HttpServer>()
  #wanted = 0
  #port = 0
  #since: number | null = null

  /** `source`: what decides the port; `now`: the time, as `since` has it. */
  constructor(make: () => HttpServer, source: PortSource, now: () => number) {
    this.#make = make
    this.#source = source
    this.#now = now
  }

  /** Where it listens. */
  get addresses(): readonly string[] {
    return [...this.#servers.keys()]
  }

  get port(): number {
    return this.#port
  }

  /** Since when the first of the addresses is listened on without a break; null while none is. */
  get since(): number | null {
    return this.#since
  }

  /**
   * Listens on these addresses (`port` 0: on any port that is free), and only then lets go of others. An address that is
   * not the machine's yet, or not any more, is left out. Throws ListenError; then all is as before.
   */
  async move(addresses: readonly string[], port: number): Promise<void> {
    const opening = await this.#open(addresses, port)
    if (opening.trouble === undefined) return this.#take(opening, port)
    await Promise.all(opening.opened.map((server) => server.close(0)))
    throw opening.trouble
  }

  /** The same, but an address whose port cannot be had is left out; the answer is why, for the first of those. */
  async moveWherePossible(addresses: readonly string[], port: number): Promise<ListenError | undefined> {
    const opening = await this.#open(addresses, port)
    this.#take(opening, port)
    return opening.trouble
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
    this.#since = null
    await Promise.all(servers.map((server) => server.close(grace)))
  }

  async #open(addresses: readonly string[], port: number): Promise<Opening> {
    const isSamePort = this.#servers.size > 0 && (port === this.#wanted || port === this.#port)
    const servers = new Map<string, HttpServer>()
    const opened: HttpServer[] = []
    let actual = isSamePort ? this.#port : port
    let trouble: ListenError | undefined
    for (const address of addresses) {
      const present = isSamePort ? this.#servers.get(address) : undefined
      const server = present ?? this.#make()
      try {
        if (present === undefined) actual = await server.listen(address, actual)
      } catch (error) {
        const reason = error as NodeJS.ErrnoException
        if (!isNoAddress(reason.code)) trouble ??= listenTrouble(reason, address, actual, this.#source)
        continue
      }
      if (present === undefined) opened.push(server)
      servers.set(address, server)
    }
    return { servers, opened, port: actual, trouble }
  }

  /** `wanted`: the port that was asked for. */
  #take({ servers, port }: Opening, wanted: number): void {
    const kept = new Set(servers.values())
    const left = [...this.#servers.values()].filter((server) => !kept.has(server))
    const [first] = servers.values()
    const isSame = first !== undefined && first === this.#servers.values().next().value
    if (!isSame) this.#since = first === undefined ? null : this.#now()
    this.#servers = servers
    this.#wanted = wanted
    this.#port = servers.size > 0 ? port : 0
    for (const server of left) void server.close(MOVE_GRACE_MS)
  }
}
