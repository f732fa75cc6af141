import { RATE_LIMIT } from '../../../shared/limits.ts'
import type { KeyLimits, Role, Scope } from '../../../shared/scope.ts'
import { dateWords } from '../text/dates.ts'
import { listed } from '../text/lists.ts'
import { formatNumber } from '../text/numbers.ts'

/** What limits of keys mean, in words for people. */

const VERBS: Readonly<Record<Role, string>> = { publish: 'publishes', claim: 'claims', read: 'reads', operate: 'operates' }

/** `claims resize.*, until 3 Jan`; empty for a key without limits. `now`: Unix seconds. */
export function limitWords({ scope, expiresAt, rateLimit }: KeyLimits, now: number): string {
  const parts = [
    ...(scope === null ? [] : [scopeWords(scope)]),
    ...(rateLimit === null ? [] : [rateWords(rateLimit)]),
    ...(expiresAt === null ? [] : [`${expiresAt > now ? 'until' : 'expired'} ${dateWords(expiresAt, now)}`])
  ]
  return parts.join(', ')
}

/** What a key with these limits may do, a sentence each. */
export function abilitySentences({ scope, expiresAt, rateLimit }: KeyLimits, now: number): string[] {
  const roles = scope?.roles ?? null
  const where = scope === null ? '' : whereWords(scope)
  const may = (role: Role): boolean => roles === null || roles.includes(role)
  const sentences = [
    ...(may('publish') ? [`Publish intents${where}.`] : []),
    ...(may('claim') ? [`Claim and settle intents${where}: public ones, and private ones that were published with its key.`] : []),
    ...(may('read') ? ['Read statuses and results of intents that it may see, and follow their events.'] : []),
    ...(roles?.includes('operate') === true ? ['Watch, publish, cancel and retry everything on this bus, as you do here. Not its keys and settings.'] : [])
  ]
  sentences.push(`Send ${rateWords(rateLimit ?? RATE_LIMIT.requests)}.`)
  sentences.push(expiresAt === null ? 'It may do so until you revoke its key.' : `It may do so until ${dateWords(expiresAt, now)}, or until you revoke its key.`)
  return sentences
}

function scopeWords({ roles, namespaces, goals }: Scope): string {
  const verbs = roles === null ? 'only' : listed(roles.map((role) => VERBS[role]))
  const what = goals === null ? '' : ` ${listed(goals)}`
  const where = namespaces === null ? '' : ` in ${listed(namespaces)}`
  return `${verbs}${what}${where}`
}

function whereWords({ namespaces, goals }: Scope): string {
  const what = goals === null ? '' : ` with the ${goals.length === 1 ? 'goal' : 'goals'} ${listed(goals, 8)}`
  const where = namespaces === null ? '' : ` in the ${namespaces.length === 1 ? 'namespace' : 'namespaces'} ${listed(namespaces, 8)}`
  return `${what}${where}`
}

function rateWords(rate: number): string {
  return `${formatNumber(rate)} ${rate === 1 ? 'request' : 'requests'} a minute`
}
