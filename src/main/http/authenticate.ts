import { createHmac, timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '../../shared/errors.ts'
import { MAX_NONCE_LENGTH, SIGNATURE_WINDOW } from '../../shared/limits.ts'
import { canonicalHead, canonicalPath, decodePath } from '../../shared/signing.ts'
import type { Bus } from '../bus/bus.ts'
import type { Caller } from '../bus/caller.ts'
import { digestOf, type Key } from '../bus/keys.ts'
import type { Clock } from '../bus/clock.ts'
import { queryPairs, Refusal, type Exchange } from './exchange.ts'
import type { FailedLogins } from './failed-logins.ts'
import type { SignatureFailures } from './signatures/failures.ts'
import { SignatureRefusal } from './signatures/refusal.ts'

/** Digests of the secrets that let an operator in, as they are now; undefined where none is set. */
export interface OperatorSecrets {
  readonly adminToken: string | undefined
  readonly dashboardPassword: string | undefined
  readonly metricsToken: string | undefined
}

export interface AuthenticationOptions {
  readonly bus: Bus
  readonly clock: Clock
  /** Keys cannot be guessed: wrong ones take nothing from whoever types a password. */
  readonly failedKeys: FailedLogins
  readonly failedLogins: FailedLogins
  readonly secrets: OperatorSecrets
  readonly requireSignatures: () => boolean
  readonly signatureFailures: SignatureFailures
}

/** What a stranger may try to get in with as an operator. */
type Credential = 'password' | 'admin token' | 'metrics token'

/** Seconds in which operators' credentials from one address are one entry of the audit trail. */
const NOTE_INTERVAL = 3_600
const MAX_NOTED = 1_000

const CHALLENGE = ['WWW-Authenticate', 'Basic realm="IntentBus Admin"']

/** Who makes a request (SPEC 5). Wrong credentials count as failed logins; missing ones do not. */
export class Authentication {
  readonly #options: AuthenticationOptions
  /** When operators' credentials were noted last, by kind and address; the last noted comes last. */
  readonly #noted = new Map<string, number>()

  constructor(options: AuthenticationOptions) {
    this.#options = options
  }

  /** The key of a request, counted against its rate. Throws 401, also for one that has expired, and 429 `rate_limited`. */
  async key(ctx: Exchange): Promise<Key> {
    const presented = ctx.req.headers['x-api-key']
    if (typeof presented !== 'string' || presented === '') throw new ProtocolError('unauthorized', 'Missing API key.')
    const key = this.#options.bus.keys.identify(presented)
    if (key === undefined) {
      await this.#options.failedKeys.note(ctx.state.address, ctx.state.isLoopback)
      throw new ProtocolError('unauthorized', 'Invalid API key.')
    }
    ctx.state.keyId = key.id
    if (!key.isMain) ctx.state.callerName = key.owner
    this.#options.bus.admit(key, ctx.state.address)
    return key
  }

  /** Checks the signature of a request, if it has one or must have one (SPEC 5.2). Throws 403 `invalid_signature`. */
  caller(ctx: Exchange, key: Key, body: Buffer): Caller {
    try {
      return { key, address: ctx.state.address, nonce: this.#verifySignature(ctx, key, body) }
    } catch (error) {
      if (error instanceof SignatureRefusal) this.#options.signatureFailures.note(ctx, key, body, error)
      throw error
    }
  }

  /** Lets an operator in (SPEC 5.3), or throws the 401 that makes a browser ask for the password. */
  async operator(ctx: Exchange): Promise<void> {
    if (!(await this.isOperator(ctx))) throw challenge()
  }

  /** Whether a request carries an operator's credentials; wrong ones count as a failed login. */
  async isOperator(ctx: Exchange): Promise<boolean> {
    const credentials = this.#credentialsOf(ctx)
    if (credentials === undefined || !(await this.#check(ctx, ...credentials))) return false
    this.#noteUse(credentials[0], ctx.state.address)
    return true
  }

  /** Whether the credentials that let a request in would still let it in. */
  isStillOperator(ctx: Exchange): boolean {
    const [, presented, digest] = this.#credentialsOf(ctx) ?? []
    return presented !== undefined && digest !== undefined && isEqual(digestOf(presented), digest)
  }

  /** Whether this is the password of browsers; a wrong one counts as a failed login. */
  async isPassword(ctx: Exchange, password: string): Promise<boolean> {
    const { dashboardPassword } = this.#options.secrets
    return dashboardPassword !== undefined && this.#check(ctx, 'password', password, dashboardPassword)
  }

  /** Lets a reader of the metrics in (SPEC 9): by its own token, or as an operator. */
  async metricsReader(ctx: Exchange): Promise<void> {
    const { metricsToken } = this.#options.secrets
    const [, bearer] = /^Bearer +(.+)$/i.exec(ctx.req.headers.authorization ?? '') ?? []
    if (bearer !== undefined && metricsToken !== undefined) {
      if (await this.#check(ctx, 'metrics token', bearer, metricsToken)) return
      throw challenge()
    }
    await this.operator(ctx)
  }

  /** What a request presents as an operator's, and the digest that it must have. */
  #credentialsOf({ req }: Exchange): readonly [what: Credential, presented: string, digest: string] | undefined {
    const { adminToken, dashboardPassword } = this.#options.secrets
    const token = req.headers['x-admin-token']
    // The token takes precedence: when one is configured and sent, it alone decides.
    if (adminToken !== undefined && typeof token === 'string') return ['admin token', token, adminToken]
    const password = basicPassword(req.headers.authorization)
    if (password === undefined || dashboardPassword === undefined) return undefined
    return ['password', password, dashboardPassword]
  }

  /** Unlike keys, these may be chosen by people: who has guessed very often is not even listened to. */
  async #check({ state }: Exchange, what: Credential, presented: string, digest: string): Promise<boolean> {
    const { bus, failedLogins } = this.#options
    const { address, isLoopback } = state
    failedLogins.admit(address, isLoopback)
    if (isEqual(digestOf(presented), digest)) return true
    bus.audit.note({ event: 'login.failed', actor: '', address, subject: what })
    await failedLogins.note(address, isLoopback)
    return false
  }

  /** Who sends credentials with every request has no login: one entry an hour and address stands for it. */
  #noteUse(what: Credential, address: string): void {
    const { bus, clock } = this.#options
    const now = clock.now()
    const name = `${what} ${address}`
    if (now - (this.#noted.get(name) ?? -Infinity) < NOTE_INTERVAL) return
    this.#noted.delete(name)
    this.#noted.set(name, now)
    if (this.#noted.size > MAX_NOTED) this.#noted.delete(this.#noted.keys().next().value!)
    bus.audit.note({ event: 'login', actor: 'password', address, subject: what, detail: 'by credentials' })
  }

  /** The nonce of a request that is properly signed, null for one that is not signed at all. */
  #verifySignature({ req, state }: Exchange, key: Key, body: Buffer): string | null {
    const timestamp = req.headers['x-timestamp'] as string | undefined
    const nonce = req.headers['x-nonce'] as string | undefined
    const signature = req.headers['x-signature'] as string | undefined
    const isSigned = timestamp !== undefined || nonce !== undefined || signature !== undefined
    if (!isSigned && !this.#options.requireSignatures()) return null
    if (!timestamp || !nonce || !signature) {
      throw new SignatureRefusal('incomplete', 'Missing signature headers: X-Timestamp, X-Nonce and X-Signature go together.')
    }
    if (!/^\d{1,15}(\.\d{1,9})?$/.test(timestamp)) {
      throw new SignatureRefusal('timestamp', 'Invalid timestamp: it must be Unix time in seconds.')
    }
    if (Math.abs(this.#options.clock.now() - Number(timestamp)) > SIGNATURE_WINDOW) {
      throw new SignatureRefusal('stale', `Stale timestamp: it is more than ${SIGNATURE_WINDOW} seconds off this bus's clock.`)
    }
    if (this.#options.bus.mayHaveForgotten(Number(timestamp))) {
      throw new SignatureRefusal('forgotten', 'Stale timestamp: it is from before the database of this bus was restored; sign the request anew.')
    }
    if (nonce.length > MAX_NONCE_LENGTH) {
      throw new SignatureRefusal('nonce', `Invalid nonce: it is longer than ${MAX_NONCE_LENGTH} characters.`)
    }
    const path = canonicalPath(decodePath(state.path), queryPairs(state))
    // The key that was presented is the secret of its own signature (SPEC 5.2).
    const expected = createHmac('sha256', req.headers['x-api-key'] as string)
      .update(canonicalHead(req.method!, path, timestamp, nonce))
      .update(body)
      .digest('hex')
    if (!isEqual(signature, expected)) throw new SignatureRefusal('wrong', 'Bad signature')
    if (!this.#options.bus.reserveNonce(key, nonce)) throw new SignatureRefusal('replay', 'Replay detected')
    return nonce
  }
}

function challenge(): Refusal {
  return new Refusal(new ProtocolError('unauthorized', 'Authentication required.'), CHALLENGE)
}

/** The password of HTTP Basic credentials for the user `admin` (SPEC 5.3). */
function basicPassword(header: string | undefined): string | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const credentials = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = credentials.indexOf(':')
  // Another user than admin fails like a wrong password would.
  return credentials.slice(0, colon) === 'admin' ? credentials.slice(colon + 1) : ''
}

/** In constant time for texts of equal length; the lengths compared here are no secret. */
function isEqual(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
