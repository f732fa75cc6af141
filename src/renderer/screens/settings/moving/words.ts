import type { ImportPreview, Outcome, Skipped, TransferCounts, TransferKind } from '../../../../shared/control/transfer-views.ts'
import { STATUS_NAMES } from '../../../../shared/control/views.ts'
import { counted, formatNumber } from '../../../lib/text/numbers.ts'

const KINDS: Readonly<Record<TransferKind | 'settings', readonly [one: string, many: string]>> = {
  intents: ['intent', 'intents'],
  keys: ['key', 'keys'],
  templates: ['template', 'templates'],
  savedViews: ['saved view', 'saved views'],
  keyValues: ['stored value', 'stored values'],
  settings: ['setting', 'settings']
}

export function kindText(kind: TransferKind | 'settings', count: number): string {
  return counted(count, ...KINDS[kind])
}

/** `1,200 intents (3 open, 1,197 fulfilled)` and so on, what there is none of left out. */
export function countLines({ intents, ...others }: TransferCounts): string[] {
  const statuses = STATUS_NAMES.filter((name) => intents[name] > 0)
  const total = statuses.reduce((sum, name) => sum + intents[name], 0)
  const detail = statuses.map((name) => `${formatNumber(intents[name])} ${name}`).join(', ')
  const rest = Object.entries(others).filter(([, count]) => count > 0)
  return [...(total > 0 ? [`${kindText('intents', total)} (${detail})`] : []), ...rest.map(([kind, count]) => kindText(kind as TransferKind, count))]
}

export function originText({ origin, appVersion }: ImportPreview): string {
  return origin === 'reference' ? 'The database of a reference server' : `An export of Intent Bus Desktop ${appVersion}`
}

/** `1,200 intents added, 3 there already`; undefined where there was nothing of that kind. */
export function outcomeText({ what, added, present, skipped }: Outcome): string | undefined {
  if (added + present + skipped === 0) return undefined
  const rest = [...(present > 0 ? [`${formatNumber(present)} there already`] : []), ...(skipped > 0 ? [`${formatNumber(skipped)} left out`] : [])]
  return [`${kindText(what, added)} added`, ...rest].join(', ')
}

export function skippedText({ what, reason, count, example }: Skipped): string {
  return `${kindText(what, count)} left out: ${reason} (for example ${example}).`
}
