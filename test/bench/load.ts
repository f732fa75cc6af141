import { createHmac, randomBytes } from 'node:crypto'
import { Connection, type Answer } from './connection.ts'

/** What a load process is to do, as JSON in its first argument. */
export interface LoadOptions {
  readonly url: string
  readonly key: string
  readonly connections: number
  readonly seconds: number
  readonly signed: boolean
  /** Lifecycles a second over all connections; absent, each connection starts the next one at once. */
  readonly rate?: number
}

/** Latencies in milliseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
}

export interface LoadResult {
  readonly lifecycles: number
  readonly perSecond: number
  readonly operations: Readonly<Record<string, Latency>>
  readonly all: Latency
}

const PAYLOAD = '{"message":"hello","n":12345678901234567890}'

export function percentiles(samples: readonly number[]): Latency {
  const sorted = Float64Array.from(samples).sort()
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN
  return { p50: at(0.5), p99: at(0.99) }
}

async function run({ url, key, connections, seconds, signed, rate }: LoadOptions): Promise<LoadResult> {
  const samples: Record<string, number[]> = { publish: [], claim: [], fulfill: [] }
  const nonceBase = randomBytes(8).toString('hex')
  let nonces = 0
  let lifecycles = 0

  const headersFor = (method: string, path: string, body: string): string => {
    const common = `X-API-KEY: ${key}\r\nContent-Type: application/json\r\n`
    if (!signed) return common
    const timestamp = String(Math.floor(Date.now() / 1000))
    const nonce = nonceBase + nonces++
    const canonical = `${method}\n${path}\n${timestamp}\n${nonce}\n${body}`
    const signature = createHmac('sha256', key).update(canonical).digest('hex')
    return `${common}X-Timestamp: ${timestamp}\r\nX-Nonce: ${nonce}\r\nX-Signature: ${signature}\r\n`
  }

  const timed = async (
    name: string,
    expected: number,
    connection: Connection,
    path: string,
    body: string
  ): Promise<Answer> => {
    const started = performance.now()
    const answer = await connection.request('POST', path, headersFor('POST', path, body), body)
    samples[name]!.push(performance.now() - started)
    if (answer.status === expected) return answer
    throw new Error(`${name} was answered with ${answer.status}: ${answer.body}`)
  }

  const until = performance.now() + seconds * 1000
  const between = rate === undefined ? 0 : (1000 * connections) / rate
  const work = async (index: number): Promise<void> => {
    const connection = await Connection.open(url)
    // Each connection is a worker with a goal of its own, so that no claim finds the queue empty.
    const goal = `bench-${index}`
    const publishBody = `{"goal":"${goal}","payload":${PAYLOAD}}`
    let next = performance.now() + (between * index) / connections
    while (performance.now() < until) {
      if (between > 0) {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
        next += between
      }
      await timed('publish', 201, connection, '/intent', publishBody)
      const claimed = await timed('claim', 200, connection, `/claim?goal=${goal}`, '')
      const id = claimed.body.slice(7, 39)
      const at = claimed.body.indexOf('"claim_token":"') + 15
      const token = claimed.body.slice(at, at + 32)
      await timed('fulfill', 200, connection, `/fulfill/${id}`, `{"claim_token":"${token}","result":{"ok":true}}`)
      lifecycles++
    }
    connection.close()
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: connections }, (_, i) => work(i)))
  const took = (performance.now() - started) / 1000
  const operations = Object.fromEntries(Object.entries(samples).map(([name, list]) => [name, percentiles(list)]))
  return { lifecycles, perSecond: lifecycles / took, operations, all: percentiles(Object.values(samples).flat()) }
}

if (import.meta.main) {
  const result = await run(JSON.parse(process.argv[2]!) as LoadOptions)
  process.stdout.write(JSON.stringify(result))
}
