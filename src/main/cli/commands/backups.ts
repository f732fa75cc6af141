import type { BackupView } from '../../../shared/control/backup-views.ts'
import type { Operator } from '../bus/operator.ts'
import type { Action, Group } from '../command.ts'
import { CommandError, EXIT } from '../exit.ts'
import { isConfirmed } from '../terminal/ask.ts'
import { exactTime, nowInSeconds, relativeTime } from '../terminal/time.ts'

const NEWEST = 'newest'
const MEGABYTE = 1024 ** 2

const list: Action = {
  name: 'list',
  summary: 'list the backups of the bus, newest first',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [],

  async run({ operator, output }) {
    const view = await operator().call('backups.list', {})
    if (output.isJson) await output.json(view)
    if (view.problem !== null) output.note(view.problem.text)
    if (view.backups.length === 0) {
      output.note('There is no backup yet.')
      return EXIT.nothing
    }
    if (output.isJson) return EXIT.done
    const now = nowInSeconds()
    const columns = [{ title: 'BACKUP' }, { title: 'KIND' }, { title: 'MADE' }, { title: 'SIZE' }]
    await output.table(
      columns,
      view.backups.map(({ id, kind, at, bytes }) => [id, kind, relativeTime(at, now), sizeOf(bytes)])
    )
    return EXIT.done
  }
}

const make: Action = {
  name: 'make',
  summary: 'make a backup now; it is read again before it counts',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [],

  async run({ operator, output }) {
    const backup = await operator().call('backups.make', {})
    if (output.isJson) await output.json(backup)
    else await output.line(`${backup.id} (${sizeOf(backup.bytes)})`)
    return EXIT.done
  }
}

const restore: Action = {
  name: 'restore',
  summary: 'go back to a backup; what is there now becomes a backup first',
  usage: `<backup|${NEWEST}>`,
  arity: { min: 1, max: 1 },
  options: [{ name: 'yes', short: 'y', summary: 'do not ask' }],
  details: 'The bus is gone for a moment, and comes back as it was then. What was published and settled since is in the backup that is made first.',
  examples: ['intent-bus backups restore newest'],

  async run({ args, operator, output, stdin, signals }) {
    const bus = operator()
    const backup = await find(bus, args.positionals[0]!)
    const question = `Go back to ${exactTime(backup.at)}? What happened since is undone; the present is kept as a backup.`
    if (!args.flag('yes') && !(await isConfirmed(question, stdin, signals.signal))) {
      output.note('Nothing was changed.')
      return EXIT.refused
    }
    await bus.call('backups.restore', { id: backup.id, confirm: true })
    if (output.isJson) await output.json(backup)
    else await output.line(`The bus goes back to ${exactTime(backup.at)}, and will be there again in a moment.`)
    return EXIT.done
  }
}

export const backups: Group = {
  name: 'backups',
  summary: 'list, make and restore backups, for operators',
  actions: [list, make, restore]
}

/** Throws CommandError when there is none of that name. */
async function find(bus: Operator, text: string): Promise<BackupView> {
  const { backups: all } = await bus.call('backups.list', {})
  const found = text === NEWEST ? all[0] : all.find(({ id }) => id === text || `${id}.db` === text)
  if (found !== undefined) return found
  throw new CommandError(EXIT.nothing, text === NEWEST ? 'There is no backup yet.' : `There is no backup ${text}.`, '`intent-bus backups list` shows them.')
}

function sizeOf(bytes: number): string {
  return `${Math.max(1, Math.round(bytes / MEGABYTE)).toLocaleString('en-US')} MB`
}
