import { Arguments } from './arguments/arguments.ts'
import { beforeProgram, parseCommandLine, type Parsed } from './arguments/parse.ts'
import { findAddress } from './bus/address.ts'
import { absentBus } from './bus/absent-bus.ts'
import { openClient } from './bus/client.ts'
import {
  findOperatorSecret,
  findOperatorSecretOrKey,
  isOverheard,
  mayOperate,
  type CredentialSource,
  type OperatorSecret
} from './bus/credentials.ts'
import { dataFolderOf } from './bus/data-folder.ts'
import { LocalBus } from './bus/local-bus.ts'
import { Operator } from './bus/operator.ts'
import { Paired } from './bus/paired.ts'
import { fetchWith, findTrust } from './bus/trust.ts'
import { COMMANDS } from './commands.ts'
import { version } from './commands/version.ts'
import type { Context } from './context.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { describeFailure } from './failures.ts'
import { commandHelp, overviewHelp } from './help.ts'
import { Signals } from './signals.ts'
import { Output } from './terminal/output.ts'

/** Carries out a command line; resolves with how the process is to end. */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  const signals = new Signals()
  const output = new Output(process.stdout, process.stderr, process.env, beforeProgram(argv).includes('--json'), signals)
  try {
    return await carryOut(parseCommandLine(COMMANDS, argv), output, signals)
  } catch (error) {
    if (signals.exitCode !== undefined) return signals.exitCode
    const { exitCode, message, cure } = describeFailure(error)
    output.failure(message, cure)
    return exitCode
  }
}

async function carryOut(parsed: Parsed, output: Output, signals: Signals): Promise<ExitCode> {
  if (parsed.kind === 'version') return version.run(contextOf(new Arguments({}, [], []), output, signals))
  if (parsed.kind === 'run') return parsed.action.run(contextOf(parsed.args, output, signals))
  const { command, group, isAsked } = parsed
  const text = command === undefined ? overviewHelp(COMMANDS) : commandHelp(command, group)
  if (!isAsked) process.stderr.write(text)
  else if (output.isJson) await output.json(command ?? COMMANDS)
  else await output.write(text)
  return isAsked ? EXIT.done : EXIT.usage
}

function contextOf(args: Arguments, output: Output, signals: Signals): Context {
  const { env } = process
  const local = new LocalBus(dataFolderOf(env))
  const warn = (sentence: string): void => output.warn(sentence)
  const paired = new Paired(warn)
  let source: CredentialSource | undefined
  let address: Context['address'] | undefined
  const findOnce = (): Context['address'] => (address ??= findAddress(args, env, local, paired))
  const credentials = (): CredentialSource => {
    const found = findOnce()
    return (source ??= { ...found, args, env, local, fetch: fetchWith(findTrust(args, env, found)), warn })
  }
  const operatorBy = (secret: OperatorSecret | undefined, signal = signals.signal): Operator | undefined =>
    secret && new Operator(credentials(), secret, signal)
  return {
    args,
    output,
    env,
    stdin: process.stdin,
    stdout: process.stdout,
    signals,
    local,
    paired,
    get address() {
      return findOnce()
    },
    credentials,
    client: () => openClient(credentials()),
    maybeOperator: () => {
      const known = credentials()
      return isOverheard(known) ? undefined : operatorBy((mayOperate(known) ? findOperatorSecretOrKey : findOperatorSecret)(known))
    },
    operator: (signal) => operatorBy(findOperatorSecretOrKey(credentials()), signal) ?? missingPassword(credentials())
  }
}

function missingPassword(source: CredentialSource): never {
  const absent = absentBus(source)
  if (absent !== undefined) throw absent
  const { local, url } = source
  const why = local.isAt(url)
    ? 'where a keychain holds it, the app shows it in Settings.'
    : `that of this machine's own bus is not sent to ${url}.`
  const cure = `Set INTENT_BUS_PASSWORD, or name a file with --password-file; ${why}`
  throw new CommandError(EXIT.notAllowed, 'This command is for operators, and there is no password.', cure)
}
