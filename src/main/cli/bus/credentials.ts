import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Arguments } from '../arguments/arguments.ts'
import { SECRET_PATTERN } from '../../../shared/limits.ts'
import type { KeyLimits } from '../../../shared/scope.ts'
import { CommandError, EXIT, UsageError } from '../exit.ts'
import type { Address } from './address.ts'
import { isInClear, type LocalBus } from './local-bus.ts'
import type { NamedBus } from './paired.ts'
import { isOpenToOthers, readSecretFile, type FoundSecret } from './secret-file.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface CredentialSource {
  readonly args: Arguments
  readonly env: Environment
  readonly local: LocalBus
  /** The bus that will be sent what is found. */
  readonly url: string
  /** What is known of that bus, where this user is paired with it. */
  readonly paired?: NamedBus | undefined
  /** What carries requests there. */
  readonly fetch: typeof fetch
  /** Who says that it is this one. */
  readonly from: Address['from']
  readonly warn: (sentence: string) => void
}

/** What lets operators in: the password, the admin's own token (SPEC 5.3), or a key that may operate. */
export type OperatorSecret = FoundSecret & { readonly kind: 'password' | 'token' | 'key' }

/** The key of a client, from the first place that has one; undefined where none has. Throws CommandError for what is none. */
export function findKey(source: CredentialSource): FoundSecret | undefined {
  const { args, env, local, url, paired } = source
  const file = args.text('key-file')
  if (file !== undefined) return mustRead(file, source)
  // The one key that is for this bus and no other.
  if (paired !== undefined) return { secret: checked(paired.key, paired.name), from: `the pairing with ${paired.name}` }
  const given = fromVariable(env, 'INTENT_API_KEY')
  if (given !== undefined) return given
  // The key of one bus is nothing that another may see.
  return read(homeKeyFile(), source) ?? (local.isAt(url) ? read(local.keyFile, source) : undefined)
}

/**
 * What lets an operator in, from the first place that has it; undefined where none has. Throws CommandError for what is none, and
 * where others could read it on its way.
 */
export function findOperatorSecret(source: CredentialSource): OperatorSecret | undefined {
  const found = findPassword(source)
  return found && keptPrivate(found, source)
}

function findPassword(source: CredentialSource): OperatorSecret | undefined {
  const { args, env, local, url } = source
  const file = args.text('password-file')
  if (file !== undefined) return { ...mustRead(file, source), kind: 'password' }
  const password = fromVariable(env, 'INTENT_BUS_PASSWORD')
  if (password !== undefined) return { ...password, kind: 'password' }
  const token = fromVariable(env, 'BUS_ADMIN_SECRET')
  if (token !== undefined) return { ...token, kind: 'token' }
  const found = local.isAt(url) ? read(local.passwordFile, source) : undefined
  return found && { ...found, kind: 'password' }
}

/** The limits that the key of this user had when it was given; undefined where that is not known. */
export function knownLimits({ args, paired }: CredentialSource): KeyLimits | undefined {
  return args.text('key-file') === undefined ? paired?.limits : undefined
}

/** Whether the key that the bus gave this user may operate, as far as was said when they were paired. */
export function mayOperate({ paired }: CredentialSource): boolean {
  return paired?.limits.scope?.roles?.includes('operate') ?? false
}

/** The same, or else the key of the user: the bus says whether it may operate. */
export function findOperatorSecretOrKey(source: CredentialSource): OperatorSecret | undefined {
  const secret = findOperatorSecret(source)
  if (secret !== undefined) return secret
  const key = findKey(source)
  return key && keptPrivate({ ...key, kind: 'key' }, source)
}

/** Whether others on the way to a bus can read what it is sent; this machine's own bus has no way. */
export function isOverheard({ local, url }: CredentialSource): boolean {
  return isInClear(url) && !local.isAt(url)
}

function keptPrivate(found: OperatorSecret, source: CredentialSource): OperatorSecret {
  if (!isOverheard(source)) return found
  const problem = `The ${found.kind} from ${found.from} is not sent to ${source.url}: anybody on the way could read it.`
  throw new UsageError(problem, 'Name an address with https, as the bus shows them under Network, or put a proxy with TLS in front of it.')
}

/** The headers by which a request is an operator's. A key's requests are signed besides. */
export function operatorHeaders({ secret, kind }: OperatorSecret): Record<string, string> {
  if (kind === 'key') return { 'X-API-KEY': secret }
  if (kind === 'token') return { 'X-Admin-Token': secret }
  return { Authorization: `Basic ${Buffer.from(`admin:${secret}`).toString('base64')}` }
}

/** Where the key of a user lies for all clients of this protocol. */
export function homeKeyFile(): string {
  return join(homedir(), '.apikey')
}

function fromVariable(env: Environment, name: string): FoundSecret | undefined {
  const secret = env[name]?.trim()
  return secret ? { secret: checked(secret, name), from: name } : undefined
}

function mustRead(path: string, source: CredentialSource): FoundSecret {
  const found = read(path, source)
  if (found !== undefined) return found
  throw new CommandError(EXIT.notAllowed, `The file ${path} is not there or empty.`)
}

function read(path: string, { warn }: CredentialSource): FoundSecret | undefined {
  let secret: string | undefined
  try {
    secret = readSecretFile(path)
    if (secret !== undefined && isOpenToOthers(path)) warn(`other users of this machine can read ${path}; run chmod 600 on it.`)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const problem = `The file ${path} cannot be read (${code ?? message}).`
    throw new CommandError(EXIT.notAllowed, problem, 'It must be a file that you may read.')
  }
  return secret === undefined ? undefined : { secret: checked(secret, path), from: path }
}

/** What cannot travel in a header is no secret of this bus, but perhaps one of another program. */
function checked(secret: string, from: string): string {
  if (SECRET_PATTERN.test(secret)) return secret
  const problem = `${from} does not hold a key or a password: those are one line of printable ASCII characters.`
  throw new CommandError(EXIT.notAllowed, problem)
}
