import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import { badFile, cutOff, MAX_LINE_BYTES } from './format.ts'

const PIECE_BYTES = 65_536
const NEWLINE = 10

export interface Line {
  /** From 1. */
  readonly number: number
  readonly text: string
  /** With its end. */
  readonly bytes: Buffer
  /** Whether its end is there: the last line of a file that was cut off has none. */
  readonly isWhole: boolean
}

/** Reads a file of lines from some place on, never holding more than one line and a piece of the file. */
export class LineReader implements Disposable {
  readonly #file: number
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES)
  /** Read, but not given out. */
  #rest: Buffer = Buffer.alloc(0)
  #offset: number
  #number: number
  #isAtEnd = false

  /** `offset`: bytes, at the start of a line; `number`: of the line before it. */
  constructor(path: string, offset = 0, number = 0) {
    this.#file = openSync(path, 'r')
    this.#offset = offset
    this.#number = number
  }

  /** Bytes before the line that comes next. */
  get offset(): number {
    return this.#offset - this.#rest.length
  }

  /** Number of the line that was given out last. */
  get number(): number {
    return this.#number
  }

  /** undefined at the end. Throws `invalid_request` for a line that is too long or no text. */
  next(): Line | undefined {
    const end = this.#fill()
    if (this.#rest.length === 0) return undefined
    const bytes = this.#rest.subarray(0, end)
    this.#rest = this.#rest.subarray(end)
    this.#number++
    const isWhole = bytes.at(-1) === NEWLINE
    // The first line tells best what a file is.
    if (!isUtf8(bytes) && !isWhole && this.#number > 1) throw cutOff()
    if (!isUtf8(bytes)) throw badFile(`Line ${this.#number} is not text in UTF-8: this is no export of an Intent Bus, or it is damaged.`)
    return { number: this.#number, text: bytes.toString('utf8').trimEnd(), bytes, isWhole }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }

  /** Reads until a whole line is there; the answer is its length. */
  #fill(): number {
    for (let looked = 0; ; ) {
      const newline = this.#rest.indexOf(NEWLINE, looked)
      if (newline >= 0) return newline + 1
      if (this.#isAtEnd) return this.#rest.length
      if (this.#rest.length > MAX_LINE_BYTES) {
        throw badFile(`Line ${this.#number + 1} is longer than ${MAX_LINE_BYTES} bytes: this is no export of an Intent Bus, or it is damaged.`)
      }
      looked = this.#rest.length
      this.#readPiece()
    }
  }

  #readPiece(): void {
    const size = readSync(this.#file, this.#piece, 0, PIECE_BYTES, this.#offset)
    this.#offset += size
    this.#isAtEnd = size === 0
    this.#rest = Buffer.concat([this.#rest, this.#piece.subarray(0, size)])
  }
}
