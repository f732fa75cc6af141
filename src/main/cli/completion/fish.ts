import { takesValue, type Option } from '../command.ts'
import type { Place } from './words.ts'

/** A script that tells fish what may come next, to be saved as `intent-bus.fish` among its completions, or sourced. */
export function fishScript(places: readonly Place[]): string {
  return `# fish completion for intent-bus: intent-bus completion fish | source
complete -c intent-bus -f
${places.flatMap(placeLines).join('\n')}
`
}

function placeLines({ path, words, options, takesProgram }: Place): string[] {
  const [first, second] = path
  const seen = second === undefined ? first : `${first}; and __fish_seen_subcommand_from ${second}`
  const condition = first === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${seen}`
  const line = (rest: string, when = condition): string => `complete -c intent-bus -n ${quoted(when)} ${rest}`
  const names = words.map(({ name }) => name).join(' ')
  const noneYet = first === undefined ? condition : `${condition}; and not __fish_seen_subcommand_from ${names}`
  return [
    ...words.map(({ name, summary }) => line(`-a ${quoted(name)}${summary === '' ? '' : ` -d ${quoted(summary)}`}`, noneYet)),
    ...options.map((option) => line(optionWords(option))),
    ...(takesProgram ? [line('-a "(__fish_complete_subcommand)"')] : [])
  ]
}

function optionWords(option: Option): string {
  const { name, short, choices, isFile = false, summary } = option
  const words = [
    `-l ${name}`,
    ...(short === undefined ? [] : [`-s ${short}`]),
    ...(takesValue(option) ? [isFile ? '-r -F' : '-x'] : []),
    ...(choices === undefined ? [] : [`-a ${quoted(choices.join(' '))}`]),
    `-d ${quoted(summary)}`
  ]
  return words.join(' ')
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
