import { createPrivateKey, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto'
import type { IdentityView } from '../../shared/control/network-views.ts'
import type { Clock } from '../bus/clock.ts'
import type { ServerCertificate } from '../net/http-server.ts'
import { BACKDATED_DAYS, IdentityError, IdentityStore, REPLACE_IDENTITY, type IdentityOwner, type KeptIdentity, type Leaf } from './identity-store.ts'
import { keyDigest } from './key-digest.ts'
import { isPermitted } from './permitted.ts'
import { utcDay } from './utc.ts'

const DAY = 86_400
/** Short, for no client looks whether one was withdrawn; at a third left a new one is signed, with the same key. */
const LEAF_DAYS = 90
const RENEWED_BEFORE_DAYS = 30
/** From so many days before its end users are told to replace a root. */
export const ROOT_WARNING_DAYS = 30

/**
 * By what other machines know this bus: a root of its own, and a leaf that the root signs for the names and addresses of
 * the moment. The leaf's key stays, so neither trust in the root nor a pin of the key is lost when the leaf changes.
 */
export class Identity {
  /** `sha256//` and the SHA-256 of the leaf's public key in base64. */
  readonly pin: string
  /** SHA-256 of the root's certificate, as systems show it. */
  readonly fingerprint: string
  readonly rootPem: string
  readonly rootPath: string
  /** Unix seconds. */
  readonly rootExpiresAt: number
  readonly #store: IdentityStore
  readonly #kept: KeptIdentity
  readonly #clock: Clock
  readonly #publicKey: KeyObject
  readonly #rootKey: KeyObject
  #leaf: Leaf | undefined

  /** Throws when the keys do not fit together. */
  private constructor(kept: KeptIdentity, store: IdentityStore, clock: Clock) {
    const root = new X509Certificate(kept.root)
    this.#rootKey = createPrivateKey(kept.rootKey)
    if (!root.checkPrivateKey(this.#rootKey)) throw new IdentityError(`The root of this bus does not fit its key; ${REPLACE_IDENTITY}.`)
    this.#store = store
    this.#kept = kept
    this.#clock = clock
    this.#publicKey = createPublicKey(kept.key)
    this.rootExpiresAt = root.validToDate.getTime() / 1000
    this.pin = `sha256//${keyDigest(this.#publicKey, 'base64')}`
    this.fingerprint = root.fingerprint256
    this.rootPem = kept.root
    this.rootPath = store.rootPath
    const leaf = store.readLeaf()
    if (leaf !== undefined && isSignedFor(leaf, root, this.#publicKey)) this.#leaf = leaf
  }

  /** The identity that is kept; undefined where sharing was never on. Throws IdentityError with a sentence. */
  static async find(store: IdentityStore, clock: Clock): Promise<Identity | undefined> {
    const kept = await store.read()
    return kept && new Identity(kept, store, clock)
  }

  /** A new one, in place of the one that was kept. */
  static async make(store: IdentityStore, owner: IdentityOwner, clock: Clock): Promise<Identity> {
    return new Identity(await store.make(owner, clock.now()), store, clock)
  }

  /**
   * Sees to it that the leaf is good for those of these names that the root permits: a machine may have been renamed, and
   * a public address is never permitted. Whether a new leaf was signed is the answer.
   */
  async certify(names: readonly string[]): Promise<boolean> {
    const now = this.#clock.now()
    const permitted = names.filter((name) => isPermitted(name, this.#kept.domains))
    if (this.#leaf !== undefined && this.#isInTime(this.#leaf, now) && isSame(this.#leaf.names, permitted)) return false
    const until = Math.min(now + LEAF_DAYS * DAY, this.rootExpiresAt)
    const { makeLeaf } = await import('./certificate.ts')
    const pem = await makeLeaf({
      name: 'Intent Bus',
      publicKey: this.#publicKey,
      names: permitted,
      root: this.rootPem,
      rootKey: this.#rootKey,
      // Behind the end of its root it is for those who look at the pin only, and still has to end after it began.
      from: Math.min(now, until) - BACKDATED_DAYS * DAY,
      until
    })
    this.#leaf = { pem, names: permitted, until }
    this.#store.writeLeaf(this.#leaf)
    return true
  }

  /** Names and addresses that the leaf is good for. */
  get names(): readonly string[] {
    return this.#leaf?.names ?? []
  }

  /** What a server shows. Throws before the first `certify`. */
  get certificate(): ServerCertificate {
    if (this.#leaf === undefined) throw new Error('Nothing was certified yet.')
    return { key: this.#kept.key, cert: this.#leaf.pem + this.rootPem }
  }

  get view(): IdentityView {
    return {
      pin: this.pin,
      fingerprint: this.fingerprint,
      certificateFingerprint: this.#leaf === undefined ? null : new X509Certificate(this.#leaf.pem).fingerprint256,
      rootPem: this.rootPem,
      rootPath: this.rootPath,
      rootExpiresAt: this.rootExpiresAt,
      certificateExpiresAt: this.#leaf?.until ?? this.rootExpiresAt,
      names: this.names
    }
  }

  /** Whether a leaf has begun, also where the clock was set back, and does not end soon, or only with the root. */
  #isInTime({ until }: Leaf, now: number): boolean {
    const left = until - now
    const isLasting = left > RENEWED_BEFORE_DAYS * DAY || until >= this.rootExpiresAt
    return isLasting && left <= (LEAF_DAYS + BACKDATED_DAYS) * DAY
  }
}

/** What is wrong with a root that ends soon or has ended, and what to do. Unix seconds; null while there is time. */
export function rootTrouble(expiresAt: number, now: number): { readonly text: string; readonly next: string } | null {
  if (expiresAt - now >= ROOT_WARNING_DAYS * DAY) return null
  const next = `Under Network, Certificate, ${REPLACE_IDENTITY}.`
  const day = utcDay(expiresAt)
  if (now < expiresAt) return { text: `The root certificate of this bus ends on ${day}; from then on whoever trusts it refuses this bus.`, next }
  return { text: `The root certificate of this bus ended on ${day}: whoever trusts it refuses this bus, and only who knows the pin gets in.`, next }
}

/** Whether a leaf that was kept is of this root and this key. */
function isSignedFor({ pem }: Leaf, root: X509Certificate, key: KeyObject): boolean {
  try {
    const leaf = new X509Certificate(pem)
    return leaf.checkIssued(root) && leaf.verify(root.publicKey) && leaf.publicKey.equals(key)
  } catch {
    return false
  }
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i])
}
