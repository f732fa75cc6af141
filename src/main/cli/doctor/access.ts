import { IntentBusError, IntentClient, type ClientOptions } from '../../client/index.ts'
import { limitsText } from '../../../shared/control/limits-text.ts'
import { ControlError } from '../../../shared/control/transport.ts'
import type { BusStatus } from '../../../shared/control/status-views.ts'
import { findKey, findOperatorSecret, findOperatorSecretOrKey, knownLimits, mayOperate, type CredentialSource, type OperatorSecret } from '../bus/credentials.ts'
import { isLoopbackUrl } from '../bus/local-bus.ts'
import { Operator } from '../bus/operator.ts'
import type { FoundSecret } from '../bus/secret-file.ts'
import { CommandError, EXIT } from '../exit.ts'
import { exactTime } from '../terminal/time.ts'
import { fine, skipped, trouble, warning, type Check } from './check.ts'

/** No intent has this id: asking for it shows whether one may ask. */
const NO_INTENT = '0'.repeat(32)
/** Seconds. */
const PATIENCE = 5
/** What a client may want to do. */
const CLIENT_ROLES = ['publish', 'claim', 'read'] as const

/** Whether the bus takes the key, and what it signs. */
export async function* checkKey(source: CredentialSource, signal: AbortSignal): AsyncGenerator<Check> {
  const found = findOrTell('key', () => findKey(source))
  if (found === undefined) {
    const cure = 'Make one in Keys, and set INTENT_API_KEY, or put it into ~/.apikey, or name a file with --key-file.'
    yield trouble('key', EXIT.notAllowed, 'There is no key for this bus.', cure)
    return
  }
  if ('outcome' in found) {
    yield found
    return
  }
  const key = await checkBareKey(found, source, signal)
  yield key
  yield* checkLimits(source)
  if (key.outcome === 'trouble') yield skipped('signature', 'Without a key that counts there is none to look at.')
  else yield checkSignature(found, source, signal)
}

async function checkBareKey({ secret, from }: FoundSecret, { url, fetch }: CredentialSource, signal: AbortSignal): Promise<Check> {
  const { status, code, message } = await ask({ baseUrl: url, fetch, apiKey: secret, sign: false }, signal)
  if (status === 401) {
    const cure = 'It was revoked or rotated, or is that of another bus: make a new one in Keys.'
    return trouble('key', EXIT.notAllowed, `The bus does not know the key from ${from}.`, cure)
  }
  // A bus that insists on signatures refuses, but only after it has found the key; one that limits it, after both.
  if (status !== 404 && status !== 429 && code !== 'invalid_signature' && code !== 'forbidden') {
    return trouble('key', EXIT.refused, `The key from ${from} could not be tried: ${message}`, 'The log of the bus says more.')
  }
  const text = `The bus takes the key from ${from}`
  if (url.startsWith('https:') || isLoopbackUrl(url)) return fine('key', `${text}.`)
  return warning('key', `${text}, which travels there in clear.`, 'Put a proxy with TLS in front of the bus, and use https.')
}

/** What the key may do, where this machine was told so. */
function checkLimits(source: CredentialSource): Check[] {
  const limits = knownLimits(source)
  if (limits === undefined) return []
  const missing = CLIENT_ROLES.filter((role) => limits.scope?.roles?.includes(role) === false)
  const kept = missing.length === 0 ? '' : ` It may not ${missing.join(', ')}: the interface of the bus changes that, under Keys, Limits.`
  return [fine('limits', `When this machine was paired, its key was given: ${limitsText(limits, { time: exactTime })}.${kept}`)]
}

