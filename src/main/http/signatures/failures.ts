import { isUtf8 } from 'node:buffer'
import type { SignatureFailureView } from '../../../shared/control/network-views.ts'
import { canonicalPath, decodePath } from '../../../shared/signing.ts'
import type { Clock } from '../../bus/clock.ts'
import { isKeyId, MAIN_KEY_ID, type Key, type Keys } from '../../bus/keys.ts'
import { queryPairs, type Exchange } from '../exchange.ts'
import { diagnose, type Explanation } from './diagnosis.ts'
import { RIGHT_FRAME } from './frames.ts'
import { linesOf, show, summary, type Show } from './lines.ts'
import { Mask } from './mask.ts'
import type { SignatureRefusal } from './refusal.ts'
import { verdictOn } from './verdict.ts'

const MAX_REMEMBERED = 50
/** More failures in a second than these are not looked into, and not remembered. */
const MAX_PER_SECOND = 4

const ABSENT = '(missing)'

/**
 * Remembers the last requests whose signature did not count, with what the bus signed over and what the client must have.
 * Keys and bodies are in none of it.
 */
export class SignatureFailures {
  readonly #keys: Keys
  readonly #clock: Clock
  #failures: SignatureFailureView[] = []
  #second = 0
  #inSecond = 0

  constructor(keys: Keys, clock: Clock) {
    this.#keys = keys
    this.#clock = clock
  }

  /** Newest first. */
  list(): readonly SignatureFailureView[] {
    return this.#failures
  }

  /** A request of a known key was refused for its signature. */
  note(ctx: Exchange, key: Key, body: Buffer, refusal: SignatureRefusal): void {
    const now = this.#clock.now()
    if (!this.#admit(Math.floor(now))) return
    const { req, state } = ctx
    const path = decodePath(state.path)
    const timestamp = headerOf(ctx, 'x-timestamp')
    const nonce = headerOf(ctx, 'x-nonce')
    const canonical = canonicalPath(path, queryPairs(state))
    const secret = req.headers['x-api-key'] as string
    const mask = new Mask(secret, state.query, (name, value) => this.#isSecret(name, value))
    const shown: Show = (text) => show(mask.apply(text))
    const expected = linesOf([req.method!, canonical, timestamp || ABSENT, nonce || ABSENT, summary(body)], RIGHT_FRAME, shown)
    const signature = headerOf(ctx, 'x-signature')
    const explain = (): Explanation | undefined => {
      if (!isUtf8(body)) return undefined
      const sent = { path: state.path, query: state.query, host: req.headers.host!, canonical, decodedPath: path }
      return diagnose(secret, { ...sent, method: req.method!, timestamp, nonce, body: body.toString('utf8'), signature })
    }
    const failure: SignatureFailureView = {
      at: now,
      address: state.address,
      key: key.id,
      method: req.method!,
      path: shown(state.path),
      message: refusal.message,
      expected,
      ...verdictOn({ trouble: refusal.trouble, now, timestamp, signature, canonical, expected, shown, explain })
    }
    this.#failures = [failure, ...this.#failures].slice(0, MAX_REMEMBERED)
  }

  #admit(second: number): boolean {
    if (second !== this.#second) this.#inSecond = 0
    this.#second = second
    return ++this.#inSecond <= MAX_PER_SECOND
  }

  #isSecret(name: string, value: string): boolean {
    if (value === MAIN_KEY_ID || isKeyId(value)) return false
    return name === 'publisher' || this.#keys.identify(value) !== undefined
  }
}

function headerOf({ req }: Exchange, name: string): string {
  const value = req.headers[name]
  return typeof value === 'string' ? value : ''
}
