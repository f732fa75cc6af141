import type { ImportEffects, ImportReport, SettingChange, Skipped, TransferCounts, TransferKind } from '../../../shared/control/transfer-views.ts'
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

/** `1,200 intents added, 3 there already, 1 left out`, a line for each kind that there was something of. `hasSecrets`: whether a passphrase opens keys of the file. */
export function reportLines({ outcomes }: ImportReport, hasSecrets: boolean): string[] {
  return outcomes.flatMap(({ what, added, named, completed, present, skipped }) => {
    const [one, many] = KINDS[what]
    const cure = hasSecrets ? 'import again with the passphrase' : 'export again with --secrets, and import that'
    const lines = [
      ...(completed > 0 ? [`${counted(completed, one, many)} completed: here by name only until now, and good for requests again`] : []),
      ...(named > 0 ? [`${counted(named, one, many)} by name only: they let nobody in; ${cure}`] : [])
    ]
    const rest = [
      ...(present > 0 ? [`${formatNumber(present)} there already`] : []),
      ...(skipped > 0 ? [`${formatNumber(skipped)} left out`] : [])
    ]
    // Where all are told of already, nothing is left to add.
    if (added === 0 && rest.length === 0) return lines
    return [[`${counted(added, one, many)} added`, ...rest].join(', '), ...lines]
  })
}

/** `2 intents: its payload is not JSON (for example send_mail)`. */
export function skippedLines(skipped: readonly Skipped[]): string[] {
  return skipped.map(({ what, reason, count, example }) => {
    const [one, many] = what === 'settings' ? (['setting', 'settings'] as const) : KINDS[what]
    return `${counted(count, one, many)} left out: ${reason} (for example ${example})`
  })
}

/** `Setting requireSignatures: true becomes false.` */
export function settingLines(changes: readonly SettingChange[]): string[] {
  if (changes.length === 0) return ['Its settings are as they are here.']
  return changes.map(({ name, from, to }) => `Setting ${name}: ${JSON.stringify(from)} becomes ${JSON.stringify(to)}.`)
}

/** Why finished intents would not stay, and what to do. */
export function tooLargeLine({ megabytes, bound }: NonNullable<ImportEffects['tooLarge']>): string {
  const sizes = `the database would have about ${formatNumber(megabytes)} MB, and may have ${formatNumber(bound)} MB`
  return `${sizes}: the oldest finished intents would be deleted soon after. Raise the bound first (Storage in the interface), then import.`
}
