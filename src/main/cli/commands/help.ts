import { isGroup, type Action, type Command } from '../command.ts'
import { EXIT, UsageError } from '../exit.ts'
import { commandHelp, overviewHelp } from '../help.ts'

/** `table`: all commands, this one included. */
export function helpOf(table: () => readonly Command[]): Action {
  return {
    name: 'help',
    summary: 'tell how commands are used',
    usage: '[command]',
    arity: { min: 0, max: 2 },
    asksNoBus: true,
    get choices() {
      return table().map(({ name }) => name)
    },
    options: [],

    async run({ args, output }) {
      const [name, below] = args.positionals
      if (name === undefined) {
        if (output.isJson) await output.json(table())
        else await output.write(overviewHelp(table()))
        return EXIT.done
      }
      const command = table().find((candidate) => candidate.name === name)
      const group = command !== undefined && isGroup(command) ? command : undefined
      const asked = below === undefined ? command : group?.actions.find((action) => action.name === below)
      if (asked === undefined) {
        throw new UsageError(`There is no command "${args.positionals.join(' ')}".`, '`intent-bus help` lists all of them.')
      }
      if (output.isJson) await output.json(asked)
      else await output.write(commandHelp(asked, group))
      return EXIT.done
    }
  }
}
