import { setTimeout as pause } from 'node:timers/promises'
import type { ImportPreview, ImportView } from '../../../shared/control/transfer-views.ts'
import type { Operator } from '../bus/operator.ts'
import type { Action } from '../command.ts'
import type { Context } from '../context.ts'
import { CommandError, EXIT, UsageError, type ExitCode } from '../exit.ts'
import { isConfirmed } from '../terminal/ask.ts'
import { knownPassphrase } from '../transfer/passphrase.ts'
import { sendFile } from '../transfer/sending.ts'
import { countsText, reportLines, skippedLines } from '../transfer/words.ts'

/** Milliseconds from one look at how far the bus is to the next. */
const LOOK_MS = 200

export const importCommand: Action = {
  name: 'import',
  summary: 'take in what another bus exported, or the database of the reference server; for operators',
  usage: '<file>',
  arity: { min: 1, max: 1 },
  options: [
    { name: 'settings', summary: 'also take over its settings, but for those of its machine' },
    { name: 'take-over', summary: 'main key and password of the old bus replace those of this one' },
    { name: 'without-secrets', summary: 'leave out what a passphrase protects: its keys let nobody in' },
    { name: 'yes', short: 'y', summary: 'do not ask' }
  ],
  details: `
The whole file is checked first, and you are told what is in it. What is here already stays as it is, so that an import which was interrupted can be
run again. It goes on in the bus when this command ends early.

The passphrase of an export with secrets comes from INTENT_BUS_PASSPHRASE, or is asked for. The reference server's infrastructure.db is only read;
stop that server first.`.trim(),
  examples: ['intent-bus import moving.ndjson', 'intent-bus import /srv/intent-bus/infrastructure.db --yes'],

  async run(context) {
    const { args, output } = context
    if (args.flag('take-over') && args.flag('without-secrets')) {
      throw new UsageError('--take-over needs the secrets that --without-secrets leaves out.')
    }
    const operator = context.operator()
    const id = await sendFile(operator, args.positionals[0]!)
    await operator.call('transfer.check', { id })
    const { state, problem, preview } = await settled(context, operator, 'checking')
    if (state !== 'ready' || preview === null) throw new CommandError(EXIT.refused, problem ?? 'The bus stopped looking at the file.')
    if (!output.isJson) tell(context, preview)
    if (!args.flag('yes') && !(await isAgreed(context))) return giveUp(context, operator, id)
    const passphrase = preview.hasSecrets && !args.flag('without-secrets') ? await knownPassphrase(context) : null
    const choice = { takeSettings: args.flag('settings'), takeOver: args.flag('take-over') }
    await operator.call('transfer.start', { id, passphrase, ...choice, confirm: true })
    return report(context, await settled(context, operator, 'importing'))
  }
}

function tell({ output }: Context, preview: ImportPreview): void {
  const from = preview.origin === 'export' ? `An export of Intent Bus Desktop ${preview.appVersion}` : 'A database of the reference server'
  output.note(`${from}: ${countsText(preview.counts)}.`)
  for (const line of skippedLines(preview.skipped)) output.note(`${line}.`)
  for (const note of preview.notes) output.note(note)
}

function isAgreed({ stdin, signals }: Context): Promise<boolean> {
  return isConfirmed('Import it?', stdin, signals.signal)
}

async function giveUp({ output }: Context, operator: Operator, id: string): Promise<ExitCode> {
  await operator.call('transfer.drop', { id })
  output.note('Nothing was imported.')
  return EXIT.refused
}

/** Waits until the bus does something else than this. */
async function settled({ signals }: Context, operator: Operator, busy: ImportView['state']): Promise<ImportView> {
  for (;;) {
    const { import: view } = await operator.call('transfer.get', {})
    if (view === null) throw new CommandError(EXIT.refused, 'Somebody else stopped this import.')
    if (view.state !== busy) return view
    await pause(LOOK_MS, undefined, { signal: signals.signal })
  }
}

async function report({ output }: Context, { state, problem, report: done }: ImportView): Promise<ExitCode> {
  if (state !== 'done' || done === null) {
    throw new CommandError(EXIT.refused, problem ?? 'The import did not come to its end.', 'Run it again: what came over already is left as it is.')
  }
  if (output.isJson) {
    await output.json(done)
    return EXIT.done
  }
  for (const line of reportLines(done)) await output.line(`${line}.`)
  for (const line of skippedLines(done.skipped)) output.note(`${line}.`)
  for (const note of done.notes) output.note(note)
  return EXIT.done
}
