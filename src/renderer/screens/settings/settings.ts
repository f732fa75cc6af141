import type { SessionView } from '../../../shared/control/network-views.ts'
import { RIGHTS, type Right } from '../../../shared/control/rights.ts'
import { SETTING_RANGES } from '../../../shared/control/setting-ranges.ts'
import type { SettingName } from '../../../shared/control/settings.ts'
import type { ListenerView, SettingsView } from '../../../shared/control/status-views.ts'
import { browserName } from '../../lib/text/device.ts'
import { listed } from '../../lib/text/lists.ts'
import { counted } from '../../lib/text/numbers.ts'

/** What is wrong with a number for a setting; null when it will do. */
export function rangeProblem(name: keyof typeof SETTING_RANGES, value: number | null): string | null {
  const { min, max } = SETTING_RANGES[name]
  const fits = value !== null && Number.isInteger(value) && value >= min && value <= max
  return fits ? null : `A whole number from ${min} to ${max}.`
}

/** Why a setting cannot be changed here; undefined when it can. */
export function heldBecause({ fixed, unavailable }: SettingsView, name: SettingName): string | undefined {
  const variable = fixed[name]
  return variable === undefined ? unavailable[name] : `Fixed by the variable ${variable} of the environment.`
}

/** What a pass of cleanup did, as one sentence. `stats`: the counts of SPEC 8.4. */
export function cleanupText(stats: Readonly<Record<string, number>>): string {
  const deleted = [
    [stats.fulfilled_deleted, 'fulfilled'],
    [stats.dead_deleted, 'dead'],
    [stats.expired_open_deleted, 'expired']
  ] as const
  const parts = deleted.flatMap(([count = 0, word]) => (count > 0 ? [counted(count, `${word} intent`)] : []))
  return parts.length === 0 ? 'Nothing was old enough to be deleted.' : `Deleted ${listed(parts)}.`
}

/** What `ended` sessions were; `isBrowser`: the one that asks goes on. */
export function endedText(ended: number, isBrowser: boolean): string {
  if (ended === 0) return isBrowser ? 'No other browser was logged in.' : 'No browser was logged in.'
  return `${counted(ended, isBrowser ? 'other browser' : 'browser')} logged out.`
}

/** What a browser is called: the name that a device was paired by, else what its browser is. */
export function sessionName({ name, isPaired }: Pick<SessionView, 'name' | 'isPaired'>): string {
  return isPaired ? name : browserName(name)
}

const RIGHT_VERBS: Readonly<Record<Right, readonly string[]>> = {
  watch: ['watches'],
  publish: ['publishes'],
  act: ['cancels', 'retries'],
  manage: ['manages']
}

/** `watches, publishes, cancels and retries`: what a browser with these rights does. */
export function rightsVerbs(rights: readonly Right[]): string {
  return listed(rights.flatMap((right) => RIGHT_VERBS[right]), Infinity)
}

/** What a browser with these rights does, as a sentence without its dot. */
export function rightsText(rights: readonly Right[]): string {
  if (RIGHTS.every((right) => rights.includes(right))) return 'May do everything'
  const verbs = rightsVerbs(rights)
  return verbs.charAt(0).toUpperCase() + verbs.slice(1)
}

/**
 * Where a page of a browser goes on after the bus moved to another port. null when the bus did not move, and when the page
 * is not reached by the bus's own port: then there is a proxy, which somebody has to tell.
 */
export function movedHref(
  page: { readonly href: string; readonly port: string },
  before: ListenerView | null,
  after: ListenerView | null
): string | null {
  if (before?.state !== 'listening' || after?.state !== 'listening' || before.port === after.port) return null
  if (page.port !== String(before.port)) return null
  const url = new URL(page.href)
  url.port = String(after.port)
  return url.href
}
