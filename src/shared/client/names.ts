import { IntentBusError } from './errors.ts'

/** A path that ends with a name of the caller's. Throws IntentBusError `invalid_key` for a name that no URL can end with. */
export function pathTo(prefix: string, name: string): string {
  // URL parsers take these away, encoded or not.
  if (name !== '' && name !== '.' && name !== '..' && name.isWellFormed()) return prefix + encodeURIComponent(name)
  throw new IntentBusError(`${JSON.stringify(name)} cannot be part of an address.`, { code: 'invalid_key' })
}
