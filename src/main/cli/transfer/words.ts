import type { ImportReport, SettingChange } from '../../../shared/control/transfer-views.ts'
import { outcomeLines } from '../../../shared/transfer-words.ts'

/** `1,200 intents added, 3 there already`, a line for each kind that there was something of. `hasSecrets`: whether a passphrase opens keys of the file. */
export function reportLines({ outcomes }: ImportReport, hasSecrets: boolean): string[] {
  const cure = hasSecrets ? 'import again with the passphrase' : 'export again with --secrets, and import that'
  return outcomes.flatMap((outcome) => outcomeLines(outcome, cure))
}

/** `Setting requireSignatures: true becomes false.` */
export function settingLines(changes: readonly SettingChange[]): string[] {
  if (changes.length === 0) return ['Its settings are as they are here.']
  return changes.map(({ name, from, to }) => `Setting ${name}: ${JSON.stringify(from)} becomes ${JSON.stringify(to)}.`)
}
