import { takesValue, type Option } from '../command.ts'
import type { Place } from './words.ts'

/** A script that tells zsh what may come next. */
export function zshScript(places: readonly Place[]): string {
  const paths = places.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  return `#compdef intent-bus
# zsh completion for intent-bus: source <(intent-bus completion zsh), or save it as _intent-bus in a folder of fpath
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

function placeCase({ path, words, options, takesProgram }: Place): string {
  const specs = options.flatMap(optionSpecs)
  const names = words.map(({ name, summary }) => quoted(`${name}:${summary}`)).join(' ')
  const rest = takesProgram ? "'*:: :_normal'" : "'*:file:_files'"
  const describe = `      local -a names=(${names})\n      [[ $PREFIX == -* ]] || _describe command names\n`
  return `    ${quoted(path.join(' '))})
${words.length > 0 ? describe : ''}      _arguments -s : ${specs.join(' ')} ${words.length > 0 ? "'*:: :'" : rest}
      ;;
`
}

function optionSpecs(option: Option): string[] {
  const { name, short, value, choices, isFile = false, isRepeatable = false, summary } = option
  const star = isRepeatable ? '*' : ''
  const action = choices !== undefined ? `(${choices.join(' ')})` : isFile ? '_files' : ''
  const tail = !takesValue(option) ? '' : `:${value ?? name}:${action}`
  const text = `[${summary.replace(/[[\]:\\]/g, '\\$&')}]${tail}`
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].map((flag) => quoted(`${star}${flag}${text}`))
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
