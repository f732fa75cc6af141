import { PASSPHRASE_LENGTH } from '../../../shared/limits.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../exit.ts'
import { askSecret } from '../terminal/ask-secret.ts'

const VARIABLE = 'INTENT_BUS_PASSPHRASE'

type Asking = Pick<Context, 'env' | 'stdin' | 'signals'>

/** The passphrase for an export that is to be made; asked for twice, as a slip of the finger would show only much later. */
export async function newPassphrase(context: Asking): Promise<string> {
  const given = context.env[VARIABLE]
  if (given !== undefined && given !== '') return checked(given)
  const cure = `Set ${VARIABLE}, or leave --secrets out.`
  const first = checked(await ask(context, 'Passphrase for the keys and passwords in the file:', cure))
  const again = await ask(context, 'The same again:', cure)
  if (first === again) return first
  throw new UsageError('These are two different passphrases.', 'Nothing was exported; try again.')
}

/** The passphrase of an export that is there. */
export async function knownPassphrase(context: Asking): Promise<string> {
  const given = context.env[VARIABLE]
  if (given !== undefined && given !== '') return given
  return ask(context, 'Passphrase of the export:', `Set ${VARIABLE}, or add --without-secrets to leave out what it protects.`)
}

function ask({ stdin, signals }: Asking, question: string, cure: string): Promise<string> {
  return askSecret(question, cure, stdin, signals.signal)
}

function checked(passphrase: string): string {
  const { min, max } = PASSPHRASE_LENGTH
  if (passphrase.length >= min && passphrase.length <= max) return passphrase
  throw new UsageError(`A passphrase has ${min} to ${max} characters.`, 'A few words that nobody else would put together are best.')
}
