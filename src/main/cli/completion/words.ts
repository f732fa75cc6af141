import { FILTER_WORDS } from '../../../shared/control/filter.ts'
import { GLOBAL_OPTIONS, isGroup, type Action, type Command, type Option } from '../command.ts'

/** What can stand in one place of a command line, for all shells. */
export interface Place {
  /** The names before it: `[]`, `['publish']`, `['keys', 'create']`. */
  readonly path: readonly string[]
  /** Names of commands, or the values of a first argument. */
  readonly words: readonly { readonly name: string; readonly summary: string }[]
  readonly options: readonly Option[]
  readonly takesFilter: boolean
  readonly takesProgram: boolean
}

export function placesOf(commands: readonly Command[]): Place[] {
  return [
    { path: [], words: commands, options: GLOBAL_OPTIONS, takesFilter: false, takesProgram: false },
    ...commands.flatMap((command): Place[] => {
      if (!isGroup(command)) return [placeOf([command.name], command)]
      const own: Place = { path: [command.name], words: command.actions, options: GLOBAL_OPTIONS, takesFilter: false, takesProgram: false }
      return [own, ...command.actions.map((action) => placeOf([command.name, action.name], action))]
    })
  ]
}

/** Every option there is, once: a name means the same in all commands. */
export function allOptions(places: readonly Place[]): Option[] {
  return [...new Map(places.flatMap(({ options }) => options.map((option) => [option.name, option]))).values()]
}

/** `status:dead`: the values of filters that are always the same. */
export function filterValues(): string[] {
  return FILTER_WORDS.flatMap(({ begin, values }) => values.map((value) => begin + value))
}

function placeOf(path: readonly string[], { choices = [], options, takesFilter = false, takesProgram = false }: Action): Place {
  const words = choices.map((name) => ({ name, summary: '' }))
  return { path, words, options: [...options, ...GLOBAL_OPTIONS], takesFilter, takesProgram }
}
