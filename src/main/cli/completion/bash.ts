import { takesValue, type Option } from '../command.ts'
import { allOptions, type Place } from './words.ts'

/** A script that tells bash what may come next. */
export function bashScript(places: readonly Place[]): string {
  const options = allOptions(places)
  const withValue = options.filter(takesValue)
  const paths = places.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`)
  return `# bash completion for intent-bus: eval "$(intent-bus completion bash)"
_intent_bus_names() {
  local IFS=$'\\n'
  # Fails where nothing is being completed, and does not matter there.
  compopt -o filenames 2> /dev/null
  COMPREPLY=($(compgen "$1" -- "$2"))
}
_intent_bus() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" place= program= value= i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ $value ]]; then value=; continue; fi
    case "$word" in
      --) program=1; break ;;
      ${withValue.map(({ name }) => `--${name}`).join('|')}) value=1 ;;
      -*) ;;
      *)
        case "\${place:+$place }$word" in
          ${paths.join('|')}) place="\${place:+$place }$word" ;;
        esac ;;
    esac
  done
  COMPREPLY=()
  if [[ $program ]]; then
    case "$place" in
      ${places.filter(({ takesProgram }) => takesProgram).map(({ path }) => `'${path.join(' ')}'`).join('|')})
        if ((i == COMP_CWORD - 1)); then _intent_bus_names -c "$cur"; else _intent_bus_names -f "$cur"; fi ;;
    esac
    return
  fi
  if [[ $value ]]; then
    case "$prev" in
${withValue.map(valueCase).join('')}    esac
    return
  fi
  case "$place" in
${places.map(placeCase).join('')}  esac
}
complete -F _intent_bus intent-bus
`
}

function valueCase({ name, choices, isFile = false }: Option): string {
  if (choices !== undefined) return `      --${name}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$cur")) ;;\n`
  return isFile ? `      --${name}) _intent_bus_names -f "$cur" ;;\n` : ''
}

function placeCase({ path, words, options }: Place): string {
  const dashed = options.map(({ name }) => `--${name}`).join(' ')
  const names = words.map(({ name }) => name).join(' ')
  return `    '${path.join(' ')}')
      case "$cur" in
        -*) COMPREPLY=($(compgen -W '${dashed}' -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W '${names}' -- "$cur")) ;;
      esac ;;
`
}
