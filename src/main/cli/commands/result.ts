import { intentId } from '../arguments/ids.ts'
import type { Action } from '../command.ts'
import { EXIT } from '../exit.ts'
import { isSettled, printResult, readWait, WAIT_OPTION, WAIT_TIMEOUT_OPTION } from '../intents/result.ts'

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
    const id = intentId(args.positionals[0]!)
    const bus = client()
    const { signal } = signals
    // Who waits bears a bus that is away for a while, but one that is not there at all is worth a word.
    const now = await bus.getResult(id, { signal })
    const found = wait > 0 && !isSettled(now) ? await bus.getResult(id, { wait, signal }) : now
    await printResult(output, found, wait)
    return EXIT.done
  }
}
