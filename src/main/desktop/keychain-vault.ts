import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FileVault } from '../file-vault.ts'
import { writeFileAtomically } from '../files.ts'
import type { Vault } from '../host.ts'
import type { HostServices } from './bus-messages.ts'

export interface KeychainVaultOptions {
  readonly directory: string
  /** What users call the keychain. */
  readonly keychain: string
  readonly sealer: Pick<HostServices, 'seal' | 'unseal'>
  /** Hears of a secret that the keychain does not open, or that could not be taken over from a file. */
  readonly onTrouble: (name: string, error: unknown) => void
}

/**
 * Keeps secrets sealed by the system's keychain, each in `<name>.sealed` of the data directory. A secret that a headless
 * bus left there in clear is newer than a sealed one and taken over.
 */
export class KeychainVault implements Vault {
  readonly place = 'keychain'
  readonly #options: KeychainVaultOptions
  readonly #files: FileVault

  constructor(options: KeychainVaultOptions) {
    this.#options = options
    this.#files = new FileVault(options.directory)
  }

  where(): string {
    return this.#options.keychain
  }

  async read(name: string): Promise<string | undefined> {
    const plain = await this.#files.read(name)
    if (plain === undefined) return this.#readSealed(name)
    await this.#takeOver(name, plain)
    return plain
  }

  async write(name: string, secret: string): Promise<void> {
    await this.#seal(name, secret)
    await this.#files.remove(name)
  }

  async remove(name: string): Promise<void> {
    rmSync(this.#path(name), { force: true })
    await this.#files.remove(name)
  }

  /** The clear text goes only when the sealed one was read back: a keychain that forgets must not cost the secret. */
  async #takeOver(name: string, plain: string): Promise<void> {
    try {
      await this.#seal(name, plain)
      if ((await this.#readSealed(name)) === plain) await this.#files.remove(name)
    } catch (error) {
      this.#options.onTrouble(name, error)
    }
  }

  async #seal(name: string, secret: string): Promise<void> {
    writeFileAtomically(this.#path(name), `${await this.#options.sealer.seal(secret)}\n`)
  }

  /** What the keychain does not open is as good as not there: the bus runs on with the digest that it has. */
  async #readSealed(name: string): Promise<string | undefined> {
    const sealed = this.#readFile(name)
    if (sealed === undefined) return undefined
    try {
      const { text, isStale } = await this.#options.sealer.unseal(sealed)
      if (isStale) await this.#seal(name, text)
      return text
    } catch (error) {
      this.#options.onTrouble(name, error)
      return undefined
    }
  }

  #readFile(name: string): string | undefined {
    try {
      return readFileSync(this.#path(name), 'utf8').trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  #path(name: string): string {
    return join(this.#options.directory, `${name}.sealed`)
  }
}
