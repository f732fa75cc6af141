import { EXIT, type ExitCode } from './exit.ts'

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: EXIT.terminated, SIGQUIT: EXIT.interrupted } as const

/** What a command does that has something to finish. */
interface Finishing {
  /** Hears each signal, with how many there were. */
  readonly onSignal: (count: number) => void
  /** Hears that nothing which it prints arrives any more. Default: the process ends at once. */
  readonly onUnread?: () => void
}

/**
 * What the user's signals do: the first one gives up what is waited for, the next one ends the process at once. Output that
 * cannot be written any more ends it, too. A command that has something to finish takes them over.
 */
export class Signals {
  readonly #controller = new AbortController()
  #exitCode: ExitCode | undefined
  #finishing: Finishing | undefined
  #count = 0

  constructor() {
    for (const [name, code] of Object.entries(CODES)) process.on(name, () => this.#hear(code))
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** How a process ends that a signal ended, or that stopped for want of a reader; undefined while there was neither. */
  get exitCode(): ExitCode | undefined {
    return this.#exitCode
  }

  /** From now on the command hears of signals, and `signal` stays as it is. */
  takeOver(finishing: Finishing): void {
    this.#finishing = finishing
  }

  /** Nobody reads any more. What was only to be read is done with that: in scripts with `pipefail`, `| head` must not fail. */
  unread(): void {
    this.#unheard(EXIT.done, EXIT.unread)
  }

  /** What is printed cannot be written. */
  unwritable(): void {
    this.#unheard(EXIT.refused, EXIT.refused)
  }

  /** `atOnce` and `later`: how the process ends when nothing is left to finish, and when something is. */
  #unheard(atOnce: ExitCode, later: ExitCode): void {
    const onUnread = this.#finishing?.onUnread
    if (onUnread === undefined) process.exit(atOnce)
    this.#exitCode ??= later
    onUnread()
  }

  #hear(code: ExitCode): void {
    this.#exitCode = code
    this.#count++
    if (this.#finishing !== undefined) this.#finishing.onSignal(this.#count)
    else if (this.#count > 1) process.exit(code)
    else this.#controller.abort()
  }
}
