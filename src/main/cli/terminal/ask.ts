import { createInterface } from 'node:readline'
import { UsageError } from '../exit.ts'
import { cleanLine } from './clean.ts'

/** Whether the user says yes; the end of input is no. Throws UsageError where nobody can be asked, and the signal's reason. */
export async function isConfirmed(question: string, stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<boolean> {
  if (!stdin.isTTY) throw new UsageError(`${question} There is no terminal to ask on.`, 'Add --yes to say yes beforehand.')
  const readline = createInterface({ input: stdin, output: process.stderr })
  // While it listens, Ctrl+C is a key and no signal.
  readline.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  signal.addEventListener('abort', () => readline.close(), { once: true })
  const answer = await new Promise<string | undefined>((resolve) => {
    readline.on('close', () => resolve(undefined))
    readline.question(`${cleanLine(question)} [y/N] `, resolve)
  })
  readline.close()
  // What comes next must not stand behind the question.
  if (answer === undefined) process.stderr.write('\n')
  signal.throwIfAborted()
  return /^y(es)?$/i.test(answer?.trim() ?? '')
}
