import { closeSync, fstatSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'

/** What a log is written to. */
export interface LogTarget {
  /** The file to write to next. */
  fd(): number
  wrote(bytes: number): void
}

/** A log file starts anew at this many bytes; the one before is kept. */
const MAX_FILE_BYTES = 5_000_000

/** A file of mode 0600 that is put aside, as `<name>.1`, when it has grown. */
export class LogFile implements LogTarget {
  readonly #path: string
  #fd: number
  #size: number

  /** Throws where the file cannot be opened. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#path = path
    this.#fd = openSync(path, 'a', 0o600)
    this.#size = fstatSync(this.#fd).size
  }

  fd(): number {
    if (this.#size >= MAX_FILE_BYTES) this.#startAnew()
    return this.#fd
  }

  wrote(bytes: number): void {
    this.#size += bytes
  }

  #startAnew(): void {
    this.#size = 0
    try {
      renameSync(this.#path, `${this.#path}.1`)
      const fd = openSync(this.#path, 'a', 0o600)
      closeSync(this.#fd)
      this.#fd = fd
    } catch {
      // A file that cannot be put aside is written on.
    }
  }
}
