import { FILTER_WORDS } from '../../../shared/control/filter.ts'
import { takesValue, type Option } from '../command.ts'
import { filterValues, type Place } from './words.ts'

const FILTER = "'(__intent_bus_filter)'"

/** A script that tells fish what may come next, to be saved as `intent-bus.fish` among its completions, or sourced. */
export function fishScript(places: readonly Place[]): string {
  return `# fish completion for intent-bus: intent-bus completion fish | source
# Fish puts no space behind a colon or a dot.
function __intent_bus_filter
  printf '%s\\t%s\\n' ${FILTER_WORDS.map(({ begin, detail }) => `${quoted(begin)} ${quoted(detail)}`).join(' ')}
  printf '%s\\n' ${filterValues().join(' ')}
end
complete -c intent-bus -f
${places.flatMap(placeLines).join('\n')}
`
}

function placeLines({ path, words, options, takesFilter, takesProgram }: Place): string[] {
  const [first, second] = path
  const seen = second === undefined ? first : `${first}; and __fish_seen_subcommand_from ${second}`
  const condition = first === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${seen}`
  const line = (rest: string, when = condition): string => `complete -c intent-bus -n ${quoted(when)} ${rest}`
  const names = words.map(({ name }) => name).join(' ')
  const noneYet = first === undefined ? condition : `${condition}; and not __fish_seen_subcommand_from ${names}`
  return [
    ...words.map(({ name, summary }) => line(`-a ${quoted(name)}${summary === '' ? '' : ` -d ${quoted(summary)}`}`, noneYet)),
    ...options.map((option) => line(optionWords(option))),
    ...(takesFilter ? [line(`-a ${FILTER}`)] : []),
    ...(takesProgram ? [line('-a "(__fish_complete_subcommand)"')] : [])
  ]
}

function optionWords(option: Option): string {
  const { name, short, choices, isFile = false, isFilter = false, isList = false, summary } = option
  const values = choices?.join(' ')
  const words = [
    `-l ${name}`,
    ...(short === undefined ? [] : [`-s ${short}`]),
    ...(takesValue(option) ? [isFile ? '-r -F' : '-x'] : []),
    ...(values === undefined ? [] : [`-a ${quoted(isList ? `(__fish_append , ${values})` : values)}`]),
    ...(isFilter ? [`-a ${FILTER}`] : []),
    `-d ${quoted(summary)}`
  ]
  return words.join(' ')
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
