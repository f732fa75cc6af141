import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Answer = (req: IncomingMessage, res: ServerResponse) => void

/** Something that answers at an address of this machine, as it is told or as one that knows nobody, and remembers what it was sent. */
export class Stranger implements AsyncDisposable {
  readonly #server: Server
  readonly #requests: string[] = []

  private constructor(answer: Answer) {
    this.#server = createServer((req, res) => {
      this.#requests.push(JSON.stringify([req.url, req.rawHeaders]))
      answer(req, res)
    })
  }

  static async listen(answer: Answer = (_req, res) => void res.writeHead(401).end('{}'), host = '127.0.0.1', port = 0): Promise<Stranger> {
    const stranger = new Stranger(answer)
    await new Promise<void>((resolve) => stranger.#server.listen(port, host, resolve))
    return stranger
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return `http://${address}:${port}`
  }

  /** Paths and headers of all requests. */
  get seen(): string {
    return this.#requests.join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
