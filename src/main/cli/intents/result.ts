import { IntentFailedError, JsonText, WaitTimeoutError, writeJson, type IntentResult } from '../../client/index.ts'
import type { Arguments } from '../arguments/arguments.ts'
import type { Option } from '../command.ts'
import { CommandError, EXIT } from '../exit.ts'
import { cleanJson, cleanLines } from '../terminal/clean.ts'
import { prettyJson } from '../terminal/json.ts'
import type { Output } from '../terminal/output.ts'

export const WAIT_OPTION: Option = { name: 'wait', summary: 'wait until it is fulfilled or dead' }
export const WAIT_TIMEOUT_OPTION: Option = {
  name: 'timeout',
  value: 'seconds',
  summary: 'wait, but so long at most, and then exit with 6'
}

const TIMEOUT = { min: 0.1, max: 31_536_000 } as const

/** Whether waiting changes nothing any more. */
export function isSettled({ status }: IntentResult): boolean {
  return status === 'fulfilled' || status === 'dead'
}

/** Seconds to wait for a result: none, some, or for ever. A time limit alone asks to wait, too. */
export function readWait(args: Arguments): number {
  const timeout = args.seconds('timeout', TIMEOUT)
  return timeout ?? (args.flag('wait') ? Infinity : 0)
}

/**
 * Prints what an intent came to. Throws the error that stands for an intent that is dead, that goes on after `waited` seconds,
 * or, where nothing was waited for, that has no result yet.
 */
export async function printResult(output: Output, result: IntentResult, waited: number): Promise<void> {
  if (output.isJson) await output.jsonText(`${resultJson(result)}\n`)
  else if (result.status === 'fulfilled') await output.line(resultText(output, result))
  if (result.status === 'fulfilled') return
  if (result.status === 'dead') throw new IntentFailedError(result.id, result.error)
  if (waited > 0) throw new WaitTimeoutError(result.id, waited, result.status)
  const problem = `Intent ${result.id} is ${result.status}: there is no result yet.`
  throw new CommandError(EXIT.nothing, problem, '`--wait` waits for it.')
}

/** All that is known, with the result as its worker wrote it. */
function resultJson({ resultText, ...rest }: IntentResult): string {
  return writeJson({ ...rest, result: new JsonText(resultText) })
}

/** The result by itself: a text as text, JSON as JSON. Where no person reads it, it stays as it is. */
function resultText({ isTerminal }: Output, { result, resultText, resultType }: IntentResult): string {
  if (resultType === 'text') return isTerminal ? cleanLines(String(result)) : String(result)
  return isTerminal ? cleanJson(prettyJson(resultText)) : resultText
}
