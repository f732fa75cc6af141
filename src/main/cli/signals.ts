import { EXIT, type ExitCode } from './exit.ts'

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.terminated, SIGQUIT: EXIT.interrupted } as const

/**
 * What the user's signals do: the first one gives up what is waited for, the next one ends the process at once. A command
 * that has something to finish takes them over.
 */
export class Signals {
  readonly #controller = new AbortController()
  #exitCode: ExitCode | undefined
  #onSignal: ((count: number) => void) | undefined
  #count = 0

  constructor() {
    for (const [name, code] of Object.entries(CODES)) process.on(name, () => this.#hear(code))
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** How a process ends that a signal ended; undefined while there was none. */
  get exitCode(): ExitCode | undefined {
    return this.#exitCode
  }

  /** From now on `onSignal` hears each signal, with how many there were, and `signal` stays as it is. */
  takeOver(onSignal: (count: number) => void): void {
    this.#onSignal = onSignal
  }

  #hear(code: ExitCode): void {
    this.#exitCode = code
    this.#count++
    if (this.#onSignal !== undefined) this.#onSignal(this.#count)
    else if (this.#count > 1) process.exit(code)
    else this.#controller.abort()
  }
}
