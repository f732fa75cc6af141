import { canonicalHead, canonicalPath, decodePath, type QueryPairs } from '../signing.ts'
import { IntentBusError } from './errors.ts'
import { randomHex } from './random.ts'

const encoder = new TextEncoder()

/** Signs requests with the API key (SPEC 5.2). */
export class Signer {
  readonly #secret: ReturnType<typeof crypto.subtle.importKey>

  /** Throws IntentBusError `insecure_context` where the platform keeps its cryptography from the page. */
  constructor(apiKey: string) {
    // The platform's types know no insecure contexts.
    const { subtle } = crypto as { subtle?: typeof crypto.subtle }
    if (subtle === undefined) {
      throw new IntentBusError(
        'Requests cannot be signed here: browsers offer crypto.subtle to secure pages only. ' +
          'Open the page by https or on localhost, or pass sign: false.',
        { code: 'insecure_context' }
      )
    }
    this.#secret = subtle.importKey('raw', encoder.encode(apiKey), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    // Who signs awaits it; until then a failure is nobody's.
    this.#secret.catch(() => {})
  }

  /** The headers of one attempt: its timestamp and nonce are its own. `path` is percent-encoded. */
  async headers(method: string, path: string, query: QueryPairs, body: string): Promise<Record<string, string>> {
    const timestamp = String(Math.floor(Date.now() / 1000))
    const nonce = randomHex(16)
    const head = canonicalHead(method, canonicalPath(decodePath(path), query), timestamp, nonce)
    const digest = await crypto.subtle.sign('HMAC', await this.#secret, encoder.encode(head + body))
    const signature = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
    return { 'X-Timestamp': timestamp, 'X-Nonce': nonce, 'X-Signature': signature }
  }
}
