import { IntentClient } from '../../client/index.ts'
import { CommandError, EXIT } from '../exit.ts'
import { absentBus } from './absent-bus.ts'
import { findKey, isOverheard, type CredentialSource } from './credentials.ts'

/** A client with the key of the user. Throws CommandError where there is none. */
export function openClient(source: CredentialSource): IntentClient {
  const { url, local, fetch, warn } = source
  const found = findKey(source)
  if (found === undefined) {
    const absent = absentBus(source)
    if (absent !== undefined) throw absent
    const why = local.isAt(url)
      ? 'where a keychain holds the main key, the app makes others in Keys.'
      : `the main key of this machine's own bus is not sent to ${url}.`
    const cure = `Set INTENT_API_KEY, put a key into ~/.apikey, or name a file with --key-file; ${why}`
    throw new CommandError(EXIT.notAllowed, 'There is no key.', cure)
  }
  if (isOverheard(source)) warn(`the key from ${found.from} goes to ${url} in clear; anybody on the way can read it.`)
  return new IntentClient({ baseUrl: url, apiKey: found.secret, fetch, numbers: 'exact', tracing: false, onWarning: warn })
}
