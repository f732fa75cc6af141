import { readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from './files.ts'
import type { Vault } from './host.ts'

/** Keeps each secret in a file of mode 0600 in the data directory: headless, and where there is no keychain. */
export class FileVault implements Vault {
  readonly place = 'file'
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  where(name: string): string {
    return join(this.#directory, name)
  }

  async read(name: string): Promise<string | undefined> {
    try {
      return readFileSync(this.where(name), 'utf8').trim() || undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async write(name: string, secret: string): Promise<void> {
    writeFileAtomically(this.where(name), `${secret}\n`)
  }

  async remove(name: string): Promise<void> {
    rmSync(this.where(name), { force: true })
  }
}

/** True when others than the owner may read the file; always false where modes mean nothing. */
export function isReadableByOthers(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0
}
