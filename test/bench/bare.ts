import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What plain node:http can do: it reads and parses the same requests and answers with bodies of the same shape, but
 * keeps nothing. The measure for what the bus adds to that.
 */

const TOKEN = '0123456789abcdef0123456789abcdef'
let lastId = 0

function nextId(): string {
  return (++lastId).toString(16).padStart(32, '0')
}

const server = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    const url = req.url!
    const text = Buffer.concat(chunks).toString('utf8')
    const fields = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    if (url === '/intent') answer(201, { id: nextId(), status: 'published', namespace: 'default' })
    else if (url.startsWith('/claim')) {
      answer(200, {
        id: nextId(),
        namespace: 'default',
        goal: 'bench',
        payload: { message: 'hello', n: 1 },
        claim_attempts: 1,
        priority: 100,
        target_worker: null,
        required_capability: null,
        claim_token: TOKEN,
        claim_timeout: 60
      })
    } else answer(fields.claim_token === TOKEN ? 200 : 404, { ok: true, id: url.slice(9) })
  })
  const answer = (status: number, value: object): void => {
    const body = JSON.stringify(value)
    res.writeHead(status, ['Content-Type', 'application/json', 'Content-Length', String(Buffer.byteLength(body))])
    res.end(body)
  }
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ event: 'listening', url: `http://127.0.0.1:${port}` })}\n`)
})
