import type { IntentRow } from '../../../shared/control/intent-views.ts'
import type { Context } from '../context.ts'
import type { Action } from '../command.ts'
import { EXIT, type ExitCode } from '../exit.ts'
import { FILTER_OPTION, GOAL_OPTION, readFilter } from '../intents/filter.ts'
import { noteOf, statusPaint } from '../intents/words.ts'
import type { Cell, Column } from '../terminal/table.ts'
import { nowInSeconds, relativeTime } from '../terminal/time.ts'

const DEFAULT_LIMIT = 50
const LIMIT = { min: 1, max: 1_000_000 } as const
/** Rows that are asked for at a time. */
const PAGE = 1_000

export const list: Action = {
  name: 'list',
  summary: 'list intents, for operators',
  usage: '[filter...]',
  arity: { min: 0, max: Infinity },
  takesFilter: true,
  options: [
    FILTER_OPTION,
    GOAL_OPTION,
    { name: 'limit', value: 'count', summary: `show so many at most (${DEFAULT_LIMIT})` },
    { name: 'all', summary: 'show all that match' },
    { name: 'oldest', summary: 'the oldest first' }
  ],
  details: `
    Newest first. The words of a filter may be given as arguments; one that begins with a minus goes behind --, or into
    --filter=...`,
  examples: ['intent-bus list status:dead goal:send_*', "intent-bus list --filter='-ns:lab age:<1h' --json"],

  async run(context) {
    const { args } = context
    const filter = readFilter(args, args.positionals)
    const limit = args.flag('all') ? Infinity : (args.wholeNumber('limit', LIMIT) ?? DEFAULT_LIMIT)
    const pages = pagesOf(context, filter, limit)
    return context.output.isJson ? printJson(context, pages) : printTable(context, pages)
  }
}

async function* pagesOf(context: Context, filter: string, limit: number): AsyncGenerator<readonly IntentRow[]> {
  const operator = context.operator()
  const order = context.args.flag('oldest') ? 'oldest' : 'newest'
  let cursor: string | undefined
  let left = limit
  do {
    const page = await operator.call('intents.list', { filter, order, limit: Math.min(PAGE, left), cursor })
    if (page.rows.length > 0) yield page.rows
    left -= page.rows.length
    cursor = page.next ?? undefined
  } while (cursor !== undefined && left > 0)
}

/** One array, written as it comes: there may be a million of them. */
async function printJson({ output }: Context, pages: AsyncIterable<readonly IntentRow[]>): Promise<ExitCode> {
  let count = 0
  for await (const rows of pages) {
    await output.jsonText(rows.map((row) => `${count++ === 0 ? '[' : ',\n'}${JSON.stringify(row)}`).join(''))
  }
  await output.line(count === 0 ? '[]' : ']')
  return count === 0 ? EXIT.nothing : EXIT.done
}

async function printTable({ output }: Context, pages: AsyncIterable<readonly IntentRow[]>): Promise<ExitCode> {
  const rows: IntentRow[] = []
  for await (const page of pages) rows.push(...page)
  if (rows.length === 0) {
    output.note('No intent matches.')
    return EXIT.nothing
  }
  const now = nowInSeconds()
  const hasNamespaces = rows.some(({ namespace }) => namespace !== 'default')
  const columns: Column[] = [
    { title: 'ID' },
    { title: 'STATUS' },
    { title: 'GOAL', shrinksTo: 10 },
    ...(hasNamespaces ? [{ title: 'NAMESPACE', shrinksTo: 9 }] : []),
    { title: 'TRIES', align: 'right' },
    { title: 'PUBLISHED', align: 'right' },
    { title: 'NOTE', shrinksTo: 6 }
  ]
  const cells = rows.map((row): Cell[] => [
    row.id,
    { text: row.status, paint: statusPaint(row.status, output.style) },
    row.goal,
    ...(hasNamespaces ? [row.namespace] : []),
    `${row.attempts}/${row.maxAttempts}`,
    relativeTime(row.createdAt, now),
    noteOf(row, now)
  ])
  await output.table(columns, cells)
  return EXIT.done
}
