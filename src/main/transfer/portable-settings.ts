import { settingsSchema, type SettingName, type Settings } from '../../shared/control/settings.ts'
import type { SettingChange, Skipped } from '../../shared/control/transfer-views.ts'

/** Settings that are about this machine and its network, or that nobody wants to have switched on from afar. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set<SettingName>([
  'port',
  'maintenance',
  'share',
  'sharePort',
  'shareInterface',
  'sharePlain',
  'busName',
  'startAtLogin'
])

/** Settings that go along to another machine. */
export function portableSettings(values: Settings): Partial<Settings> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !OF_THE_MACHINE.has(name)))
}

/** Settings of a file that mean something here; the others with the reason why they do not count. */
export function readPortable(values: Readonly<Record<string, unknown>>): { readonly settings: Partial<Settings>; readonly skipped: Skipped[] } {
  const settings: Record<string, unknown> = {}
  const skipped: Skipped[] = []
  for (const [name, value] of Object.entries(values)) {
    const schema = Object.hasOwn(settingsSchema.shape, name) ? settingsSchema.shape[name as SettingName] : undefined
    const isOurs = schema?.safeParse(value).success === true && !OF_THE_MACHINE.has(name)
    if (isOurs) settings[name] = value
    else skipped.push({ what: 'settings', reason: 'this version has no such setting that could come from elsewhere', count: 1, example: name })
  }
  return { settings: settings as Partial<Settings>, skipped }
}

/** What taking over the settings of a file would change here. */
export function settingChanges(values: Readonly<Record<string, unknown>>, here: Settings): SettingChange[] {
  return Object.entries(readPortable(values).settings).flatMap(([key, to]) => {
    const name = key as SettingName
    return to === here[name] ? [] : [{ name, from: here[name], to }]
  })
}
