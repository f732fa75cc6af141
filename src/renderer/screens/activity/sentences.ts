import { RESTORED } from '../../../shared/control/backup-views.ts'
import { readLimitsText } from '../../../shared/control/limits-text.ts'
import type { AuditEvent, AuditView } from '../../../shared/control/network-views.ts'
import { RIGHTS } from '../../../shared/control/rights.ts'
import type { SettingName } from '../../../shared/control/settings.ts'
import { readChangeText } from '../../../shared/control/settings-text.ts'
import { limitWords } from '../../lib/limits/words.ts'
import { browserName } from '../../lib/text/device.ts'
import { listed } from '../../lib/text/lists.ts'
import type { KeyNames } from '../intents/detail/names.ts'
import { SETTING_LABELS } from '../settings/labels.ts'
import { rightsVerbs } from '../settings/settings.ts'

/** What happened, as a sentence; the time, who, and from where stand beside it. */

/** A part of what the trail holds. */
export const AUDIT_KINDS = ['all', 'access', 'keys', 'network', 'bus'] as const
export type AuditKind = (typeof AUDIT_KINDS)[number]

/** What a sentence is made of. */
interface Facts {
  readonly subject: string
  readonly detail: string
  /** Owners of keys by their ids. */
  readonly nameOf: KeyNames
  /** When it happened: an expiry was still to come then. */
  readonly at: number
}

interface Telling {
  readonly kind: Exclude<AuditKind, 'all'>
  /** Another part that it is looked for in. */
  readonly also?: (detail: string) => Exclude<AuditKind, 'all'>
  /** Something that a careful user looks into. */
  readonly isWarning?: true
  readonly tell: (facts: Facts) => string
}

const TELLINGS: Readonly<Record<AuditEvent, Telling>> = {
  'bus.started': { kind: 'bus', tell: ({ detail }) => `The bus started${inBrackets(detail)}.` },
  'bus.paused': { kind: 'bus', tell: () => 'The bus was paused.' },
  'bus.resumed': { kind: 'bus', tell: () => 'The bus was resumed.' },
  'backup.made': { kind: 'bus', tell: ({ subject }) => `A backup was made: ${subject}.` },
  'backup.restored': {
    kind: 'bus',
    isWarning: true,
    tell: ({ subject, detail }) => `${restoredSentence(subject)}${restoreCosts(detail)}`
  },
  'bus.purged': { kind: 'bus', tell: ({ subject }) => `Intents were purged: ${subject}.` },
  'settings.changed': { kind: 'bus', tell: ({ subject, detail }) => `Settings were changed: ${settingChanges(subject, detail)}.` },
  'data.exported': { kind: 'bus', isWarning: true, tell: ({ subject, detail }) => `Everything was exported, ${subject}: ${detail}.` },
  'data.imported': { kind: 'bus', tell: ({ subject, detail }) => `The file ${subject} was imported: ${detail}.` },
  'import.started': { kind: 'bus', tell: ({ subject, detail }) => `The import of the file ${subject} began: ${detail}.` },
  'import.stopped': { kind: 'bus', isWarning: true, tell: ({ subject, detail }) => `The import of the file ${subject} was stopped; until then: ${detail}.` },
  'import.failed': { kind: 'bus', isWarning: true, tell: ({ subject, detail }) => `The import of the file ${subject} failed; until then: ${withoutStop(detail)}.` },
  login: {
    kind: 'access',
    // What presents its credentials with every request has no browser, but names these.
    tell: ({ subject, detail }) => (subject === '' ? `A browser logged in${detail === '' ? '' : `: ${browserName(detail)}`}.` : `The ${subject} was used by a program.`)
  },
  'login.failed': {
    kind: 'access',
    isWarning: true,
    tell: ({ subject, detail }) => `A wrong ${subject || 'password'} was refused${times(detail)}.`
  },
  logout: { kind: 'access', tell: () => 'A browser logged out.' },
  'session.ended': {
    kind: 'access',
    tell: ({ subject, detail }) => (subject === 'all others' ? `All other browsers were logged out${inBrackets(detail)}.` : `${browserName(subject)} was logged out.`)
  },
  'secret.revealed': { kind: 'access', tell: ({ subject }) => `The ${subject} was shown.` },
  'password.changed': { kind: 'access', tell: () => 'The password was changed; other browsers were logged out.' },
  'key.created': { kind: 'keys', tell: ({ detail, at }) => `A key was made for ${madeFor(detail, at)}.` },
  'key.changed': { kind: 'keys', tell: ({ subject, detail, nameOf, at }) => `The key of ${nameOf(subject)} was changed: ${limitsAsListed(detail, at)}.` },
  'key.revoked': { kind: 'keys', tell: ({ subject, detail }) => `The key of ${detail || subject} was revoked.` },
  'key.rotated': { kind: 'keys', tell: () => 'The main key was replaced.' },
  'sharing.started': { kind: 'network', tell: ({ detail }) => `Sharing was turned on${detail === '' ? '' : `: ${withoutStop(detail)}`}.` },
  'sharing.stopped': { kind: 'network', tell: () => 'Sharing was stopped.' },
  'identity.replaced': { kind: 'network', tell: () => 'Root certificate and key were replaced.' },
  'pairing.started': { kind: 'network', tell: () => 'A pairing code was shown.' },
  'pairing.asked': { kind: 'network', tell: ({ subject, detail }) => `${subject} asked for ${detail === 'browser' ? 'this interface in a browser' : 'a key of its own'}.` },
  'pairing.allowed': {
    kind: 'network',
    also: (detail) => (givenRights(detail) === undefined ? 'keys' : 'access'),
    tell: ({ subject, detail, at }) => `${subject} was let in, ${givenWords(detail, at)}.`
  },
  'pairing.refused': { kind: 'network', tell: ({ subject }) => `${subject} was refused.` },
  'pairing.expired': { kind: 'network', tell: ({ subject, detail }) => `${subject} was not let in in time${inBrackets(detail)}.` },
  'pairing.wrong': { kind: 'network', isWarning: true, tell: ({ detail }) => `A wrong pairing code was refused${times(detail)}.` }
}

