import { randomBytes } from 'node:crypto'
import { ProtocolError } from '../shared/errors.ts'
import { digestOf } from './bus/keys.ts'
import type { Meta, MetaName } from './bus/meta.ts'
import { asRefusal } from './bus/store/commits.ts'
import type { Vault } from './host.ts'
import { oneAtATime } from './one-at-a-time.ts'

/** Where a secret of the bus can be read: in the environment, in its vault, or only by who knows it. */
export type SecretPlace =
  | { readonly in: 'environment'; readonly variable: string }
  | { readonly in: 'file' | 'keychain'; readonly path: string }
  | { readonly in: 'elsewhere'; readonly path: string }

export interface SecretOptions {
  readonly meta: Meta
  readonly vault: Vault
  readonly name: Extract<MetaName, `${string}_digest`>
  /** What the environment says; it counts before all else. */
  readonly given: string | undefined
  readonly variable: string
  /** What the vault calls it. */
  readonly slot: string
  readonly prefix: string
}

const SECRET_BYTES = 24

/** What the vault calls each secret whose digest is in the database. */
export const SECRET_SLOTS = { main_key_digest: 'main.key', dashboard_password_digest: 'dashboard.password' } as const

/**
 * A secret of the bus: its main key, or the password for browsers. The database holds only its digest, the vault the
 * clear text. A database that has a digest already never gets a second secret: when the vault lacks it, it is in another
 * vault or in a head.
 */
export class Secret {
  readonly #options: SecretOptions
  #digest: string
  #place: SecretPlace

  private constructor(options: SecretOptions, digest: string, place: SecretPlace) {
    this.#options = options
    this.#digest = digest
    this.#place = place
  }

  /** SHA-256 of the secret in force. */
  get digest(): string {
    return this.#digest
  }

  get place(): SecretPlace {
    return this.#place
  }

  /** Finds the secret, or makes it at the first start. */
  static async find(options: SecretOptions): Promise<Secret> {
    const { meta, vault, name, given, variable, slot } = options
    if (given !== undefined) return new Secret(options, digestOf(given), { in: 'environment', variable })
    await finishReplacement(options)
    const known = meta.get(name)
    const kept = { in: vault.place, path: vault.where(slot) } as const
    if (known !== undefined) {
      const isKept = (await readKept(options, known)) !== undefined
      return new Secret(options, known, isKept ? kept : { in: 'elsewhere', path: kept.path })
    }
    // A secret without a digest: the very first start was interrupted between the two.
    const content = await vault.read(slot)
    const secret = content ?? newSecret(options)
    if (content === undefined) await vault.write(slot, secret)
    meta.set(name, digestOf(secret))
    return new Secret(options, digestOf(secret), kept)
  }

  /** The variable of the environment that decides this secret, undefined when none does. */
  get decidedBy(): string | undefined {
    return this.place.in === 'environment' ? this.place.variable : undefined
  }

  /** The secret in clear, undefined where this bus cannot read it. */
  async reveal(): Promise<string | undefined> {
    if (this.#options.given !== undefined) return this.#options.given
    return this.place.in === 'elsewhere' ? undefined : readKept(this.#options, this.#digest)
  }

  /** Replaces the secret by a new one, which is the answer. */
  async rotate(): Promise<string> {
    const secret = newSecret(this.#options)
    await this.replace(secret)
    return secret
  }

  /**
   * Replaces the secret; a crash in between leaves the old one or the new one in force, and readable. Of two replacements
   * the later call counts. Throws 503 `storage_unavailable` where the disk does not take it: then the old one stays.
   */
  readonly replace = oneAtATime(async (secret: string): Promise<void> => {
    const { vault, slot } = this.#options
    await vault.write(nextSlot(slot), secret)
    await this.#setDigest(digestOf(secret))
    this.#place = { in: vault.place, path: vault.where(slot) }
    await finishReplacement(this.#options)
  })

  async #setDigest(digest: string): Promise<void> {
    const { meta, vault, name, slot } = this.#options
    try {
      meta.set(name, digest)
    } catch (error) {
      await vault.remove(nextSlot(slot)).catch(() => {})
      throw asRefusal(error)
    }
    this.#digest = digest
  }
}

/** Whatever counts is read from where it lies: where the disk takes nothing, the next start finishes this. */
async function finishReplacement({ meta, vault, name, slot }: SecretOptions): Promise<void> {
  const next = await vault.read(nextSlot(slot))
  if (next === undefined) return
  try {
    if (digestOf(next) === meta.get(name)) await vault.write(slot, next)
    await vault.remove(nextSlot(slot))
  } catch (error) {
    if (!(error instanceof ProtocolError && error.code === 'storage_unavailable')) throw error
  }
}

/** The secret of that digest from its place in the vault, or from where a replacement was prepared. */
async function readKept({ vault, slot }: SecretOptions, digest: string): Promise<string | undefined> {
  for (const name of [slot, nextSlot(slot)]) {
    const content = await vault.read(name)
    if (content !== undefined && digestOf(content) === digest) return content
  }
  return undefined
}

function nextSlot(slot: string): string {
  return `${slot}.next`
}

function newSecret({ prefix }: SecretOptions): string {
  return prefix + randomBytes(SECRET_BYTES).toString('base64url')
}
