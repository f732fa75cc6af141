import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { IntentBusAuthError } from '../../shared/client/index.ts'

/** Where clients of this bus, in any language, look for a key of their user. */
const HOME_KEY_FILE = '.apikey'

/**
 * The key in a file, without the line end behind it. `path`: default `~/.apikey`, which may be missing; then the answer is
 * undefined. Warns when others may read it. Throws IntentBusAuthError for a given file that cannot be read, and for an
 * empty one.
 */
export function readKeyFile(path: string | undefined, onWarning: (message: string) => void): string | undefined {
  const file = path ?? join(homedir(), HOME_KEY_FILE)
  let key: string
  try {
    key = readFileSync(file, 'utf8').trim()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (path === undefined && code === 'ENOENT') return undefined
    throw new IntentBusAuthError(`The key file ${file} cannot be read: ${message}.`, {
      code: 'unreadable_key_file',
      cause: error
    })
  }
  if (key === '') throw new IntentBusAuthError(`The key file ${file} is empty.`, { code: 'missing_key' })
  if (isReadableByOthers(file)) onWarning(`${file} can be read by others on this machine: chmod 600 ${file}`)
  return key
}

/** False where modes mean nothing. */
function isReadableByOthers(file: string): boolean {
  return process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0
}
