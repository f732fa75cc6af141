/** How a command ends, for scripts. */
export const EXIT = {
  done: 0,
  refused: 1,
  usage: 2,
  unreachable: 3,
  notAllowed: 4,
  nothing: 5,
  timedOut: 6,
  interrupted: 130,
  unread: 141,
  terminated: 143
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** What each code means, for the help. */
export const EXIT_MEANINGS: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [EXIT.done, 'done'],
  [EXIT.refused, 'the bus refused, something failed, or the intent died'],
  [EXIT.usage, 'the command line cannot be used as it is'],
  [EXIT.unreachable, 'the bus cannot be reached'],
  [EXIT.notAllowed, 'the key or the password is missing or wrong'],
  [EXIT.nothing, 'there is no such thing, or nothing was found'],
  [EXIT.timedOut, 'the time to wait was up'],
  [EXIT.interrupted, 'ended by Ctrl+C'],
  [EXIT.unread, '`work` stopped because nobody reads its output any more'],
  [EXIT.terminated, 'ended by SIGTERM']
]

/** Why a command cannot go on: a sentence for the user, what to do about it, and how the process ends. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
  readonly exitCode: ExitCode
  /** One more sentence: the cure. */
  readonly cure: string | undefined

  constructor(exitCode: ExitCode, message: string, cure?: string) {
    super(message)
    this.exitCode = exitCode
    this.cure = cure
  }
}

/** A command line that means nothing. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError'

  constructor(message: string, cure?: string) {
    super(EXIT.usage, message, cure)
  }
}
