import { parseArgs } from 'node:util'
import type { AskedRecovery } from './backups/safety-net.ts'
import { ConfigError } from './config.ts'

/** What the command line asks of a bus without a window. */
export interface HeadlessArguments {
  readonly rotateMainKey: boolean
  readonly rotateDashboardPassword: boolean
  /** Tells which backups there are, and starts nothing. */
  readonly listsBackups: boolean
  readonly recovery: AskedRecovery | undefined
}

const OPTIONS = {
  'rotate-main-key': { type: 'boolean' },
  'rotate-dashboard-password': { type: 'boolean' },
  'list-backups': { type: 'boolean' },
  'restore-backup': { type: 'string' },
  'start-empty': { type: 'boolean' },
  'keep-readable': { type: 'boolean' }
} as const

/** What an option with a value takes. */
const VALUE = 'NAME (or newest)'

/** Throws ConfigError for what is no option, for a value that is missing or too much, and for two that contradict each other. */
export function readArguments(args: readonly string[]): HeadlessArguments {
  const values = parse(args)
  const backup = values['restore-backup']
  if (backup === '') throw new ConfigError(valueText('--restore-backup'))
  const recoveries: AskedRecovery[] = []
  if (backup !== undefined) recoveries.push(backup === 'newest' ? 'newest' : { backup })
  if (values['start-empty'] === true) recoveries.push('empty')
  if (values['keep-readable'] === true) recoveries.push('readable')
  if (recoveries.length > 1) throw new ConfigError('Only one of --restore-backup, --start-empty and --keep-readable can be given.')
  if (values['list-backups'] === true) demandAlone('list-backups', values)
  return {
    rotateMainKey: values['rotate-main-key'] === true,
    rotateDashboardPassword: values['rotate-dashboard-password'] === true,
    listsBackups: values['list-backups'] === true,
    recovery: recoveries[0]
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const [, given] = /'([^']+)'/.exec(message) ?? []
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw new ConfigError(valueText(given))
    throw new ConfigError(`${given ?? 'This'} is not an option; there are ${knownText()}.`)
  }
}

/** `given`: the option as node's message has it, as `--restore-backup <value>`. */
function valueText(given = ''): string {
  const [option = ''] = given.split(' ')
  return option === '--restore-backup' ? '--restore-backup takes the name of a backup, or newest.' : `${option} takes no value.`
}

function knownText(): string {
  const known = Object.entries(OPTIONS).map(([name, { type }]) => (type === 'string' ? `--${name} ${VALUE}` : `--${name}`))
  return `${known.slice(0, -1).join(', ')} and ${known.at(-1)}`
}

/** What starts nothing can do nothing else. */
function demandAlone(name: string, values: object): void {
  const other = Object.keys(values).find((one) => one !== name)
  if (other !== undefined) throw new ConfigError(`--${name} only lists and starts no bus; give --${other} without it.`)
}
