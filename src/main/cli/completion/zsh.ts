import { FILTER_WORDS } from '../../../shared/control/filter.ts'
import { takesValue, type Option } from '../command.ts'
import { filterValues, type Place } from './words.ts'

/** A script that tells zsh what may come next. */
export function zshScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  return `#compdef intent-bus
# zsh completion for intent-bus: source <(intent-bus completion zsh), or save it as _intent-bus in a folder of fpath
_intent_bus_filter() {
  local -a fields=(${FILTER_WORDS.map(({ begin, detail }) => quoted(described(begin, detail))).join(' ')})
  local -a values=(${filterValues().map(quoted).join(' ')})
  if [[ $PREFIX == *:* ]]; then compadd -a values; else _describe 'field of a filter' fields -S ''; fi
}
_intent_bus() {
  local place= word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${place:+$place }$word" in
      ${paths.join('|')}) place="\${place:+$place }$word" ;;
    esac
  done
  case "$place" in
${places.map(placeCase).join('')}  esac
}
if [[ $funcstack[1] == _intent-bus ]]; then _intent_bus "$@"; else compdef _intent_bus intent-bus; fi
`
}

function placeCase({ path, words, options, takesFilter, takesProgram }: Place): string {
  const specs = options.flatMap(optionSpecs)
  const names = words.map(({ name, summary }) => quoted(described(name, summary))).join(' ')
  const rest = takesProgram ? "'*:: :_normal'" : takesFilter ? "'*:filter:_intent_bus_filter'" : "'*:file:_files'"
  const describe = `      local -a names=(${names})\n      [[ $PREFIX == -* ]] || _describe command names\n`
  return `    ${quoted(path.join(' '))})
${words.length > 0 ? describe : ''}      _arguments -s : ${specs.join(' ')} ${words.length > 0 ? "'*:: :'" : rest}
      ;;
`
}

function optionSpecs(option: Option): string[] {
  const { name, short, value, isRepeatable = false, summary } = option
  const star = isRepeatable ? '*' : ''
  const tail = !takesValue(option) ? '' : `:${value ?? name}:${valueAction(option)}`
  const text = `[${summary.replace(/[[\]:\\]/g, '\\$&')}]${tail}`
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].map((flag) => quoted(`${star}${flag}${text}`))
}

/** What completes the value of an option. */
function valueAction({ name, choices, isFile = false, isFilter = false, isList = false }: Option): string {
  if (choices !== undefined) return isList ? `_values -s , ${name} ${choices.join(' ')}` : `(${choices.join(' ')})`
  if (isFilter) return '_intent_bus_filter'
  return isFile ? '_files' : ''
}

/** A word with what it means, as `_describe` takes them. */
function described(word: string, meaning: string): string {
  return `${word.replaceAll(':', '\\:')}:${meaning}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
