import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeFileAtomically } from '../files.ts'
import type { Vault } from '../host.ts'
import { keyDigest } from './key-digest.ts'
import { permittedDomains } from './permitted.ts'

/** What to do about an identity that is no good any more, and what that costs; to end a sentence with. */
export const REPLACE_IDENTITY = 'replace the identity, after which every device must pair again'

/** An identity that cannot be had. The message is a sentence for the user that says what to do. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
}

const DAY = 86_400
const ROOT_DAYS = 3_652
/** Clocks of other machines may be behind. */
export const BACKDATED_DAYS = 1
/** The name of a certificate's subject has 64 characters at most. */
const MAX_NAME_IN_ROOT = 32

const SLOT = 'sharing.keys'
/** Users copy it to other machines. */
const ROOT_MODE = 0o644

/** All of an identity in one secret, so that a crash leaves the whole of the old one or of the new one. */
const keptSchema = z.strictObject({
  /** Private keys and the root's certificate, in PEM. */
  rootKey: z.string(),
  key: z.string(),
  root: z.string(),
  /** What the root may sign for, beside private addresses. */
  domains: z.array(z.string())
})
export type KeptIdentity = Readonly<z.infer<typeof keptSchema>>

/** A certificate for the names of some moment, signed by the root. It holds no secret. */
const leafSchema = z.strictObject({
  pem: z.string(),
  names: z.array(z.string()),
  /** Unix seconds. */
  until: z.number()
})
export type Leaf = Readonly<z.infer<typeof leafSchema>>

export interface IdentityStoreOptions {
  readonly vault: Vault
  /** The file that the root's certificate is copied to, for users. */
  readonly rootPath: string
  /** The file of the last leaf: a start need not sign another. */
  readonly leafPath: string
}

export interface IdentityOwner {
  readonly busName: string
  /** What the machine is called. */
  readonly names: readonly string[]
}

/** Where an identity is kept: its keys in the vault, a copy of its root in the data directory. */
export class IdentityStore {
  readonly rootPath: string
  readonly #leafPath: string
  readonly #vault: Vault

  constructor({ vault, rootPath, leafPath }: IdentityStoreOptions) {
    this.rootPath = rootPath
    this.#leafPath = leafPath
    this.#vault = vault
  }

  /** The leaf that was signed last; undefined where there is none that can be read. */
  readLeaf(): Leaf | undefined {
    try {
      return leafSchema.parse(JSON.parse(readFileSync(this.#leafPath, 'utf8')))
    } catch {
      return undefined
    }
  }

  /** Without it the next start signs one: trouble does not matter. */
  writeLeaf(leaf: Leaf): void {
    try {
      writeFileAtomically(this.#leafPath, `${JSON.stringify(leaf)}\n`)
    } catch {
      // The disk is full or cannot be written, which others say.
    }
  }

  /**
   * The identity that is kept; undefined where none was ever made. Throws IdentityError for one that cannot be read:
   * another in its place would shut out everybody who trusts it.
   */
  async read(): Promise<KeptIdentity | undefined> {
    const text = await this.#vault.read(SLOT)
    const copy = this.#readCopy()
    if (text === undefined) {
      if (copy === undefined) return undefined
      throw new IdentityError(this.#missing())
    }
    const kept = parse(text)
    if (kept === undefined) {
      throw new IdentityError(`The key of this bus is damaged; restore it from a backup, or ${REPLACE_IDENTITY}.`)
    }
    if (copy !== kept.root) writeFileAtomically(this.rootPath, kept.root, ROOT_MODE)
    return kept
  }

  /** A new identity in place of the one that was there, if any. `now` is Unix seconds. */
  async make({ busName, names }: IdentityOwner, now: number): Promise<KeptIdentity> {
    const root = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    // Systems tell roots apart by their names.
    const mark = keyDigest(root.publicKey, 'hex').slice(0, 6)
    const name = `Intent Bus ${busName.slice(0, MAX_NAME_IN_ROOT)} root ${mark}`
    const domains = permittedDomains(names)
    const { makeRoot } = await import('./certificate.ts')
    const kept: KeptIdentity = {
      rootKey: root.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      root: await makeRoot({ name, key: root.privateKey, publicKey: root.publicKey, domains, from: now - BACKDATED_DAYS * DAY, until: now + ROOT_DAYS * DAY }),
      domains: [...domains]
    }
    await this.#vault.write(SLOT, JSON.stringify(kept))
    try {
      writeFileAtomically(this.rootPath, kept.root, ROOT_MODE)
    } catch {
      // What the vault has counts; the copy is made when it is read next.
    }
    return kept
  }

  /** There is a root, so there was a key. */
  #missing(): string {
    const where = this.#vault.where(SLOT)
    const trouble =
      this.#vault.place === 'keychain'
        ? `The key of this bus cannot be read from ${where}; unlock it and try again`
        : `The key of this bus is not in ${where}; start the app that keeps it in the keychain, or restore the file`
    return `${trouble}, or ${REPLACE_IDENTITY}.`
  }

  #readCopy(): string | undefined {
    try {
      return readFileSync(this.rootPath, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}

function parse(text: string): KeptIdentity | undefined {
  try {
    return keptSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
