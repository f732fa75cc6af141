import type { SecretView } from '../../../shared/control/status-views.ts'
import { pasteableJson, readSecretWord, shellWord } from './commands.ts'

/** Addresses, keys and texts as programs of several languages have them. */

/** A key that stands in the program, or where the program reads the main key; null where no program can. */
export type KeySource = string | SecretView | null

const PLACEHOLDER = 'paste a key here'

/** A key as a word of a shell. */
export function shellKey(key: KeySource): string {
  if (typeof key === 'string') return shellWord(key)
  return readSecretWord(key) ?? shellWord(PLACEHOLDER)
}

export function pythonKey(key: KeySource): string {
  if (typeof key === 'string') return literal(key)
  if (key?.in === 'file') return `open(${literal(key.where)}).read().strip()`
  if (key?.in === 'environment') return `os.environ[${literal(key.where)}]`
  return literal(PLACEHOLDER)
}

/** Text as JSON writes it is text in Python and TypeScript, too. */
export function literal(text: string): string {
  return pasteableJson(JSON.stringify(text))
}
