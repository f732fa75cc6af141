import type { Context } from '../context.ts'
import { findTrust } from '../bus/trust.ts'
import type { Action } from '../command.ts'
import { checkKey, checkPassword } from '../doctor/access.ts'
import type { Check } from '../doctor/check.ts'
import { checkFiles } from '../doctor/files.ts'
import { checkServer } from '../doctor/server.ts'
import { checkTls } from '../doctor/tls.ts'
import { EXIT } from '../exit.ts'
import { cleanLine } from '../terminal/clean.ts'
import type { Style } from '../terminal/style.ts'
import { padToWidth } from '../terminal/width.ts'

const NAME_WIDTH = 11

export const doctor: Action = {
  name: 'doctor',
  summary: 'find out what is wrong, and what to do about it',
  usage: '',
  arity: { min: 0, max: 0 },
  options: [],
  details: `
    It looks whether the bus can be reached and is one, over https by its pin and its certificate, at its clock, the key, a
    signature, the password, and the files of secrets. It changes nothing.`,

  async run(context) {
    const { output } = context
    const checks: Check[] = []
    for await (const check of allChecks(context)) {
      checks.push(check)
      // Some take seconds: what is known is shown meanwhile.
      if (!output.isJson) await output.line(linesOf(check, output.style).join('\n'))
    }
    const firstTrouble = checks.find(({ outcome }) => outcome === 'trouble')
    const shown = checks.map(({ exitCode: _, ...check }) => check)
    if (output.isJson) await output.json({ ok: firstTrouble === undefined, url: context.address.url, checks: shown })
    return firstTrouble?.exitCode ?? EXIT.done
  }
}

/** Each as soon as it is known. */
async function* allChecks({ address, args, env, credentials, local, signals }: Context): AsyncGenerator<Check> {
  const { signal } = signals
  const source = { ...credentials(), warn: () => {} }
  yield* await checkTls(address, findTrust(args, env, address), signal)
  const { checks, answers } = await checkServer(address, source.fetch, signal)
  yield* checks
  if (answers === 'all') yield* checkKey(source, signal)
  if (answers !== 'nobody') yield checkPassword(source, signal)
  yield* checkFiles(local)
}

function linesOf({ name, outcome, text, cure }: Check, style: Style): string[] {
  const paints = { fine: style.green, warning: style.yellow, trouble: style.red, skipped: style.dim }
  const marks = { fine: 'ok', warning: 'warn', trouble: 'FAIL', skipped: '-' }
  const line = `${paints[outcome](padToWidth(marks[outcome], 4))}  ${padToWidth(name, NAME_WIDTH)}  ${cleanLine(text)}`
  return cure === undefined ? [line] : [line, `${' '.repeat(NAME_WIDTH + 8)}${style.bold(cleanLine(cure))}`]
}
