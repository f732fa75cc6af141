import { limitsText } from '../../shared/control/limits-text.ts'
import { ControlError } from '../../shared/control/transport.ts'
import {
  IntentBusAuthError,
  IntentBusError,
  IntentBusNetworkError,
  IntentFailedError,
  WaitTimeoutError
} from '../client/index.ts'
import { knownLimits } from './bus/credentials.ts'
import type { Context } from './context.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { exactTime } from './terminal/time.ts'

/** What a user is told of a failure, and how the process ends. */
export interface Failure {
  readonly exitCode: ExitCode
  readonly message: string
  readonly cure: string | undefined
}

const OPERATOR_CURE = 'Operators give their password: set INTENT_BUS_PASSWORD, or name a file with --password-file.'
const UNREACHABLE_CURE = '`intent-bus doctor` finds out what is wrong.'

/** Turns whatever was thrown into a sentence. What is none of the known failures is a fault of ours, and keeps its stack. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message, cure: error.cure }
  if (error instanceof ControlError) return describeControl(error)
  if (error instanceof IntentBusError) return { exitCode: exitCodeOf(error), message: error.message, cure: cureOf(error) }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { exitCode: EXIT.refused, message, cure: undefined }
}

/**
 * The refusal of a key by its limits, with what they are where that is known and where they are changed; another error as it is.
 */
export function explainForbidden(error: unknown, { credentials }: Pick<Context, 'credentials'>): unknown {
  if (!(error instanceof IntentBusAuthError) || error.code !== 'forbidden') return error
  const limits = knownLimits(credentials())
  const what = limits === undefined ? 'The key has limits' : `When this machine was paired, its key was given: ${limitsText(limits, { time: exactTime })}`
  const cure = `${what}. The interface of the bus shows and changes them: Keys, Limits.`
  return new CommandError(EXIT.notAllowed, error.message, cure)
}

function describeControl({ code, message }: ControlError): Failure {
  switch (code) {
    case 'unreachable':
      return { exitCode: EXIT.unreachable, message: `The bus cannot be reached (${message}).`, cure: UNREACHABLE_CURE }
    case 'forbidden':
      return { exitCode: EXIT.notAllowed, message, cure: OPERATOR_CURE }
    case 'unauthorized':
      // The bus speaks of logging in, as browsers do.
      return { exitCode: EXIT.notAllowed, message: 'The bus does not take this password.', cure: UNREACHABLE_CURE }
    case 'not_found':
      return { exitCode: EXIT.nothing, message, cure: undefined }
    default:
      return { exitCode: EXIT.refused, message, cure: undefined }
  }
}

function exitCodeOf(error: IntentBusError): ExitCode {
  if (error instanceof IntentBusAuthError) return EXIT.notAllowed
  if (error instanceof IntentBusNetworkError) return EXIT.unreachable
  if (error instanceof IntentFailedError) return EXIT.refused
  if (error instanceof WaitTimeoutError) return EXIT.timedOut
  return error.status === 404 ? EXIT.nothing : EXIT.refused
}

function cureOf(error: IntentBusError): string | undefined {
  if (error instanceof WaitTimeoutError) return `\`intent-bus result ${error.intentId} --wait\` goes on waiting; \`intent-bus top\` shows who works.`
  if (error instanceof IntentBusAuthError || error instanceof IntentBusNetworkError) return UNREACHABLE_CURE
  return error.retryAfter === undefined ? undefined : `Try again in ${error.retryAfter} seconds.`
}
