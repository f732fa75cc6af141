import { TRANSFER_KINDS, type ImportEffects, type Outcome, type Skipped, type TransferCounts, type TransferKind } from './control/transfer-views.ts'
import { counted, formatNumber } from './numbers.ts'

/** What moves from one bus to another, in words: for the command line, the interface and the audit trail. */

/** What is told of kinds: one of them, and many. */
const KINDS: Readonly<Record<Skipped['what'], readonly [one: string, many: string]>> = {
  intents: ['intent', 'intents'],
  keys: ['key', 'keys'],
  templates: ['template', 'templates'],
  savedViews: ['saved view', 'saved views'],
  keyValues: ['stored value', 'stored values'],
  settings: ['setting', 'settings']
}

/** `1 intent`, `2,000 stored values`. */
export function kindText(kind: Skipped['what'], count: number): string {
  return counted(count, ...KINDS[kind])
}

/** Everything counted together. */
export function totalOfCounts(counts: TransferCounts): number {
  return TRANSFER_KINDS.reduce((sum, kind) => sum + countOf(counts, kind), 0)
}

/** `3 intents, 1 key and 2 templates`; what there is none of is left out. */
export function countsText(counts: TransferCounts): string {
  const parts = TRANSFER_KINDS.flatMap((kind) => {
    const count = countOf(counts, kind)
    return count === 0 ? [] : [kindText(kind, count)]
  })
  if (parts.length === 0) return 'nothing'
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

/**
 * `1,200 intents added, 3 there already, 1 left out`, and what became of keys; nothing where there was nothing of that kind. `cure`: what
 * makes keys count that are here by name only.
 */
export function outcomeLines({ what, added, named, completed, present, skipped }: Outcome, cure: string): string[] {
  const lines = [
    ...(completed > 0 ? [`${kindText(what, completed)} completed: here by name only until now, and good for requests again`] : []),
    ...(named > 0 ? [`${kindText(what, named)} by name only: they let nobody in; ${cure}`] : [])
  ]
  const rest = restOf(present, skipped)
  // Where all are told of already, nothing is left to add.
  if (added === 0 && rest.length === 0) return lines
  return [[`${kindText(what, added)} added`, ...rest].join(', '), ...lines]
}

/** The same of all kinds in one line: `1,200 intents added, 3 there already; 1 key added, 2 completed`. */
export function outcomesText(outcomes: readonly Outcome[]): string {
  const parts = outcomes.flatMap(({ what, added, named, completed, present, skipped }) => {
    if (added + named + completed + present + skipped === 0) return []
    const ofKeys = [...(completed > 0 ? [`${formatNumber(completed)} completed`] : []), ...(named > 0 ? [`${formatNumber(named)} by name only`] : [])]
    return [[`${kindText(what, added)} added`, ...ofKeys, ...restOf(present, skipped)].join(', ')]
  })
  return parts.join('; ') || 'nothing'
}

/** `2 intents left out: its payload is not JSON (for example send_mail)`. */
export function skippedText({ what, reason, count, example }: Skipped): string {
  return `${kindText(what, count)} left out: ${reason} (for example ${example})`
}

/**
 * Why finished intents would not stay, and what to do, to stand behind a colon. `where`: the place of the bound, as ` (Storage)`; empty
 * where a link leads there.
 */
export function tooLargeText({ megabytes, bound }: NonNullable<ImportEffects['tooLarge']>, where: string): string {
  const sizes = `the database would have about ${formatNumber(megabytes)} MB, and may have ${formatNumber(bound)} MB`
  return `${sizes}: the oldest finished intents would be deleted soon after. Raise the bound first${where}, then import.`
}

function restOf(present: number, skipped: number): string[] {
  return [...(present > 0 ? [`${formatNumber(present)} there already`] : []), ...(skipped > 0 ? [`${formatNumber(skipped)} left out`] : [])]
}

function countOf({ intents, ...others }: TransferCounts, kind: TransferKind): number {
  return kind === 'intents' ? Object.values(intents).reduce((sum, count) => sum + count, 0) : others[kind]
}
