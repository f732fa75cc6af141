import type { Context } from './context.ts'
import type { ExitCode } from './exit.ts'

/** The table of commands is data: parsing, help and completion are all made from it. */

export interface Option {
  /** Without the dashes. One name means the same, and takes a value or none, in all commands. */
  readonly name: string
  readonly short?: string
  /** What its value is called in the help. */
  readonly value?: string
  /** The only values there are. */
  readonly choices?: readonly string[]
  /** Its value is several, with commas in between. */
  readonly isList?: boolean
  readonly isFile?: boolean
  /** Its value is in the language of filters. */
  readonly isFilter?: boolean
  /** May be given more than once. */
  readonly isRepeatable?: boolean
  readonly summary: string
}

interface Described {
  readonly name: string
  /** A few words, for the list of commands. */
  readonly summary: string
  /** Paragraphs for the help of this command alone, with blank lines between them; other line ends do not count. */
  readonly details?: string
  /** Lines to try. */
  readonly examples?: readonly string[]
}

/** A command that does something. */
export interface Action extends Described {
  /** Its arguments, as the help shows them: `<goal> [payload]`. */
  readonly usage: string
  /** How many arguments there may be. */
  readonly arity: { readonly min: number; readonly max: number }
  /** The only values of its first argument. */
  readonly choices?: readonly string[]
  readonly options: readonly Option[]
  /** Its arguments are words of a filter. */
  readonly takesFilter?: boolean
  /** What stands behind `--` is a program and its arguments, not more arguments of the command. */
  readonly takesProgram?: boolean
  /** It asks no bus of an address that is given. */
  readonly asksNoBus?: boolean
  run(context: Context): Promise<ExitCode>
}

/** A command that only has others below it. */
export interface Group extends Described {
  readonly actions: readonly Action[]
}

export type Command = Action | Group

export function isGroup(command: Command): command is Group {
  return 'actions' in command
}

/** Whether a value stands behind an option; one without is a switch. */
export function takesValue({ value, choices }: Option): boolean {
  return value !== undefined || choices !== undefined
}

/** Options that every command has. */
export const GLOBAL_OPTIONS: readonly Option[] = [
  { name: 'url', value: 'url', summary: 'the bus; else INTENT_BUS_URL, else the bus of this machine, else the only paired one' },
  { name: 'bus', value: 'name', summary: 'a bus that this machine is paired with, by its name here' },
  { name: 'pin', value: 'pin', summary: "the bus's public key, as sha256//... ; else INTENT_BUS_PIN" },
  { name: 'ca', value: 'file', isFile: true, summary: 'certificates in PEM to trust, in place of the system\'s; else INTENT_BUS_CA' },
  {
    name: 'key-file',
    value: 'file',
    isFile: true,
    summary: 'a file that holds the key; else INTENT_API_KEY, else ~/.apikey, else the main key of the bus of this machine'
  },
  {
    name: 'password-file',
    value: 'file',
    isFile: true,
    summary: "a file with the operators' password; else INTENT_BUS_PASSWORD, BUS_ADMIN_SECRET, or that of the bus of this machine"
  },
  { name: 'json', summary: 'print JSON: one value, or one per line where there is no end' },
  { name: 'help', short: 'h', summary: 'print help' },
  { name: 'version', summary: 'print the version' }
]
