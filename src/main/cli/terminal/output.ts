import { once } from 'node:events'
import { cleanJson, cleanLine, cleanLines } from './clean.ts'
import { styleFor, wantsColours, type Style } from './style.ts'
import { tableLines, type Cell, type Column } from './table.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Errors of a stream that nobody reads any more: the other end of a pipe is closed, the terminal is gone. */
const UNREAD = new Set(['EPIPE', 'EIO'])

/** What hears of standard output that does not arrive. */
export interface Unheard {
  /** Nobody reads it any more, as behind `head`. */
  unread(): void
  /** It cannot be written, as on a disk that is full. */
  unwritable(): void
}

/** What a command prints: what was asked for on standard output, all else on standard error. */
export class Output {
  readonly isJson: boolean
  /** Paints for standard output, and for standard error. */
  readonly style: Style
  readonly noteStyle: Style
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream
  #isLost = false

  constructor(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream, env: Environment, isJson: boolean, unheard: Unheard) {
    this.#stdout = stdout
    this.#stderr = stderr
    this.isJson = isJson
    this.style = styleFor(wantsColours(stdout, env))
    this.noteStyle = styleFor(wantsColours(stderr, env))
    stdout.on('error', (error) => this.#lose(error, unheard))
    // There is nobody left to tell it to.
    stderr.on('error', () => {})
  }

  /** Whether a person reads standard output. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY === true
  }

  /** Columns of the terminal; undefined where lines may have any length. */
  get width(): number | undefined {
    return this.isTerminal ? this.#stdout.columns : undefined
  }

  /** Writes text as it is, and waits for a reader that is slower. Without a reader it does nothing. */
  async write(text: string): Promise<void> {
    if (this.#isLost || this.#stdout.write(text)) return
    // Whoever hears of lost output decides what becomes of the command.
    await once(this.#stdout, 'drain').catch(() => {})
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

  #lose({ code = '', message }: NodeJS.ErrnoException, unheard: Unheard): void {
    if (this.#isLost) return
    this.#isLost = true
    if (UNREAD.has(code)) {
      unheard.unread()
      return
    }
    this.failure(`Standard output cannot be written (${code || message}).`)
    unheard.unwritable()
  }
}
