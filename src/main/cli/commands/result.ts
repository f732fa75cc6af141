import type { Action } from '../command.ts'
import { EXIT } from '../exit.ts'
import { printResult, readWait, WAIT_OPTION, WAIT_TIMEOUT_OPTION } from '../intents/result.ts'

export const result: Action = {
  name: 'result',
  summary: 'print the result of an intent',
  usage: '<id>',
  arity: { min: 1, max: 1 },
  options: [WAIT_OPTION, WAIT_TIMEOUT_OPTION],
  details: `
    For whoever published it or worked on it, and for the main key. A text is printed as text, JSON as JSON; --json prints
    all that is known.`,

  async run({ args, client, output, signals }) {
    const wait = readWait(args)
    const found = await client().getResult(args.positionals[0]!, { wait, signal: signals.signal })
    await printResult(output, found, wait)
    return EXIT.done
  }
}
