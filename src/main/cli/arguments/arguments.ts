import { UsageError } from '../exit.ts'

/** Bounds of a number, both included. */
export interface Bounds {
  readonly min: number
  readonly max: number
}

export type OptionValues = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

const NUMBER = /^\d+(\.\d+)?$/
const WHOLE_NUMBER = /^\d+$/

/** What stands between commas. */
export function listItems(text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}

/** The arguments of one command, read by name. What cannot be used throws a UsageError that names it. */
export class Arguments {
  readonly positionals: readonly string[]
  /** What stands behind `--`, where that is a program. */
  readonly program: readonly string[]
  readonly #values: OptionValues

  constructor(values: OptionValues, positionals: readonly string[], program: readonly string[]) {
    this.#values = values
    this.positionals = positionals
    this.program = program
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined
  }

  /** Whether a switch was given. */
  flag(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined
  }

  /** All values of an option that may be repeated. */
  texts(name: string): readonly string[] {
    return (this.#values[name] as readonly string[] | undefined) ?? []
  }

  /** The values of an option that takes several with commas in between, each once. */
  list(name: string): string[] | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const values = [...new Set(listItems(text))]
    if (values.length > 0) return values
    throw new UsageError(`--${name} is empty.`, 'Leave it out, or say what it is to be.')
  }

  /** Seconds, which may have a fraction. */
  seconds(name: string, bounds: Bounds): number | undefined {
    return this.#number(name, bounds, NUMBER, 'a number of seconds')
  }

  wholeNumber(name: string, bounds: Bounds): number | undefined {
    return this.#number(name, bounds, WHOLE_NUMBER, 'a whole number')
  }

  #number(name: string, { min, max }: Bounds, pattern: RegExp, noun: string): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = pattern.test(text) ? Number(text) : NaN
    if (number >= min && number <= max) return number
    throw new UsageError(`--${name} takes ${noun} from ${min} to ${max}, not "${text}".`)
  }
}
