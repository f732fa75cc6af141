import { readFileSync } from 'node:fs'

/** The version of the package that this program is part of: that of the first package.json above it. */
export function ownVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    try {
      const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { readonly version?: string }
      if (version !== undefined) return version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    if (new URL('..', folder).href === folder.href) throw new Error('There is no package.json above this program.')
  }
}
