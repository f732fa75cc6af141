import { createServer, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to a request on its way. */
export type Fault =
  | 'pass'
  /** The connection breaks before the bus sees it. */
  | 'drop'
  /** The bus carries it out, and the answer gets lost. */
  | 'lose'
  /** Nobody ever answers. */
  | 'hang'
  /** The bus is of before requests could be held. */
  | 'old'
  /** Something in between answers. */
  | { readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body?: string }
  /** It arrives late. */
  | { readonly delay: number }

/** A plan that drops every fulfil with the claim token of the first, so that the intent comes again. */
export function losingFirstFulfil(): Plan {
  let first: string | undefined
  return ({ path, body }) => {
    if (!path.startsWith('/fulfill')) return 'pass'
    first ??= body
    return body === first ? 'drop' : 'pass'
  }
}

export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** Seconds, monotonic. */
  readonly at: number
}

/** What decides: the request, and how many to the same endpoint came before it. */
export type Plan = (seen: Seen, count: number) => Fault

/** A network between a client and a bus that fails as a test wants it to. */
export class FaultyProxy implements AsyncDisposable {
  readonly seen: Seen[] = []
  plan: Plan
  readonly #target: URL
  readonly #server = createServer((req, res) => void this.#handle(req, res))

  private constructor(target: string, plan: Plan) {
    this.#target = new URL(target)
    this.plan = plan
  }

  static async start(target: string, plan: Plan = () => 'pass'): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, plan)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What was sent to one endpoint, as `/claim`. */
  to(endpoint: string): Seen[] {
    return this.seen.filter(({ path }) => endpointOf(path) === endpoint)
  }

  /** Breaks whatever is under way. */
  breakConnections(): void {
    this.#server.closeAllConnections()
  }

  async #handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    req.on('error', () => {})
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const url = new URL(req.url!, this.#target)
    const seen: Seen = {
      method: req.method!,
      path: url.pathname,
      query: url.searchParams,
      headers: req.headers,
      body: body.toString('utf8'),
      at: performance.now() / 1000
    }
    const fault = this.plan(seen, this.to(endpointOf(seen.path)).length)
    this.seen.push(seen)
    if (fault === 'hang') return
    if (fault === 'drop') {
      res.destroy()
      return
    }
    if (typeof fault === 'object' && 'status' in fault) {
      res.writeHead(fault.status, fault.headers).end(fault.body)
      return
    }
    if (typeof fault === 'object') await new Promise((resolve) => setTimeout(resolve, fault.delay * 1000))
    if (fault === 'old') url.searchParams.delete('wait')
    this.#forward(req, url, body, res, fault)
  }

  #forward(req: IncomingMessage, url: URL, body: Buffer, res: ServerResponse, fault: Fault): void {
    const outgoing = httpRequest(url, { method: req.method!, headers: req.headers }, (answer) => {
      if (fault === 'lose') {
        answer.resume().on('end', () => res.destroy())
        return
      }
      const headers = { ...answer.headers }
      if (fault === 'old') delete headers['x-intent-wait']
      res.writeHead(answer.statusCode!, headers)
      answer.pipe(res)
    })
    outgoing.on('error', () => res.destroy())
    // Who waits may go away.
    res.on('close', () => outgoing.destroy())
    outgoing.end(body)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function endpointOf(path: string): string {
  return `/${path.split('/')[1]}`
}
