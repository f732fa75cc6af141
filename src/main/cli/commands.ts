import type { Command } from './command.ts'
import { backups } from './commands/backups.ts'
import { buses } from './commands/buses.ts'
import { completionOf } from './commands/completion.ts'
import { doctor } from './commands/doctor.ts'
import { exportCommand } from './commands/export.ts'
import { find } from './commands/find.ts'
import { helpOf } from './commands/help.ts'
import { importCommand } from './commands/import.ts'
import { keys } from './commands/keys.ts'
import { kv } from './commands/kv.ts'
import { list } from './commands/list.ts'
import { cancel, retry } from './commands/manage.ts'
import { pair } from './commands/pair.ts'
import { publish } from './commands/publish.ts'
import { result } from './commands/result.ts'
import { status } from './commands/status.ts'
import { top } from './commands/top.ts'
import { version } from './commands/version.ts'
import { watch } from './commands/watch.ts'
import { work } from './commands/work.ts'

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  publish,
  work,
  status,
  result,
  list,
  watch,
  retry,
  cancel,
  keys,
  kv,
  top,
  find,
  pair,
  buses,
  backups,
  exportCommand,
  importCommand,
  doctor,
  completionOf(() => COMMANDS),
  helpOf(() => COMMANDS),
  version
]
