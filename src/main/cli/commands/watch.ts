import { matchesChange, parseFilter } from '../../../shared/control/filter.ts'
import type { IntentChange } from '../../../shared/control/intent-views.ts'
import type { IntentChange as OwnChange } from '../../client/index.ts'
import type { Operator } from '../bus/operator.ts'
import { followFrames, isPassing } from '../bus/follow.ts'
import type { Context } from '../context.ts'
import type { Action } from '../command.ts'
import type { ExitCode } from '../exit.ts'
import { FILTER_OPTION, GOAL_OPTION, readFilter } from '../intents/filter.ts'
import { changeNote, eventWord, statusPaint } from '../intents/words.ts'
import { cleanLine } from '../terminal/clean.ts'
import { clockTime } from '../terminal/time.ts'
import { cutToWidth, padToWidth, textWidth } from '../terminal/width.ts'

const WORD_WIDTH = 10
const INCOMPLETE = 'There was more than is shown here.'

export const watch: Action = {
  name: 'watch',
  summary: 'show what happens to intents, as it happens',
  usage: '[filter...]',
  arity: { min: 0, max: Infinity },
  takesFilter: true,
  options: [FILTER_OPTION, GOAL_OPTION],
  details: `
    Operators see all intents. Without a password it shows those of the key: published by it, or claimed by it. It goes on
    until Ctrl+C, over restarts of the bus, too.`,
  examples: ['intent-bus watch status:dead', 'intent-bus watch --goal resize --json'],

  async run(context) {
    const filter = readFilter(context.args, context.args.positionals)
    const operator = context.maybeOperator()
    if (operator === undefined) return watchOwn(context, filter)
    return watchAll(context, operator, filter)
  }
}

async function watchAll(context: Context, operator: Operator, text: string): Promise<ExitCode> {
  const { output, signals } = context
  const filter = parseFilter(text)
  for await (const { changes, missed } of followFrames(operator, signals.signal, (trouble) => output.note(trouble))) {
    if (missed > 0) output.note(INCOMPLETE)
    let isUntold = false
    for (const change of changes) {
      const verdict = matchesChange(filter, change)
      const isWanted = verdict === 'unknown' ? await matchesNow(operator, text, change) : verdict
      if (isWanted) await print(context, change)
      if (isWanted === undefined) isUntold = true
    }
    if (isUntold) output.note(INCOMPLETE)
  }
  return signals.exitCode!
}

/**
 * A change does not tell all that a filter may ask of its intent; the bus knows the rest. Undefined while it is away: that must
 * not end the watch, which goes on when it is back.
 */
async function matchesNow(operator: Operator, text: string, { id }: IntentChange): Promise<boolean | undefined> {
  try {
    const { rows } = await operator.call('intents.list', { filter: `${text} id:${id}`, limit: 1 })
    return rows.length > 0
  } catch (error) {
    if (!isPassing(error)) throw error
    return undefined
  }
}

async function watchOwn(context: Context, text: string): Promise<ExitCode> {
  const { output, signals } = context
  const filter = parseFilter(text)
  const client = context.client()
  output.note('Without a password for operators only the intents of this key are shown.')
  let isTold = false
  for await (const event of client.events({ signal: signals.signal })) {
    if (event.type === 'gap') {
      output.note(INCOMPLETE)
      continue
    }
    const change = changeOf(event)
    const verdict = matchesChange(filter, change)
    if (verdict === 'unknown' && !isTold) {
      isTold = true
      output.warn('only operators can filter by all that an intent has; what cannot be told is shown.')
    }
    if (verdict !== false) await print(context, change)
  }
  return signals.exitCode!
}

/** The same change in the shape that operators get. */
function changeOf({ type: _, lastEventId: __, ...change }: OwnChange): IntentChange {
  return change as IntentChange
}

async function print({ output }: Context, change: IntentChange): Promise<void> {
  if (output.isJson) return output.json(change)
  const { style, width } = output
  const word = cleanLine(eventWord(change))
  const goal = change.namespace === 'default' ? change.goal : `${change.namespace}/${change.goal}`
  const head = `${clockTime(change.at)}  `
  const rest = cleanLine(`  ${change.id}  ${goal}  ${changeNote(change)}`.trimEnd())
  const room = width === undefined ? Infinity : width - textWidth(head) - WORD_WIDTH
  const event = statusPaint(change.status, style)(padToWidth(word, WORD_WIDTH))
  await output.line(`${style.dim(head)}${event}${cutToWidth(rest, room)}`)
}
