import { ControlError } from '../../../shared/control/transport.ts'
import { counted } from '../../../shared/numbers.ts'
import { intentId } from '../arguments/ids.ts'
import type { Context } from '../context.ts'
import type { Action } from '../command.ts'
import { EXIT, UsageError, type ExitCode } from '../exit.ts'
import { FILTER_OPTION, GOAL_OPTION, readFilter } from '../intents/filter.ts'
import { isConfirmed } from '../terminal/ask.ts'

type Verb = 'cancel' | 'retry'

/** What became of the intents; `missing` are ids that the bus does not know. */
interface Outcome {
  readonly matched: number
  readonly changed: number
  readonly missing: readonly string[]
}

const WORDS = {
  cancel: { infinitive: 'Cancel', done: 'Cancelled', filter: 'status:open goal:send_*' },
  retry: { infinitive: 'Retry', done: 'Retried', filter: 'status:dead error:"timed out"' }
} as const

export const cancel: Action = managing('cancel', {
  summary: 'make intents dead, for operators',
  details: 'A cancelled intent is a dead letter; `retry` brings it back. A filter leaves out those that are dead already.'
})

export const retry: Action = managing('retry', {
  summary: 'open intents again, with all their attempts, for operators',
  details: 'By id from any state; a filter leaves out those that are open or claimed.'
})

/** By ids, or by a filter once its count was seen and confirmed. */
function managing(verb: Verb, words: Pick<Action, 'summary' | 'details'>): Action {
  return {
    name: verb,
    ...words,
    usage: '<id...> | --filter <filter>',
    arity: { min: 0, max: Infinity },
    options: [FILTER_OPTION, GOAL_OPTION, { name: 'yes', short: 'y', summary: 'do not ask' }],
    examples: [`intent-bus ${verb} 0123456789abcdef0123456789abcdef`, `intent-bus ${verb} --filter '${WORDS[verb].filter}'`],

    async run(context) {
      const { args } = context
      const isByFilter = args.has('filter') || args.has('goal')
      const isById = args.positionals.length > 0
      if (isByFilter === isById) throw new UsageError(`Name what to ${verb}: either ids, or --filter or --goal.`)
      return isByFilter ? manageMatching(context, verb) : manageIds(context, verb)
    }
  }
}

async function manageIds(context: Context, verb: Verb): Promise<ExitCode> {
  const ids = [...new Set(context.args.positionals.map(intentId))]
  const operator = context.operator()
  const missing: string[] = []
  for (const id of ids) {
    try {
      await operator.call(`intents.${verb}`, { id })
    } catch (error) {
      if (!(error instanceof ControlError) || error.code !== 'not_found') throw error
      missing.push(id)
    }
  }
  return report(context, verb, { matched: ids.length - missing.length, changed: ids.length - missing.length, missing })
}

async function manageMatching(context: Context, verb: Verb): Promise<ExitCode> {
  const filter = readFilter(context.args, [])
  if (filter === '') {
    const cure = "If that is meant, say so: --filter 'status:open,claimed,fulfilled,dead'."
    throw new UsageError('An empty filter matches everything.', cure)
  }
  const operator = context.operator()
  const { count, asOf } = await operator.call('intents.count', { filter })
  if (count > 0 && !context.args.flag('yes')) {
    const question = `${WORDS[verb].infinitive} ${counted(count, 'intent')} matching \`${filter}\`?`
    if (!(await isConfirmed(question, context.stdin, context.signals.signal))) {
      context.output.note('Nothing was changed.')
      return EXIT.refused
    }
  }
  const none = { matched: 0, changed: 0 }
  const result = count === 0 ? none : await operator.call('intents.bulk', { action: verb, target: { filter, asOf } })
  return report(context, verb, { ...result, missing: [] })
}

async function report({ output }: Context, verb: Verb, outcome: Outcome): Promise<ExitCode> {
  const { matched, changed, missing } = outcome
  const intents = matched === changed ? counted(changed, 'intent') : `${changed} of ${counted(matched, 'intent')}`
  if (output.isJson) await output.json(outcome)
  else if (matched > 0) await output.line(`${WORDS[verb].done} ${intents}.`)
  else if (missing.length === 0) output.note('No intent matches.')
  for (const id of missing) output.note(`There is no intent ${id}.`)
  return missing.length > 0 || matched === 0 ? EXIT.nothing : EXIT.done
}
