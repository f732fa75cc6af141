import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { childEnvironment, CLI } from './cli.ts'

/** How a program on a terminal ended. */
export interface TerminalEnd {
  readonly code: number
  /** Whether the terminal's settings are those from before. */
  readonly restored: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where each drawing of the whole screen begins. */
const HOME = '\u001b[H'

/** A program on a terminal of its own, 80 by 24. */
export class Terminal implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly ended: Promise<TerminalEnd>
  output = ''

  private constructor(program: readonly string[], env: Environment) {
    const args = [join(import.meta.dirname, 'on-terminal.py'), ...program]
    this.#process = spawn('python3', args, { env: childEnvironment({ TERM: 'xterm-256color', ...env }), stdio: 'pipe' })
    let stderr = ''
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.#process.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    this.ended = new Promise((resolve, reject) => {
      this.#process.on('close', () => {
        const last = stderr.trim().split('\n').at(-1)!
        if (last.startsWith('{')) resolve(JSON.parse(last) as TerminalEnd)
        else reject(new Error(stderr))
      })
    })
  }

  /** The command line by itself. */
  static run(args: readonly string[], env: Environment): Terminal {
    return new Terminal([process.execPath, CLI, ...args], env)
  }

  /** A shell, which is told what to run by typing. */
  static shell(env: Environment): Terminal {
    return new Terminal(['bash', '--norc', '--noprofile', '-i'], env)
  }

  type(text: string): void {
    this.#send(['type', text])
  }

  resize(rows: number, columns: number): void {
    this.#send(['size', rows, columns])
  }

  signal(number: number): void {
    this.#send(['signal', number])
  }

  /** Waits until something was shown. */
  async shows(text: string): Promise<void> {
    await this.until(() => this.output.includes(text))
  }

  /** Rejects when the command ends before. */
  async until(isSo: () => boolean): Promise<void> {
    let isOver = false
    void this.ended.finally(() => (isOver = true)).catch(() => {})
    while (!isSo()) {
      if (isOver) throw new Error(`It ended too early.\n${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** The last screen that was drawn to its end, line by line, without colours. */
  screen(): string[] {
    const drawn = this.output.split(HOME).slice(1)
    const whole = drawn.filter((text) => text.includes('\u001b[J'))
    return stripVTControlCharacters(whole.at(-1) ?? '').split(/\r+\n/)
  }

  #send(command: readonly unknown[]): void {
    this.#process.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return
    this.signal(9)
    await this.ended
  }
}
