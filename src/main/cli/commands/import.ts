import { ControlError } from '../../../shared/control/transport.ts'
import type { ImportEffects, ImportPreview, ImportView } from '../../../shared/control/transfer-views.ts'
import { countsText, skippedText, tooLargeText } from '../../../shared/transfer-words.ts'
import type { Operator } from '../bus/operator.ts'
import type { Action } from '../command.ts'
import type { Context } from '../context.ts'
import { CommandError, EXIT, UsageError, type ExitCode } from '../exit.ts'
import { isConfirmed } from '../terminal/ask.ts'
import { knownPassphrase } from '../transfer/passphrase.ts'
import { sendSource } from '../transfer/sending.ts'
import { openSource, STANDARD_INPUT } from '../transfer/source.ts'
import { reportLines, settingLines } from '../transfer/words.ts'

const RUN_AGAIN = 'Run it again: what came over already is left as it is.'

export const importCommand: Action = {
  name: 'import',
  summary: 'take in what another bus exported, or the database of the reference server; for operators',
  usage: '<file|->',
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

The file may be compressed by gzip. For - standard input is read; add --yes then, as nobody can be asked.

The passphrase of an export with secrets comes from INTENT_BUS_PASSPHRASE, or is asked for. The reference server's infrastructure.db is only read;
stop that server first.`.trim(),
  examples: ['intent-bus import moving.ndjson', 'intent-bus import - --yes < moving.ndjson.gz', 'intent-bus import /srv/intent-bus/infrastructure.db --yes'],

  async run(context) {
    const { args, output } = context
    if (args.flag('take-over') && args.flag('without-secrets')) {
      throw new UsageError('--take-over needs the secrets that --without-secrets leaves out.')
    }
    const path = args.positionals[0]!
    if (path === STANDARD_INPUT && !args.flag('yes')) {
      throw new UsageError('Nobody can be asked while standard input is the file.', 'Add --yes to say yes beforehand.')
    }
    const operator = context.operator()
    // Not given up by Ctrl+C: who does not hear the id of an import cannot have it forgotten.
    const steady = context.operator(new AbortController().signal)
    const upload = new Arriving(steady)
    try {
      const id = await sendSource({ operator, steady }, await openSource(path, context), (begun) => (upload.id = begun))
      await operator.call('transfer.check', { id })
      const { state, problem, preview, effects } = await settled(operator, id, 'checking')
      if (state !== 'ready' || preview === null) throw new CommandError(EXIT.refused, problem ?? 'The bus stopped looking at the file.')
      if (!output.isJson) tell(context, preview, effects!)
      if (!args.flag('yes') && !(await isAgreed(context))) {
        output.note('Nothing was imported.')
        return EXIT.refused
      }
      const passphrase = preview.hasSecrets && !args.flag('without-secrets') ? await knownPassphrase(context) : null
      const choice = { takeSettings: args.flag('settings'), takeOver: args.flag('take-over') }
      await operator.call('transfer.start', { id, passphrase, ...choice, confirm: true })
      // From now on it is the bus's.
      upload.id = undefined
      return await report(context, await settled(operator, id, 'importing'), preview)
    } finally {
      await upload.drop()
    }
  }
}

/** A file in the bus that nobody has begun to import: it takes room there, and holds everything in clear. */
class Arriving {
  readonly #steady: Operator
  id: string | undefined

  constructor(steady: Operator) {
    this.#steady = steady
  }

  /** Has the bus forget it, also after Ctrl+C. Where that does not get through the bus does so by itself a little later. */
  async drop(): Promise<void> {
    if (this.id !== undefined) await this.#steady.call('transfer.drop', { id: this.id }).catch(() => {})
  }
}

function tell({ args, output }: Context, preview: ImportPreview, { settings, tooLarge }: ImportEffects): void {
  const from = preview.origin === 'export' ? `An export of Intent Bus Desktop ${preview.appVersion}` : 'A database of the reference server'
  output.note(`${from}: ${countsText(preview.counts)}.`)
  for (const one of preview.skipped) output.note(`${skippedText(one)}.`)
  for (const note of preview.notes) output.note(note)
  if (args.flag('settings')) for (const line of settingLines(settings)) output.note(line)
  if (tooLarge !== null) output.warn(tooLargeText(tooLarge, ' (Storage in the interface)'))
}

function isAgreed({ stdin, signals }: Context): Promise<boolean> {
  return isConfirmed('Import it?', stdin, signals.signal)
}

/** Waits until the bus does something else than this. */
async function settled(operator: Operator, id: string, busy: 'checking' | 'importing'): Promise<ImportView> {
  for (;;) {
    const view = await operator.call('transfer.wait', { id, state: busy }).catch(explainAbsence)
    if (view.state !== busy) return view
  }
}

function explainAbsence(error: unknown): never {
  const isGone = error instanceof ControlError && error.code === 'not_found'
  throw isGone ? new CommandError(EXIT.refused, 'The import was stopped, by somebody or by a restart of the bus.', RUN_AGAIN) : error
}

async function report({ output }: Context, { state, problem, report: done }: ImportView, preview: ImportPreview): Promise<ExitCode> {
  if (state !== 'done' || done === null) {
    throw new CommandError(EXIT.refused, problem ?? 'The import did not come to its end.', RUN_AGAIN)
  }
  if (output.isJson) {
    await output.json(done)
    return EXIT.done
  }
  for (const line of reportLines(done, preview.hasSecrets)) await output.line(`${line}.`)
  // What the check left out was told before.
  for (const one of done.skipped.slice(preview.skipped.length)) output.note(`${skippedText(one)}.`)
  for (const note of done.notes) output.note(note)
  return EXIT.done
}
