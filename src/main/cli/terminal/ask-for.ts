import { createInterface } from 'node:readline'
import { UsageError } from '../exit.ts'

/** What the user types on one line. Throws UsageError with `cure` where nobody can be asked, or nothing is said. */
export async function askFor(question: string, cure: string, stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  if (!stdin.isTTY) throw new UsageError(`${question} There is no terminal to ask on.`, cure)
  const readline = createInterface({ input: stdin, output: process.stderr })
  // While it listens, Ctrl+C is a key and no signal.
  readline.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const close = (): void => readline.close()
  signal.addEventListener('abort', close, { once: true })
  const answer = await new Promise<string | undefined>((resolve) => {
    readline.on('close', () => resolve(undefined))
    readline.question(`${question} `, resolve)
  })
  signal.removeEventListener('abort', close)
  readline.close()
  signal.throwIfAborted()
  if (answer === undefined) throw new UsageError('Nothing was given.', cure)
  return answer.trim()
}
