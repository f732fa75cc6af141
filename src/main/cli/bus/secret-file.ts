import { readFileSync, statSync } from 'node:fs'

/** A secret, and where it was found, for sentences about it. */
export interface FoundSecret {
  readonly secret: string
  readonly from: string
}

/** The secret that a file holds; undefined where there is no such file. Throws what the system says otherwise. */
export function readSecretFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether others than its owner may read a file; always false where modes mean nothing. */
export function isOpenToOthers(path: string, platform: NodeJS.Platform = process.platform): boolean {
  return platform !== 'win32' && (statSync(path).mode & 0o077) !== 0
}
