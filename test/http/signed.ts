import type { HttpAnswer } from '../support/http-client.ts'
import { signatureHeaders } from '../support/http-client.ts'
import { MAIN_KEY, type TestServer } from '../support/test-server.ts'

export interface SignedAsk {
  readonly method?: string
  readonly path: string
  /** What is signed as the path, where it differs from `path`. */
  readonly canonicalPath?: string
  readonly body?: string
  readonly signedBody?: string
  readonly key?: string
  readonly timestamp?: string
  readonly nonce?: string
  /** On top of the signature's own; an undefined value takes a header away. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

let count = 0

/** A signed request (SPEC 5.2): as it should be, but for what `request` says otherwise. */
export function askSigned(server: TestServer, request: SignedAsk): Promise<HttpAnswer> {
  const { path, body, key = MAIN_KEY, method = body === undefined ? 'GET' : 'POST' } = request
  const { canonicalPath = path, signedBody = body ?? '' } = request
  const { timestamp = String(Math.floor(server.clock.now())), nonce = `nonce-${++count}` } = request
  const signed = signatureHeaders(key, method, canonicalPath, signedBody, { timestamp, nonce })
  const headers = Object.entries({ ...signed, ...request.headers }).filter(([, value]) => value !== undefined)
  return server.ask({ method, path, body, headers: Object.fromEntries(headers) as Record<string, string> })
}
