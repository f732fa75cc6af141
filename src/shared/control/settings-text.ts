import type { Settings, SettingName } from './settings.ts'

/** What the audit trail says of a change of settings, as `share: off → on; sharePort: 7611 → 7700; shareInterface: "" → "eth0"`. */

/** Those that decide who gets to the bus, and how: of these the trail says what was decided. What decides most comes first. */
const TOLD = [
  'share',
  'sharePlain',
  'requireSignatures',
  'maintenance',
  'shareDiscovery',
  'sharePort',
  'port',
  'shareInterface'
] as const satisfies readonly SettingName[]

/** A setting as it was and as it is: `on`, `off`, a number, or what was typed. */
export interface ToldChange {
  readonly before: string
  readonly now: string
}

/** What a change made of the settings that the trail tells; empty where it changed none of those. */
export function changeText(before: Settings, now: Settings): string {
  return TOLD.filter((name) => now[name] !== before[name])
    .map((name) => `${name}: ${valueText(before[name])} → ${valueText(now[name])}`)
    .join('; ')
}

/** Reads what `changeText` wrote, by the settings' names; without what was cut short, or is of another version. */
export function readChangeText(text: string): ReadonlyMap<string, ToldChange> {
  const parts = text.matchAll(PART)
  return new Map(Array.from(parts, ([, name, before, now]) => [name!, { before: plain(before!), now: plain(now!) }]))
}

const VALUE = String.raw`on|off|\d+|"(?:[^"\\]|\\.)*"`
const PART = new RegExp(String.raw`(\w+): (${VALUE}) → (${VALUE})(?:; |$)`, 'gy')

function valueText(value: boolean | number | string): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return JSON.stringify(value)
}

function plain(value: string): string {
  return value.startsWith('"') ? (JSON.parse(value) as string) : value
}
