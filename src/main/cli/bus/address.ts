import type { Arguments } from '../arguments/arguments.ts'
import { UsageError } from '../exit.ts'
import { DEFAULT_URL, type LocalBus } from './local-bus.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The bus to talk to, and who says so. */
export interface Address {
  /** Without a slash at its end. */
  readonly url: string
  readonly from: '--url' | 'INTENT_BUS_URL' | 'running.json' | 'default'
}

/** --url, INTENT_BUS_URL, the running bus of this machine, or where one would be. Throws UsageError. */
export function findAddress(args: Arguments, env: Environment, local: LocalBus): Address {
  const option = args.text('url')
  if (option !== undefined) return { url: checked(option, '--url'), from: '--url' }
  const variable = env.INTENT_BUS_URL?.trim()
  if (variable) return { url: checked(variable, 'INTENT_BUS_URL'), from: 'INTENT_BUS_URL' }
  if (local.url !== undefined) return { url: checked(local.url, 'running.json'), from: 'running.json' }
  return { url: DEFAULT_URL, from: 'default' }
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
