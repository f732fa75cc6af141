import type { ImportEffects, ImportPreview, Outcome, SettingChange, Skipped, TransferCounts, TransferKind } from '../../../../shared/control/transfer-views.ts'
import { STATUS_NAMES } from '../../../../shared/control/views.ts'
import { counted, formatNumber } from '../../../lib/text/numbers.ts'
import { SETTING_LABELS } from '../labels.ts'

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

/** `1,200 intents added, 3 there already`, and what became of keys; nothing where there was nothing of that kind. */
export function outcomeTexts({ what, added, named, completed, present, skipped }: Outcome, { hasSecrets }: Pick<ImportPreview, 'hasSecrets'>): string[] {
  const cure = hasSecrets ? 'import again with the passphrase' : 'export again with keys and passwords, and import that'
  const lines = [
    ...(completed > 0 ? [`${kindText(what, completed)} completed: here by name only until now, and good for requests again`] : []),
    ...(named > 0 ? [`${kindText(what, named)} by name only: they let nobody in; ${cure}`] : [])
  ]
  const rest = [...(present > 0 ? [`${formatNumber(present)} there already`] : []), ...(skipped > 0 ? [`${formatNumber(skipped)} left out`] : [])]
  if (added === 0 && rest.length === 0) return lines
  return [[`${kindText(what, added)} added`, ...rest].join(', '), ...lines]
}

/** `Require signatures: on → off`. */
export function settingText({ name, from, to }: SettingChange): string {
  return `${SETTING_LABELS[name]}: ${valueText(from)} → ${valueText(to)}`
}

function valueText(value: SettingChange['from']): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return value === '' ? 'none' : String(value)
}

/** Why finished intents would not stay, and what to do. */
export function tooLargeText({ megabytes, bound }: NonNullable<ImportEffects['tooLarge']>): string {
  const sizes = `The database would have about ${formatNumber(megabytes)} MB, and may have ${formatNumber(bound)} MB`
  return `${sizes}: the oldest finished intents would be deleted soon after. Raise the bound first, then import.`
}

export function skippedText({ what, reason, count, example }: Skipped): string {
  return `${kindText(what, count)} left out: ${reason} (for example ${example}).`
}
