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
  backups: { type: 'boolean' },
  'restore-backup': { type: 'string' },
  'start-empty': { type: 'boolean' },
  'keep-readable': { type: 'boolean' }
} as const

const KNOWN =
  '--rotate-main-key, --rotate-dashboard-password, --backups, --restore-backup NAME (or newest), --start-empty and --keep-readable'

/** Throws ConfigError for what is no option, and for two that contradict each other. */
export function readArguments(args: readonly string[]): HeadlessArguments {
  const values = parse(args)
  const backup = values['restore-backup']
  const recoveries: AskedRecovery[] = []
  if (backup !== undefined) recoveries.push(backup === 'newest' ? 'newest' : { backup })
  if (values['start-empty'] === true) recoveries.push('empty')
  if (values['keep-readable'] === true) recoveries.push('readable')
  if (recoveries.length > 1) throw new ConfigError('Only one of --restore-backup, --start-empty and --keep-readable can be given.')
  return {
    rotateMainKey: values['rotate-main-key'] === true,
    rotateDashboardPassword: values['rotate-dashboard-password'] === true,
    listsBackups: values.backups === true,
    recovery: recoveries[0]
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') throw new ConfigError('--restore-backup takes the name of a backup, or newest.')
    const [, option] = /'([^']+)'/.exec(message) ?? []
    throw new ConfigError(`${option ?? 'This'} is not an option; there are ${KNOWN}.`)
  }
}