/** What happened, as a sentence; the bare name of an event of another version. `nameOf`: owners of keys by their ids. */
export function auditSentence({ event, at, subject, detail }: AuditView, nameOf: KeyNames): string {
  return tellingOf(event)?.tell({ subject, detail, nameOf, at }) ?? event
}

export function isWarning({ event }: AuditView): boolean {
  return tellingOf(event)?.isWarning === true
}

export function isOfKind({ event, detail }: AuditView, kind: AuditKind): boolean {
  const telling = tellingOf(event)
  return kind === 'all' || telling?.kind === kind || telling?.also?.(detail) === kind
}

/** undefined for what only another version of the bus notes. */
function tellingOf(event: AuditEvent): Telling | undefined {
  return Object.hasOwn(TELLINGS, event) ? TELLINGS[event] : undefined
}

/** Who it was. `nameOf`: owners of keys by their ids. */
export function actorWords(actor: string, nameOf: KeyNames): string {
  const known = ACTORS[actor]
  if (known !== undefined) return known
  const [, kind, rest = ''] = /^(browser|key) (.*)$/s.exec(actor) ?? []
  if (kind === 'browser') return `In the browser ${rest}`
  return kind === 'key' ? `With the key of ${nameOf(rest)}` : actor
}

const ACTORS: Readonly<Record<string, string>> = {
  desktop: 'At the app',
  headless: 'At the start',
  password: 'With the password',
  browser: 'In a browser with the password',
  '': 'A stranger'
}

/** `detail`: `pi4: claim; goals resize.*`; an owner may have a colon in its name. */
function madeFor(detail: string, at: number): string {
  for (let colon = detail.indexOf(': '); colon !== -1; colon = detail.indexOf(': ', colon + 1)) {
    const text = detail.slice(colon + 2)
    if (readLimitsText(text) !== null) return `${detail.slice(0, colon)}: ${limitsAsListed(text, at)}`
  }
  return detail
}

/** The limits of a key as the list of keys says them; as they were noted where that was cut short. */
function limitsAsListed(text: string, at: number): string {
  const limits = readLimitsText(text)
  return limits === null ? text : limitWords(limits, at)
}

/** `detail`: `key_1: claim; goals resize.*`, or `browser: watch, publish`. */
function givenWords(detail: string, at: number): string {
  const names = givenRights(detail)
  if (names !== undefined) return `and ${rightsVerbs(RIGHTS.filter((right) => names.includes(right)))}`
  return `with a key of its own: ${limitsAsListed(detail.slice(detail.indexOf(': ') + 2), at)}`
}

/** What a browser was given; undefined for a machine, which got a key. */
function givenRights(detail: string): readonly string[] | undefined {
  return /^browser: (.*)$/.exec(detail)?.[1]!.split(', ')
}

/** For within a sentence. */
function withoutStop(detail: string): string {
  return detail.replace(/\.$/, '')
}

/** `subject`: names of settings, as `port, share`; a trail of another version may have others. `detail`: what some were and are. */
function settingChanges(subject: string, detail: string): string {
  const told = readChangeText(detail)
  const changes = subject.split(', ').map((name) => {
    const label = Object.hasOwn(SETTING_LABELS, name) ? `“${SETTING_LABELS[name as SettingName]}”` : name
    const change = told.get(name)
    return change === undefined ? label : `${label} from ${change.before || 'automatic'} to ${change.now || 'automatic'}`
  })
  return listed(changes, Infinity)
}

/** `subject`: the moment of a backup, or one of RESTORED; empty for what an older version did without a backup. */
function restoredSentence(subject: string): string {
  if (subject === RESTORED.empty) return 'The bus began with an empty database.'
  if (subject === RESTORED.readable) return 'The bus went on with what could be read of its database.'
  return subject === '' ? 'The damaged database was set aside.' : `The backup of ${subject} was restored.`
}

/** `detail`: sentences; of an older version only the name of what was there before. */
function restoreCosts(detail: string): string {
  if (detail === '') return ''
  return detail.endsWith('.') ? ` ${detail}` : ` What was there before is ${detail}.`
}

function inBrackets(detail: string): string {
  return detail === '' ? '' : ` (${detail})`
}

/** `detail`: how many attempts are gathered in an entry. */
function times(detail: string): string {
  return detail === '' || detail === '1' ? '' : `, ${detail} times`
}
