import { createInterface } from 'node:readline/promises'
import { UsageError } from '../exit.ts'
import { cleanLine } from './clean.ts'

/** Whether the user says yes. Throws UsageError where nobody can be asked. */
export async function isConfirmed(question: string, stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<boolean> {
  if (!stdin.isTTY) throw new UsageError(`${question} There is no terminal to ask on.`, 'Add --yes to say yes beforehand.')
  const readline = createInterface({ input: stdin, output: process.stderr })
  // While it listens, Ctrl+C is a key and no signal.
  readline.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await readline.question(`${cleanLine(question)} [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    readline.close()
  }
}
