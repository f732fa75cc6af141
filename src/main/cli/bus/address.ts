import type { Arguments } from '../arguments/arguments.ts'
import { UsageError } from '../exit.ts'
import { DEFAULT_URL, type LocalBus } from './local-bus.ts'
import type { NamedBus, Paired } from './paired.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The bus to talk to, and who says so. */
export interface Address {
  /** Without a slash at its end. */
  readonly url: string
  readonly from: '--bus' | '--url' | 'INTENT_BUS_URL' | 'running.json' | 'paired' | 'default'
  /** The bus there, where this user is paired with it. */
  readonly paired?: NamedBus | undefined
}

/**
 * --bus or --url, INTENT_BUS_URL, the running bus of this machine, the only one that it is paired with, or where one would be.
 * Throws UsageError, and CommandError for the name of no paired bus.
 */
export function findAddress(args: Arguments, env: Environment, local: LocalBus, paired: Paired): Address {
  const name = args.text('bus')
  if (name !== undefined) {
    if (args.text('url') !== undefined) throw new UsageError('The bus is given twice: by --bus, and by --url.')
    return addressOf(paired.find(name), '--bus')
  }
  const named = givenAddress(args, env, paired)
  if (named !== undefined) return named
  const own = local.url
  if (own !== undefined && local.isRunning) return { url: checked(own, 'running.json'), from: 'running.json' }
  const [only, ...others] = paired.all
  if (only !== undefined && others.length === 0) return addressOf(only, 'paired')
  // A bus that was killed comes back there.
  if (own !== undefined) return { url: checked(own, 'running.json'), from: 'running.json' }
  return { url: DEFAULT_URL, from: 'default' }
}

/** That of --url, or else of INTENT_BUS_URL; undefined where neither says one. Throws UsageError. */
export function givenAddress(args: Arguments, env: Environment, paired: Paired): Address | undefined {
  const option = args.text('url')
  if (option !== undefined) return given(option, '--url', paired)
  const variable = env.INTENT_BUS_URL?.trim()
  return variable ? given(variable, 'INTENT_BUS_URL', paired) : undefined
}

function addressOf(bus: NamedBus, from: Address['from']): Address {
  return { url: checked(bus.url, bus.name), from, paired: bus }
}

/** An address with https may be that of a paired bus: its pin tells whether it is. */
function given(text: string, from: '--url' | 'INTENT_BUS_URL', paired: Paired): Address {
  const url = checked(text, from)
  return { url, from, paired: url.startsWith('https:') ? paired.at(url) : undefined }
}

function checked(text: string, from: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`${from} must be an address like ${DEFAULT_URL}, not "${text}".`)
  }
  if (url.username !== '' || url.password !== '') throw new UsageError(`${from} must not hold a user or a password.`)
  if (url.search !== '' || url.hash !== '') throw new UsageError(`${from} must not have a query.`)
  return url.href.replace(/\/+$/, '')
}
