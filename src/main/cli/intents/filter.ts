import { escapeGlob, parseFilter, withTerm } from '../../../shared/control/filter.ts'
import type { Arguments } from '../arguments/arguments.ts'
import type { Option } from '../command.ts'
import { UsageError } from '../exit.ts'

export const FILTER_OPTION: Option = {
  name: 'filter',
  value: 'filter',
  isFilter: true,
  summary: 'in the language of the interface: status:dead goal:send_* error:"timed out"'
}
export const GOAL_OPTION: Option = { name: 'goal', value: 'goal', summary: 'only intents of this goal' }

/**
 * The filter of a command: what --filter says, the words given as arguments where `words` are these, and --goal. Throws
 * UsageError, with the place that is wrong.
 */
export function readFilter(args: Arguments, words: readonly string[]): string {
  const text = [args.text('filter') ?? '', ...words].join(' ').trim()
  const [problem] = parseFilter(text).problems
  if (problem !== undefined) {
    const place = text.slice(problem.at, problem.at + problem.length)
    throw new UsageError(`The filter means nothing at "${place}": ${problem.message}`)
  }
  const goal = args.text('goal')
  return goal === undefined ? text : withTerm(text, 'goal', escapeGlob(goal))
}
