import { parseArgs } from 'node:util'
import { GLOBAL_OPTIONS, isGroup, takesValue, type Action, type Command, type Group, type Option } from '../command.ts'
import { UsageError } from '../exit.ts'
import { Arguments, listItems } from './arguments.ts'

/** What a command line asks for. */
export type Parsed =
  | { readonly kind: 'run'; readonly action: Action; readonly args: Arguments }
  /** Help, of all or of one command. `isAsked`: nobody who asks for help has made a mistake. */
  | { readonly kind: 'help'; readonly command: Command | undefined; readonly group: Group | undefined; readonly isAsked: boolean }
  | { readonly kind: 'version' }

type Given = { readonly index: number; readonly text: string }

/** Secrets that must not be arguments, and where they go instead. */
const REFUSED: Readonly<Record<string, string>> = {
  key: 'Put the key into a file that only you can read and name it with --key-file, or set INTENT_API_KEY.',
  'api-key': 'Put the key into a file that only you can read and name it with --key-file, or set INTENT_API_KEY.',
  password: 'Put the password into a file that only you can read and name it with --password-file, or set INTENT_BUS_PASSWORD.'
}

/** The arguments before `--`: what comes behind it may look like options of ours. */
export function beforeProgram(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--')
  return end < 0 ? argv : argv.slice(0, end)
}

/** Reads the arguments of the process by the table of commands. Throws UsageError. */
export function parseCommandLine(commands: readonly Command[], argv: readonly string[]): Parsed {
  refuseSecrets(argv)
  const names = leadingNames(argv)
  const first = names[0]
  if (first === undefined) {
    const { values } = parse(argv, GLOBAL_OPTIONS)
    if (values.version === true) return { kind: 'version' }
    return { kind: 'help', command: undefined, group: undefined, isAsked: values.help === true }
  }
  const command = commands.find(({ name }) => name === first.text)
  if (command === undefined) throw unknown(first.text, commands, 'command')
  if (!isGroup(command)) return parseAction(command, undefined, without(argv, first))
  return parseInGroup(command, argv, names)
}

function parseInGroup(group: Group, argv: readonly string[], [first, second]: readonly Given[]): Parsed {
  if (second === undefined) {
    const { values } = parse(without(argv, first!), GLOBAL_OPTIONS)
    return { kind: 'help', command: group, group: undefined, isAsked: values.help === true }
  }
  const action = group.actions.find(({ name }) => name === second.text)
  if (action === undefined) throw unknown(second.text, group.actions, `command of ${group.name}`)
  return parseAction(action, group, without(argv, first!, second))
}

function parseAction(action: Action, group: Group | undefined, argv: readonly string[]): Parsed {
  const { values, positionals, behind } = parse(argv, [...GLOBAL_OPTIONS, ...action.options])
  if (values.help === true) return { kind: 'help', command: action, group, isAsked: true }
  if (values.version === true) return { kind: 'version' }
  const args = action.takesProgram === true ? positionals : [...positionals, ...behind]
  const program = action.takesProgram === true ? behind : []
  const { min, max } = action.arity
  if (args.length < min) throw missing(action, group, args.length)
  if (args.length > max) throw new UsageError(`"${args[max]}" is one argument too many; quote what belongs together.`)
  checkChoices(action.options, values)
  return { kind: 'run', action, args: new Arguments(values, args, program) }
}

function missing({ name, usage }: Action, group: Group | undefined, given: number): UsageError {
  const required = usage.match(/<[^>]+>/g) ?? []
  const command = group === undefined ? name : `${group.name} ${name}`
  return new UsageError(`${required[given] ?? usage} is missing: intent-bus ${command} ${usage}.`, `\`intent-bus help ${group?.name ?? name}\` tells more.`)
}

/** The first two arguments that are no options: the names of a command, with their places. */
function leadingNames(argv: readonly string[]): Given[] {
  const options = configOf(GLOBAL_OPTIONS)
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Infinity
  const positionals = tokens.filter((token) => token.kind === 'positional' && token.index < end)
  return positionals.slice(0, 2).map(({ index }) => ({ index, text: argv[index]! }))
}

function parse(argv: readonly string[], options: readonly Option[]) {
  try {
    const config = { options: configOf(options), strict: true, allowPositionals: true, tokens: true } as const
    const { values, tokens } = parseArgs({ args: [...argv], ...config })
    const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Infinity
    const given = tokens.filter((token) => token.kind === 'positional')
    return {
      values,
      positionals: given.filter(({ index }) => index < end).map(({ value }) => value),
      behind: given.filter(({ index }) => index > end).map(({ value }) => value)
    }
  } catch (error) {
    throw mistakeOf(error as Error)
  }
}

/** What node says, without its advice. */
function mistakeOf({ message }: Error): UsageError {
  const [sentence] = message.split(/[.]? To specify /)
  const cure = message.startsWith('Unknown option') ? 'What begins with a dash and is no option goes behind `--`.' : undefined
  return new UsageError(`${sentence!.replace(/[.]$/, '')}.`, cure)
}

function configOf(options: readonly Option[]) {
  return Object.fromEntries(
    options.map((option) => {
      const { name, short, isRepeatable = false } = option
      const type = takesValue(option) ? ('string' as const) : ('boolean' as const)
      return [name, { type, multiple: isRepeatable, ...(short !== undefined && { short }) }]
    })
  )
}

function checkChoices(options: readonly Option[], values: Readonly<Record<string, unknown>>): void {
  for (const { name, choices, isList = false } of options) {
    const value = values[name] as string | undefined
    if (choices === undefined || value === undefined) continue
    const wrong = (isList ? listItems(value) : [value]).find((each) => !choices.includes(each))
    if (wrong !== undefined) throw new UsageError(`--${name} is ${choices.join(' or ')}, not "${wrong}".`)
  }
}

/** Whoever may list the processes of a machine reads their arguments. */
function refuseSecrets(argv: readonly string[]): void {
  for (const arg of beforeProgram(argv)) {
    const name = /^--([a-z-]+)(=|$)/.exec(arg)?.[1] ?? ''
    const cure = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
    if (cure === undefined) continue
    const why = 'every user of this machine can see the arguments of a program, and shells keep them.'
    throw new UsageError(`There is no --${name}: ${why}`, cure)
  }
}

function without(argv: readonly string[], ...places: readonly Given[]): string[] {
  return argv.filter((_, i) => places.every(({ index }) => index !== i))
}

function unknown(name: string, commands: readonly Command[], what: string): UsageError {
  const names = commands.map((command) => command.name)
  const near = names.filter((other) => isNear(name, other))
  const cure = near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `There are ${names.join(', ')}.`
  return new UsageError(`There is no ${what} "${name}".`, cure)
}

/** One begins with the other, or one letter more, less, or swapped. */
function isNear(a: string, b: string): boolean {
  if (a.length > 1 && b.startsWith(a)) return true
  if (Math.abs(a.length - b.length) > 1) return false
  let from = 0
  while (from < a.length && a[from] === b[from]) from++
  let to = 0
  while (to < Math.min(a.length, b.length) - from && a.at(-1 - to) === b.at(-1 - to)) to++
  const left = a.slice(from, a.length - to)
  const right = b.slice(from, b.length - to)
  const isSwapped = left.length === 2 && left[0] === right[1] && left[1] === right[0]
  return left.length + right.length <= 2 || isSwapped
}
