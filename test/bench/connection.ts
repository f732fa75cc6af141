import { connect, type Socket } from 'node:net'

/** The answer to one request. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/**
 * A keep-alive HTTP/1.1 connection that costs as little as possible, so that a load process measures the server and not
 * itself. One request at a time; bodies by Content-Length, which both servers under test send.
 */
export class Connection {
  readonly #socket: Socket
  readonly #host: string
  #received = ''
  #waiting: PromiseWithResolvers<Answer> | undefined

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#receive(chunk))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('The server closed the connection.')))
  }

  static open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) }, () => resolve(new Connection(socket, host)))
      socket.once('error', reject)
    })
  }

  /** `headers`: lines that end in CRLF. `body` is ASCII. */
  request(method: string, path: string, headers: string, body: string): Promise<Answer> {
    this.#waiting = Promise.withResolvers()
    this.#socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`
    )
    return this.#waiting.promise
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  #receive(chunk: string): void {
    this.#received += chunk
    const head = this.#received.indexOf('\r\n\r\n')
    if (head < 0) return
    const status = Number(this.#received.slice(9, 12))
    const at = this.#received.indexOf('Content-Length: ')
    const length = at < 0 || at > head ? 0 : parseInt(this.#received.slice(at + 16, at + 24), 10)
    if (this.#received.length < head + 4 + length) return
    const body = this.#received.slice(head + 4, head + 4 + length)
    this.#received = ''
    this.#waiting?.resolve({ status, body })
  }
}
