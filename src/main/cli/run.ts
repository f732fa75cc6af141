import { Arguments } from './arguments/arguments.ts'
import { beforeProgram, parseCommandLine, type Parsed } from './arguments/parse.ts'
import type { Roaming } from '../client/roaming.ts'
import { findAddress, type Address } from './bus/address.ts'
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
import { recognise, roamingTo } from './bus/whereabouts.ts'
import type { Action } from './command.ts'
import { COMMANDS } from './commands.ts'
import { version } from './commands/version.ts'
import type { Context } from './context.ts'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { describeFailure, explainForbidden } from './failures.ts'
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
  if (parsed.kind === 'run') return runAction(parsed.action, parsed.args, output, signals)
  const { command, group, isAsked } = parsed
  const text = command === undefined ? overviewHelp(COMMANDS) : commandHelp(command, group)
  if (!isAsked) process.stderr.write(text)
  else if (output.isJson) await output.json(command ?? COMMANDS)
  else await output.write(text)
  return isAsked ? EXIT.done : EXIT.usage
}

async function runAction(action: Action, args: Arguments, output: Output, signals: Signals): Promise<ExitCode> {
  const paired = pairedWith(output)
  const surroundings = { paired, output, signal: signals.signal }
  const address = action.asksNoBus === true ? undefined : await recognise(args, process.env, surroundings)
  const context = contextOf(args, output, signals, paired, address)
  try {
    return await action.run(context)
  } catch (error) {
    throw explainForbidden(error, context)
  }
}

function pairedWith(output: Output): Paired {
  return new Paired((sentence) => output.warn(sentence))
}

/** `address`: of the bus, where it had to be looked at to know whose it is. */
function contextOf(args: Arguments, output: Output, signals: Signals, paired = pairedWith(output), address?: Address): Context {
  const { env } = process
  const local = new LocalBus(dataFolderOf(env))
  const warn = (sentence: string): void => output.warn(sentence)
  let source: CredentialSource | undefined
  let roaming: Roaming | undefined
  const findOnce = (): Context['address'] => (address ??= findAddress(args, env, local, paired))
  const credentials = (): CredentialSource => {
    if (source !== undefined) return source
    const found = findOnce()
    const trust = findTrust(args, env, found)
    // Whoever names an address means that one.
    if (found.paired !== undefined && found.from !== '--url') {
      roaming = roamingTo(found.paired, found.url, { paired, output, signal: signals.signal })
    }
    return (source = { ...found, args, env, local, fetch: roaming?.fetch ?? fetchWith(trust), warn })
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
    async locate() {
      credentials()
      await roaming?.locate()
      return { ...findOnce(), ...(roaming && { url: roaming.url }), isFollowed: roaming !== undefined }
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
