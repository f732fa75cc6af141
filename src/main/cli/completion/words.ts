import { GLOBAL_OPTIONS, isGroup, type Action, type Command, type Option } from '../command.ts'

/** What can stand in one place of a command line, for all shells. */
export interface Place {
  /** The names before it: `[]`, `['publish']`, `['keys', 'create']`. */
  readonly path: readonly string[]
  /** Names of commands, or the values of a first argument. */
  readonly words: readonly { readonly name: string; readonly summary: string }[]
  readonly options: readonly Option[]
  readonly takesProgram: boolean
}

export function placesOf(commands: readonly Command[]): Place[] {
  return [
    { path: [], words: commands, options: GLOBAL_OPTIONS, takesProgram: false },
    ...commands.flatMap((command): Place[] => {
      if (!isGroup(command)) return [placeOf([command.name], command)]
      const own: Place = { path: [command.name], words: command.actions, options: GLOBAL_OPTIONS, takesProgram: false }
      return [own, ...command.actions.map((action) => placeOf([command.name, action.name], action))]
    })
  ]
}

/** Every option there is, once: a name means the same in all commands. */
export function allOptions(places: readonly Place[]): Option[] {
  return [...new Map(places.flatMap(({ options }) => options.map((option) => [option.name, option]))).values()]
}

function placeOf(path: readonly string[], { choices = [], options, takesProgram = false }: Action): Place {
  return { path, words: choices.map((name) => ({ name, summary: '' })), options: [...options, ...GLOBAL_OPTIONS], takesProgram }
}
