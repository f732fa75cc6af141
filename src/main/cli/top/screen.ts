const ESC = '\u001b['
/** The alternate screen, without a cursor, and back: what was on the terminal is there again. */
const ENTER = `${ESC}?1049h${ESC}?25l`
const LEAVE = `${ESC}?25h${ESC}?1049l`
const HOME = `${ESC}H`
const CLEAR_LINE = `${ESC}K`
const CLEAR_BELOW = `${ESC}J`

/** Of a terminal that does not tell its size. */
const USUAL_SIZE = { columns: 80, rows: 24 } as const

/** Milliseconds in which a signal to stop takes hold. */
const STOPPING_MS = 50

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** The whole terminal to draw on, given back as it was however the process ends. */
export class Screen {
  readonly #stdout: NodeJS.WriteStream
  readonly #stdin: NodeJS.ReadStream
  readonly #onKey: (key: string) => void
  readonly #leaveAtExit = (): void => this.leave()
  readonly #hearKey = (data: Buffer): void => this.#onKey(data.toString('latin1'))
  #isEntered = false

  /** `onKey` hears what is typed; Ctrl+C and Ctrl+Z, too, which are no signals here. */
  constructor(stdout: NodeJS.WriteStream, stdin: NodeJS.ReadStream, onKey: (key: string) => void) {
    this.#stdout = stdout
    this.#stdin = stdin
    this.#onKey = onKey
  }

  get size(): Size {
    return { columns: this.#stdout.columns || USUAL_SIZE.columns, rows: this.#stdout.rows || USUAL_SIZE.rows }
  }

  enter(): void {
    if (this.#isEntered) return
    this.#isEntered = true
    process.on('exit', this.#leaveAtExit)
    this.#stdout.write(ENTER)
    if (!this.#stdin.isTTY) return
    this.#stdin.setRawMode(true)
    this.#stdin.on('data', this.#hearKey)
    this.#stdin.resume()
  }

  leave(): void {
    if (!this.#isEntered) return
    this.#isEntered = false
    process.off('exit', this.#leaveAtExit)
    this.#stdout.write(LEAVE)
    if (!this.#stdin.isTTY) return
    this.#stdin.off('data', this.#hearKey)
    this.#stdin.setRawMode(false)
    this.#stdin.pause()
  }

  /** Shows these lines from the top; they must fit. */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered) return
    this.#stdout.write(HOME + lines.map((line) => line + CLEAR_LINE).join('\r\n') + CLEAR_BELOW)
  }

  /** Gives the terminal back to the shell until the user comes back (`fg`); at once where no shell can do that. */
  suspend(onBack: () => void): void {
    this.leave()
    process.kill(process.pid, 'SIGTSTP')
    // Due before or while the process stands still, and then heard when it goes on.
    setTimeout(() => {
      this.enter()
      onBack()
    }, STOPPING_MS)
  }
}
