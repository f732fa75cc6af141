import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { UsageError } from '../exit.ts'

/** What the user types on one line, which does not show. Throws UsageError with `cure` where nobody can be asked, or nothing is said. */
export async function askSecret(question: string, cure: string, stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  if (!stdin.isTTY) throw new UsageError(`${question} There is no terminal to ask on.`, cure)
  process.stderr.write(`${question} `)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const readline = createInterface({ input: stdin, output: nowhere, terminal: true })
  // While it listens, Ctrl+C is a key and no signal.
  readline.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const close = (): void => readline.close()
  signal.addEventListener('abort', close, { once: true })
  const answer = await new Promise<string | undefined>((resolve) => {
    readline.on('close', () => resolve(undefined))
    readline.question('', resolve)
  })
  signal.removeEventListener('abort', close)
  readline.close()
  process.stderr.write('\n')
  signal.throwIfAborted()
  if (answer === undefined || answer === '') throw new UsageError('Nothing was given.', cure)
  return answer
}
