import { FILTER_WORDS } from '../../../shared/control/filter.ts'
import { takesValue, type Option } from '../command.ts'
import { allOptions, filterValues, type Place } from './words.ts'

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
# Values with commas in between; those that are written stay.
_intent_bus_list() {
  local last="\${2##*,}"
  COMPREPLY=($(compgen -P "\${2%"$last"}" -W "$1" -- "$last"))
}
_intent_bus_filter() {
  case "$1" in
    *:*) COMPREPLY=($(compgen -W '${filterValues().join(' ')}' -- "$1")) ;;
    *)
      # The value follows at once.
      compopt -o nospace 2> /dev/null
      COMPREPLY=($(compgen -W '${FILTER_WORDS.map(({ begin }) => begin).join(' ')}' -- "$1")) ;;
  esac
}
_intent_bus() {
  local words=() n=-1 line="$COMP_LINE" gap cur prev place= program= value= i word
  # Bash breaks words at colons, which stand in filters and addresses.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    gap="\${line%%[![:space:]]*}"
    line="\${line#"$gap"}" line="\${line#"$word"}"
    if [[ $n -ge 0 && -z $gap && ($word == :* || \${words[n]} == *:) ]]; then words[n]+="$word"; else words[++n]="$word"; fi
  done
  cur="\${words[n]}" prev="\${words[n-1]}"
  for word in "\${words[@]:1:n-1}"; do
    if [[ $program ]]; then program=$((program + 1)); continue; fi
    if [[ $value ]]; then value=; continue; fi
    case "$word" in
      --) program=1 ;;
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
        if ((program == 1)); then _intent_bus_names -c "$cur"; else _intent_bus_names -f "$cur"; fi ;;
      ${places.filter(({ takesFilter }) => takesFilter).map(({ path }) => `'${path.join(' ')}'`).join('|')}) _intent_bus_filter "$cur" ;;
    esac
  elif [[ $value ]]; then
    case "$prev" in
${withValue.map(valueCase).join('')}    esac
  else
    case "$place" in
${places.map(placeCase).join('')}    esac
  fi
  # What stands before the last colon is there already.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}"); fi
}
complete -F _intent_bus intent-bus
`
}

function valueCase({ name, choices, isFile = false, isFilter = false, isList = false }: Option): string {
  if (choices !== undefined) {
    const values = `'${choices.join(' ')}'`
    return `      --${name}) ${isList ? `_intent_bus_list ${values} "$cur"` : `COMPREPLY=($(compgen -W ${values} -- "$cur"))`} ;;\n`
  }
  if (isFilter) return `      --${name}) _intent_bus_filter "$cur" ;;\n`
  return isFile ? `      --${name}) _intent_bus_names -f "$cur" ;;\n` : ''
}

function placeCase({ path, words, options, takesFilter }: Place): string {
  const dashed = options.map(({ name }) => `--${name}`).join(' ')
  const names = words.map(({ name }) => name).join(' ')
  return `    '${path.join(' ')}')
      case "$cur" in
        -*) COMPREPLY=($(compgen -W '${dashed}' -- "$cur")) ;;
        *) ${takesFilter ? '_intent_bus_filter "$cur"' : `COMPREPLY=($(compgen -W '${names}' -- "$cur"))`} ;;
      esac ;;
`
}
