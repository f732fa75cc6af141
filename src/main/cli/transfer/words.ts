import type { ImportReport, Skipped, TransferCounts, TransferKind } from '../../../shared/control/transfer-views.ts'
import { counted, formatNumber } from '../terminal/words.ts'

/** What is told of kinds: one of them, and many. */
const KINDS: Readonly<Record<TransferKind, readonly [one: string, many: string]>> = {
  intents: ['intent', 'intents'],
  keys: ['key', 'keys'],
  templates: ['template', 'templates'],
  savedViews: ['saved view', 'saved views'],
  keyValues: ['stored value', 'stored values']
}

/** `3 intents, 1 key and 2 templates`; what there is none of is left out. */
export function countsText({ intents, ...others }: TransferCounts): string {
  const all = { intents: Object.values(intents).reduce((sum, count) => sum + count, 0), ...others }
  const parts = Object.entries(KINDS).flatMap(([kind, [one, many]]) => {
    const count = all[kind as TransferKind]
    return count === 0 ? [] : [counted(count, one, many)]
  })
  if (parts.length === 0) return 'nothing'
  return parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

/** `1,200 intents added, 3 were there already, 1 skipped`, a line for each kind that there was something of. */
export function reportLines({ outcomes }: ImportReport): string[] {
  return outcomes.flatMap(({ what, added, present, skipped }) => {
    if (added + present + skipped === 0) return []
    const [one, many] = KINDS[what]
    const rest = [
      ...(present > 0 ? [`${formatNumber(present)} there already`] : []),
      ...(skipped > 0 ? [`${formatNumber(skipped)} left out`] : [])
    ]
    return [[`${counted(added, one, many)} added`, ...rest].join(', ')]
  })
}

/** `2 intents: its payload is not JSON (for example send_mail)`. */
export function skippedLines(skipped: readonly Skipped[]): string[] {
  return skipped.map(({ what, reason, count, example }) => {
    const [one, many] = what === 'settings' ? (['setting', 'settings'] as const) : KINDS[what]
    return `${counted(count, one, many)} left out: ${reason} (for example ${example})`
  })
}