async function checkSignature({ secret }: FoundSecret, { url, fetch }: CredentialSource, signal: AbortSignal): Promise<Check> {
  const { status, code, message } = await ask({ baseUrl: url, fetch, apiKey: secret }, signal)
  if (status === 404 || code === 'forbidden') return fine('signature', 'The bus takes the signature of a request.')
  if (status === 429) return skipped('signature', `The key has used up its requests of this minute. ${message}`)
  const exitCode = code === 'invalid_signature' ? EXIT.notAllowed : EXIT.refused
  const cure = message.includes('timestamp')
    ? "Set this machine's clock, or that of the bus."
    : 'Something on the way changes requests: a proxy must leave path, query and body as they are.'
  return trouble('signature', exitCode, `The bus refuses the signature of a request: ${message}`, cure)
}

/** The refusal that a client gets which asks for an intent that is not there. */
async function ask(options: ClientOptions, signal: AbortSignal): Promise<IntentBusError> {
  try {
    await new IntentClient({ ...options, timeout: PATIENCE, tracing: false }).getStatus(NO_INTENT, { signal })
  } catch (error) {
    if (error instanceof IntentBusError) return error
    throw error
  }
  throw new Error('The bus knows an intent whose id is all zeros.')
}

/** Whether the bus lets this user in as an operator; and if so, how it says that its database and its disk are. */
export async function* checkOperator(source: CredentialSource, signal: AbortSignal): AsyncGenerator<Check> {
  const found = findOrTell('password', () => (mayOperate(source) ? findOperatorSecretOrKey : findOperatorSecret)(source))
  if (found === undefined || 'outcome' in found) {
    yield found ?? withoutPassword(source)
    return
  }
  const status = await tryStatus(found, source, signal)
  if ('outcome' in status) {
    yield status
    return
  }
  yield fine('password', `The bus takes the ${found.kind} from ${found.from}.`)
  yield* checkStorage(status)
}

function withoutPassword({ paired }: CredentialSource): Check {
  if (paired !== undefined) {
    const text = 'None is needed: this machine is paired, and has a key of its own. list, retry, cancel, keys and top are for operators.'
    return skipped('password', text)
  }
  const cure = 'Set INTENT_BUS_PASSWORD, or name a file with --password-file; the app shows the password in Settings.'
  return warning('password', 'There is no password for operators: list, retry, cancel, keys and top need it.', cure)
}

/** How the bus is, or why it does not tell. */
async function tryStatus(found: OperatorSecret, source: CredentialSource, signal: AbortSignal): Promise<BusStatus | Check> {
  try {
    return await new Operator(source, found, signal, PATIENCE).call('status.get', {})
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    if (error.code === 'unreachable') {
      const text = `The ${found.kind} from ${found.from} could not be tried: ${error.message}.`
      return trouble('password', EXIT.unreachable, text, 'See whether the bus is very busy, or a proxy in between; its log says more.')
    }
    const exitCode = error.code === 'unauthorized' ? EXIT.notAllowed : EXIT.refused
    const cure = 'It was changed, or is that of another bus; the app shows the one that counts in Settings.'
    return trouble('password', exitCode, `The bus does not take the ${found.kind} from ${found.from}. ${error.message}`, cure)
  }
}

/** What a bus says of its storage; one of an early version says nothing. Only damage that is known is worth a line: nothing is read for it here. */
function* checkStorage({ damage, storage }: Partial<BusStatus>): Generator<Check> {
  if (storage === undefined) return
  if (damage) yield trouble('database', EXIT.refused, damage.problem, 'See Storage in the interface, which says what can be done.')
  const { state, problem } = storage
  if (problem === null) yield fine('disk', 'The disk of the bus takes what is written, and has room.')
  else if (state === 'low' || state === 'overfull') yield { name: 'disk', outcome: 'warning', text: problem }
  else yield { name: 'disk', outcome: 'trouble', text: problem, exitCode: EXIT.refused }
}

/** A file that cannot be read is what one wants to know here. */
function findOrTell<T>(name: string, find: () => T): T | Check {
  try {
    return find()
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return trouble(name, error.exitCode, error.message, error.cure ?? 'Name another file, or make a new one in the app.')
  }
}
