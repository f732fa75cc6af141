import type { Operator } from '../bus/operator.ts'
import type { Action } from '../command.ts'
import { EXIT, UsageError } from '../exit.ts'
import { countsText } from '../../../shared/transfer-words.ts'
import { NewFile } from '../transfer/new-file.ts'
import { newPassphrase } from '../transfer/passphrase.ts'

export const exportCommand: Action = {
  name: 'export',
  summary: 'write everything into a file, to move to another machine; for operators',
  usage: '<file|->',
  arity: { min: 1, max: 1 },
  options: [{ name: 'secrets', summary: 'with the main key, the password and all keys, encrypted by a passphrase' }],
  details: `
Intents of every state with payloads, results and history, keys, templates, saved views, the key-value store and settings, as NDJSON. The file is
readable by you alone; whoever has it can read all payloads.

The passphrase comes from INTENT_BUS_PASSPHRASE, or is asked for. Without --secrets no key of the file lets anybody in.`.trim(),
  examples: ['intent-bus export moving.ndjson --secrets', 'intent-bus export - | gzip > moving.ndjson.gz'],

  async run(context) {
    const { args, output } = context
    const target = args.positionals[0]!
    if (target === '-' && output.isJson) throw new UsageError('The export is JSON already: leave --json out, or name a file.')
    const file = target === '-' ? undefined : await NewFile.begin(target)
    try {
      const passphrase = args.flag('secrets') ? await newPassphrase(context) : null
      const operator = context.operator()
      const { id, counts } = await operator.call('transfer.export', { passphrase })
      await readAll(operator, id, (text) => (file === undefined ? output.write(text) : file.write(text)))
      await file?.finish()
      if (output.isJson) await output.json({ file: target, counts })
      else output.note(`Exported ${countsText(counts)}${file === undefined ? '' : ` to ${target}`}.`)
      return EXIT.done
    } catch (error) {
      await file?.giveUp()
      throw error
    }
  }
}

async function readAll(operator: Operator, id: string, write: (text: string) => Promise<void>): Promise<void> {
  for (let part = 0, isLast = false; !isLast; part++) {
    const read = await operator.call('transfer.read', { id, part })
    await write(read.text)
    isLast = read.isLast
  }
}
