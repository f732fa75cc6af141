import type { ImportPreview, Outcome, SettingChange, TransferCounts, TransferKind } from '../../../../shared/control/transfer-views.ts'
import { STATUS_NAMES } from '../../../../shared/control/intent-views.ts'
import { kindText, outcomeLines } from '../../../../shared/transfer-words.ts'
import { formatNumber } from '../../../lib/text/numbers.ts'
import { SETTING_LABELS } from '../labels.ts'

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

/** What became of one kind; nothing where there was nothing of it. */
export function outcomeTexts(outcome: Outcome, { hasSecrets }: Pick<ImportPreview, 'hasSecrets'>): string[] {
  return outcomeLines(outcome, hasSecrets ? 'import again with the passphrase' : 'export again with keys and passwords, and import that')
}

/** `Require signatures: on → off`. */
export function settingText({ name, from, to }: SettingChange): string {
  return `${SETTING_LABELS[name]}: ${valueText(from)} → ${valueText(to)}`
}

function valueText(value: SettingChange['from']): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return value === '' ? 'none' : String(value)
}
