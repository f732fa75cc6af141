import { readFileSync } from 'node:fs'
import { addAbortSignal } from 'node:stream'
import { JsonText } from '../../client/index.ts'
import type { Context } from '../context.ts'
import type { Option } from '../command.ts'
import { UsageError } from '../exit.ts'

export const FILE_OPTION: Option = { name: 'file', value: 'file', isFile: true, summary: 'read the JSON from a file' }

/**
 * The JSON of a command: an argument, standard input for `-`, or what --file names; undefined where there is none. It keeps
 * every digit. Throws UsageError, and the reason of the user's signal.
 */
export async function readJsonInput(context: Context, argument: string | undefined): Promise<JsonText | undefined> {
  const file = context.args.text('file')
  if (file !== undefined) {
    if (argument !== undefined) throw new UsageError('The JSON is given twice: as an argument, and by --file.')
    return parse(readFile(file), file)
  }
  if (argument === undefined) return undefined
  if (argument !== '-') return parse(argument, argument)
  return parse(await readAll(context.stdin, context.signals.signal), 'Standard input')
}

function parse(text: string, name: string): JsonText {
  try {
    return new JsonText(text)
  } catch (error) {
    throw new UsageError(`${name} is not JSON: ${(error as Error).message}.`, `A text needs quotes of its own: '"hello"'.`)
  }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new UsageError(`The file ${path} cannot be read (${code ?? message}).`)
  }
}

async function readAll(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of addAbortSignal(signal, stdin)) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
