import { StringDecoder } from 'node:string_decoder'

/** Characters of a line; what is longer comes in pieces. */
const MAX_LINE = 2_000

/** Standard error of a program, line by line. */
export class ErrorLines {
  readonly #onLine: (line: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  /** The last line that was not blank; empty while there was none. */
  last = ''

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  read(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n')
    this.#rest = lines.pop()!
    for (; this.#rest.length > MAX_LINE; this.#rest = this.#rest.slice(MAX_LINE)) lines.push(this.#rest.slice(0, MAX_LINE))
    for (const line of lines) this.#tell(line)
  }

  /** A last line may have no end. */
  end(): void {
    if (this.#rest !== '') this.#tell(this.#rest)
    this.#rest = ''
  }

  #tell(line: string): void {
    const text = line.trimEnd()
    if (text.trim() !== '') this.last = text
    this.#onLine(text)
  }
}
