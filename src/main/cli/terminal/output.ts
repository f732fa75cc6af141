import { once } from 'node:events'
import { cleanJson, cleanLine, cleanLines } from './clean.ts'
import { styleFor, wantsColours, type Style } from './style.ts'
import { tableLines, type Cell, type Column } from './table.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What a command prints: what was asked for on standard output, all else on standard error. */
export class Output {
  readonly isJson: boolean
  /** Paints for standard output, and for standard error. */
  readonly style: Style
  readonly noteStyle: Style
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, env: Environment, isJson: boolean) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.isJson = isJson
    this.style = styleFor(wantsColours(stdout, env))
    this.noteStyle = styleFor(wantsColours(stderr, env))
  }

  /** Whether a person reads standard output. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY === true
  }

  /** Columns of the terminal; undefined where lines may have any length. */
  get width(): number | undefined {
    return this.isTerminal ? this.#stdout.columns : undefined
  }

  /** Writes text as it is, and waits for a reader that is slower. */
  async write(text: string): Promise<void> {
    if (!this.#stdout.write(text)) await once(this.#stdout, 'drain')
  }

  line(text: string): Promise<void> {
    return this.write(`${text}\n`)
  }

  /** The one JSON value of a command, or one of many lines. */
  json(value: unknown): Promise<void> {
    return this.jsonText(`${JSON.stringify(value)}\n`)
  }

  /** JSON as text, or a piece of it. */
  jsonText(text: string): Promise<void> {
    return this.write(this.isTerminal ? cleanJson(text) : text)
  }

  async table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Promise<void> {
    const lines = tableLines(columns, rows, this.width, this.style.dim)
    await this.line(lines.join('\n'))
  }

  /** A sentence for whoever watches. Text of others in it is cleaned here. */
  note(text: string): void {
    this.#stderr.write(`${cleanLine(text)}\n`)
  }

  warn(text: string): void {
    this.#stderr.write(`${this.noteStyle.yellow('warning:')} ${cleanLine(text)}\n`)
  }

  /** Why the command ends, and what to do. */
  failure(message: string, cure?: string): void {
    this.#stderr.write(`${this.noteStyle.red('intent-bus:')} ${cleanLines(message)}\n`)
    if (cure !== undefined) this.#stderr.write(`${cleanLine(cure)}\n`)
  }
}
