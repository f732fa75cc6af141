import { createHmac, randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  /** The parsed body; undefined when it is empty or no JSON. */
  // Tests look into answers of every shape.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly json: any
}

export interface HttpAsk {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as it is when a string or bytes, else as JSON. */
  readonly body?: unknown
}

/** One request over a real socket. Nothing is added to the headers but Host and Content-Length. */
export function ask(baseUrl: string, { method = 'GET', path, headers = {}, body }: HttpAsk): Promise<HttpAnswer> {
  const { hostname, port } = new URL(baseUrl)
  const bytes = body === undefined ? undefined : toBytes(body)
  const length = bytes === undefined ? {} : { 'Content-Length': String(bytes.length) }
  return new Promise((resolve, reject) => {
    const req = httpRequest({ host: hostname.replace(/^\[|\]$/g, ''), port, method, path, headers: { ...length, ...headers } }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: res.statusCode!, headers: res.headers as Record<string, string>, text, json: parse(text) })
      })
    })
    req.on('error', reject)
    req.end(bytes)
  })
}

function toBytes(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Headers of a signed request (SPEC 5.2). `canonicalPath` is the path as the signature wants it. */
export function signatureHeaders(
  key: string,
  method: string,
  canonicalPath: string,
  body: string | Buffer,
  { timestamp = String(Math.floor(Date.now() / 1000)), nonce = randomUUID() as string } = {}
): Record<string, string> {
  const signature = createHmac('sha256', key)
    .update(`${method}\n${canonicalPath}\n${timestamp}\n${nonce}\n`)
    .update(body)
    .digest('hex')
  return { 'X-API-KEY': key, 'X-Timestamp': timestamp, 'X-Nonce': nonce, 'X-Signature': signature }
}
