import type { Context, Located } from '../context.ts'
import { fetchWith, findTrust } from '../bus/trust.ts'
import type { Action } from '../command.ts'
import { checkKey, checkOperator } from '../doctor/access.ts'
import { fine, type Check } from '../doctor/check.ts'
import { checkFiles, checkSharing } from '../doctor/files.ts'
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
    signature, the password, with that at its disk, and the files of secrets. A paired bus that is not where it was is looked for by
    its pin, and its new address kept; else it changes nothing. On the machine of a bus that is shared it says address and pin.`,

  async run(context) {
    const { output } = context
    const checks: Check[] = []
    const address = await context.locate()
    for await (const check of allChecks(context, address)) {
      checks.push(check)
      // Some take seconds: what is known is shown meanwhile.
      if (!output.isJson) await output.line(linesOf(check, output.style).join('\n'))
    }
    const firstTrouble = checks.find(({ outcome }) => outcome === 'trouble')
    const shown = checks.map(({ exitCode: _, ...check }) => check)
    if (output.isJson) await output.json({ ok: firstTrouble === undefined, url: address.url, checks: shown })
    return firstTrouble?.exitCode ?? EXIT.done
  }
}

/** Each as soon as it is known. */
async function* allChecks(context: Context, address: Located): AsyncGenerator<Check> {
  const { args, env, credentials, local, signals } = context
  const { signal } = signals
  const trust = findTrust(args, env, address)
  const source = { ...credentials(), url: address.url, fetch: fetchWith(trust), warn: () => {} }
  if (address.url !== context.address.url) yield fine('address', `The bus was at ${context.address.url}, and is at ${address.url} now.`)
  yield* await checkTls(address, trust, signal)
  const { checks, answers } = await checkServer(address, source.fetch, signal)
  yield* checks
  if (answers === 'all') yield* checkKey(source, signal)
  if (answers !== 'nobody') yield* checkOperator(source, signal)
  yield* checkSharing(local)
  yield* checkFiles(local)
}

function linesOf({ name, outcome, text, cure }: Check, style: Style): string[] {
  const paints = { fine: style.green, warning: style.yellow, trouble: style.red, skipped: style.dim }
  const marks = { fine: 'ok', warning: 'warn', trouble: 'FAIL', skipped: '-' }
  const line = `${paints[outcome](padToWidth(marks[outcome], 4))}  ${padToWidth(name, NAME_WIDTH)}  ${cleanLine(text)}`
  return cure === undefined ? [line] : [line, `${' '.repeat(NAME_WIDTH + 8)}${style.bold(cleanLine(cure))}`]
}
