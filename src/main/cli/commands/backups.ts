import { formatBytes } from '../../../shared/bytes.ts'
import type { BackupView } from '../../../shared/control/backup-views.ts'
import { makeBackup, restoreBackup } from '../bus/backup-calls.ts'
import { findOperatorSecretOrKey } from '../bus/credentials.ts'
import { LocalBus } from '../bus/local-bus.ts'
import { Operator } from '../bus/operator.ts'
import type { Action, Group } from '../command.ts'
import type { Context } from '../context.ts'
import { CommandError, EXIT } from '../exit.ts'
import { describeFailure } from '../failures.ts'
import { isConfirmed } from '../terminal/ask.ts'
import { exactTime, nowInSeconds, relativeTime } from '../terminal/time.ts'

const NEWEST = 'newest'

const list: Action = {
  name: 'list',
  summary: 'list the backups of the bus, newest first',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [],

  async run({ operator, output }) {
    const view = await withWayOut('--list-backups', () => operator().call('backups.list', {}))
    if (output.isJson) await output.json(view)
    for (const text of [view.problem?.text, view.notice]) if (text != null) output.note(text)
    if (view.backups.length === 0) {
      output.note('There is no backup yet.')
      return EXIT.nothing
    }
    if (output.isJson) return EXIT.done
    const now = nowInSeconds()
    const columns = [{ title: 'BACKUP' }, { title: 'KIND' }, { title: 'MADE' }, { title: 'SIZE' }]
    await output.table(
      columns,
      view.backups.map(({ id, kind, at, bytes, isAhead }) => {
        const made = relativeTime(at, now)
        return [id, kind, isAhead ? `${made}, by a clock that was ahead` : made, formatBytes(bytes)]
      })
    )
    output.note(`Together they take ${formatBytes(view.totalBytes)} in ${view.folder}.`)
    return EXIT.done
  }
}

const make: Action = {
  name: 'make',
  summary: 'make a backup now; it is read again before it counts',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [],

  async run({ operator, output, signals }) {
    const backup = await makeBackup(operator(), signals.signal)
    if (output.isJson) await output.json(backup)
    else await output.line(`${backup.id} (${formatBytes(backup.bytes)})`)
    return EXIT.done
  }
}

const restore: Action = {
  name: 'restore',
  summary: 'go back to a backup; what is there now becomes a backup first',
  usage: `<backup|${NEWEST}>`,
  arity: { min: 1, max: 1 },
  options: [{ name: 'yes', short: 'y', summary: 'do not ask' }],
  details: `
    The bus is gone for a moment, and comes back as it was then; the command waits for that and says what came of it. What was
    published and settled since is in the backup that is made first. ${NEWEST} is the newest good one that is not itself of before a
    restore.`,
  examples: ['intent-bus backups restore newest'],

  async run(context) {
    const { args, operator, output, stdin, signals } = context
    const [name] = args.positionals as [string]
    const { bus, backup } = await withWayOut(`--restore-backup ${name}`, async () => {
      const found = operator()
      return { bus: found, backup: await find(found, name) }
    })
    const question = `Go back to ${exactTime(backup.at)}? What happened since is undone; the present is kept as a backup.`
    if (!args.flag('yes') && !(await isConfirmed(question, stdin, signals.signal))) {
      output.note('Nothing was changed.')
      return EXIT.refused
    }
    const { isDone, notices } = await restoreBackup(bus, backup, afterRestart(bus, context), signals.signal)
    for (const notice of notices) output.note(notice)
    if (!isDone) throw new CommandError(EXIT.refused, 'The bus is there again, but the backup was not restored; all is as it was.')
    if (output.isJson) await output.json(backup)
    else await output.line(`The bus went back to ${exactTime(backup.at)}, and is there again.`)
    return EXIT.done
  }
}

export const backups: Group = {
  name: 'backups',
  summary: 'list, make and restore backups, for operators',
  actions: [list, make, restore]
}

/**
 * How a bus is asked once it has started again: this machine's own says in its data folder where it listens then, and listens nowhere
 * until it has; every other one is where it was.
 */
function afterRestart(bus: Operator, { credentials, signals }: Context): () => Operator | undefined {
  const before = credentials()
  if (!before.local.isAt(before.url)) return () => bus
  return () => {
    const local = new LocalBus(before.local.folder)
    if (!local.isRunning) return undefined
    const source = { ...before, local, url: local.url!, warn: () => {} }
    const secret = findOperatorSecretOrKey(source)
    return secret && new Operator(source, secret, signals.signal)
  }
}

/** Throws CommandError or ControlError when there is none of that name. */
async function find(bus: Operator, text: string): Promise<BackupView> {
  if (text === NEWEST) return bus.call('backups.newest', {})
  const { backups: all } = await bus.call('backups.list', {})
  const found = all.find(({ id }) => id === text || `${id}.db` === text)
  if (found !== undefined) return found
  throw new CommandError(EXIT.nothing, `There is no backup ${text}.`, '`intent-bus backups list` shows them.')
}

/** A bus that does not run can neither list nor restore backups, but its start can: `option` is what to start it with. */
async function withWayOut<T>(option: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    const { exitCode, message, cure } = describeFailure(error)
    if (exitCode !== EXIT.unreachable) throw error
    const wayOut = `Where the bus does not run, \`npm run headless -- ${option}\` does it on its machine.`
    throw new CommandError(exitCode, message, cure === undefined ? wayOut : `${cure} ${wayOut}`)
  }
}
