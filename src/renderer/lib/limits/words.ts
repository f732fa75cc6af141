import { limitsText, rateText } from '../../../shared/control/limits-text.ts'
import { RATE_LIMIT } from '../../../shared/limits.ts'
import type { KeyLimits, Role, Scope } from '../../../shared/scope.ts'
import { dateWords } from '../text/dates.ts'
import { listed } from '../text/lists.ts'

/** What limits of keys mean, in words for people. */

/** `claim; goals resize.*; until 3 Jan`, or `no limits`. `now`: Unix seconds. */
export function limitWords(limits: KeyLimits, now: number): string {
  return limitsText(limits, { time: (at) => dateWords(at, now), names: listed })
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
  sentences.push(`Send ${rateText(rateLimit ?? RATE_LIMIT.requests)}.`)
  sentences.push(expiresAt === null ? 'It may do so until you revoke its key.' : `It may do so until ${dateWords(expiresAt, now)}, or until you revoke its key.`)
  return sentences
}

function whereWords({ namespaces, goals }: Scope): string {
  const what = goals === null ? '' : ` with the ${goals.length === 1 ? 'goal' : 'goals'} ${listed(goals, 8)}`
  const where = namespaces === null ? '' : ` in the ${namespaces.length === 1 ? 'namespace' : 'namespaces'} ${listed(namespaces, 8)}`
  return `${what}${where}`
}
