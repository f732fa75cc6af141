import { connect } from 'node:net'
import { expect } from 'vitest'
import type { HttpAnswer } from '../support/http-client.ts'
import { MAIN_KEY, type TestServer } from '../support/test-server.ts'

type Headers = Readonly<Record<string, string>>

/** SPEC 10, with the names in lower case as node gives them. */
export const SPEC_HEADERS = {
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-intent-version': '2.1'
}

const HOUR = 3600
export const DAY = 24 * HOUR

/** Status and code of a refusal, once its shape (SPEC 11) and headers (SPEC 10) have been checked. */
export function refusal(answer: HttpAnswer): string {
  expect(answer.headers).toMatchObject(SPEC_HEADERS)
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  expect(answer.json).toEqual({
    error: { code: expect.stringMatching(/^[a-z]+(_[a-z0-9]+)*$/), message: expect.stringMatching(/\S/) }
  })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  return `${answer.status} ${answer.json.error.code}`
}

/** A refusal with its message. */
export function refusalWithMessage(answer: HttpAnswer): string {
  return `${refusal(answer)}: ${answer.json.error.message}`
}

export interface Lease {
  readonly id: string
  readonly claim_token: string
  readonly claim_attempts: number
  readonly payload: unknown
}

/** Claims what must be there. `query` starts with a question mark. */
export async function claim(server: TestServer, query = '', key = MAIN_KEY, headers: Headers = {}): Promise<Lease> {
  const answer = await server.post(`/claim${query}`, undefined, headers, key)
  if (answer.status !== 200) throw new Error(`not claimed: ${answer.status} ${answer.text}`)
  return answer.json as Lease
}

/** The id of what a claim gets, or the status when it gets nothing. */
export async function claimed(
  server: TestServer,
  query = '',
  key = MAIN_KEY,
  headers: Headers = {}
): Promise<string | number> {
  const answer = await server.post(`/claim${query}`, undefined, headers, key)
  return answer.status === 200 ? (answer.json.id as string) : answer.status
}

/** Publishes and claims in one go. */
export async function lease(server: TestServer, fields: Readonly<Record<string, unknown>> = {}): Promise<Lease> {
  const id = await server.publish(fields)
  const taken = await claim(server)
  if (taken.id !== id) throw new Error('claimed another intent than the one that was published')
  return taken
}

export function fulfill(server: TestServer, { id, claim_token }: Lease, fields: object = {}, key = MAIN_KEY) {
  return server.post(`/fulfill/${id}`, { claim_token, ...fields }, {}, key)
}

export function fail(server: TestServer, { id, claim_token }: Lease, fields: object = {}, key = MAIN_KEY) {
  return server.post(`/fail/${id}`, { claim_token, ...fields }, {}, key)
}

export function extend(server: TestServer, { id, claim_token }: Lease, fields: object = {}, key = MAIN_KEY) {
  return server.post(`/extend_claim/${id}`, { claim_token, ...fields }, {}, key)
}

/** GET /status as the main key, which may read all. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export async function status(server: TestServer, id: string): Promise<any> {
  return (await server.get(`/status/${id}`)).json
}

/** An intent that has used up its one attempt. */
export async function deadIntent(server: TestServer, fields: object = {}, error = 'broken'): Promise<string> {
  const taken = await lease(server, { max_attempts: 1, ...fields })
  const answer = await fail(server, taken, { error })
  if (answer.status !== 200) throw new Error(`not failed: ${answer.text}`)
  return taken.id
}

/** Cleanup and purge pause between their steps, on the clock of the tests: it is turned until they answer. */
export async function whileTimePasses(server: TestServer, request: Promise<HttpAnswer>): Promise<HttpAnswer> {
  let isDone = false
  const done = request.finally(() => (isDone = true))
  while (!isDone) await server.clock.advance(1 / 64)
  return done
}

export function cleanup(server: TestServer): Promise<HttpAnswer> {
  return whileTimePasses(server, server.admin('/admin/cleanup', undefined, 'POST'))
}

export function purge(server: TestServer, body: object): Promise<HttpAnswer> {
  return whileTimePasses(server, server.admin('/admin/purge', body))
}

/** Sends bytes as they are on a connection of their own; they must ask for `Connection: close` or be refused. */
export function sendRaw(baseUrl: string, bytes: string | Buffer): Promise<HttpAnswer> {
  const { hostname, port } = new URL(baseUrl)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(parseAnswer(Buffer.concat(chunks).toString('utf8'))))
  })
}

/** `text` is all that follows the first head. */
function parseAnswer(answer: string): HttpAnswer {
  const end = answer.indexOf('\r\n\r\n')
  const [first = '', ...lines] = answer.slice(0, end).split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const text = answer.slice(end + 4)
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(headers), text, json: parseJson(text) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The headers by which a page shows the session that it was given by a login or a pairing. */
export function sessionHeaders({ headers, json }: HttpAnswer): { Cookie: string; 'X-Intent-Session': string } {
  return { Cookie: String(headers['set-cookie']).split(';')[0]!, 'X-Intent-Session': (json.value ?? json).session }
}
