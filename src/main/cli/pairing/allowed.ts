import { SECRET_PATTERN } from '../../../shared/limits.ts'
import type { PairingAllowed } from '../../../shared/pairing.ts'
import { ROLES, type KeyLimits, type Role } from '../../../shared/scope.ts'
import { CommandError, EXIT } from '../exit.ts'

const PIN = /^sha256\/\/[A-Za-z0-9+/]{43}=$/

/** Where a device asked, and what it knows of whoever answers there. */
export interface Asked {
  readonly url: string
  /** The pin that was seen there; undefined over plain HTTP, to this very machine. */
  readonly pin: string | undefined
}

/**
 * What a device is given, as it will be written down: that, and nothing more. Throws CommandError for an answer that no bus gives,
 * and for one that speaks of another bus than the one that answers.
 */
export function readAllowed(answer: object, { url, pin }: Asked): PairingAllowed {
  const { key, key_id: keyId, name, bus, limits: given } = answer as Unknown<PairingAllowed>
  const { name: busName, url: best, urls, pin: ownPin, ca } = membersOf<PairingAllowed['bus']>(bus)
  const limits = readLimits(given)
  const isFit =
    isText(key, SECRET_PATTERN) &&
    isText(keyId, /^key_[0-9a-f]{16}$/) &&
    isText(busName, /^/) &&
    isText(ownPin, PIN) &&
    (pin === undefined || ownPin === pin) &&
    isText(ca, /-----BEGIN CERTIFICATE-----/) &&
    isListOf(urls, isSecureUrl) &&
    isSecureUrl(best) &&
    urls.includes(best) &&
    limits !== undefined
  if (isFit) {
    const known = { name: busName, url: plainUrl(best), urls: urls.map(plainUrl), pin: ownPin, ca }
    return { status: 'allowed', key, key_id: keyId, name: String(name), bus: known, limits }
  }
  const problem = `What answers at ${url} let this device in, but gave it nothing that can be used.`
  throw new CommandError(EXIT.refused, problem, 'Update the older of the two programs.')
}

type Unknown<T> = { readonly [M in keyof T]?: unknown }

function membersOf<T>(value: unknown): Unknown<T> {
  return typeof value === 'object' && value !== null ? value : {}
}

/** undefined for what are no limits of a key. */
function readLimits(value: unknown): KeyLimits | undefined {
  const { scope, expiresAt, rateLimit } = membersOf<KeyLimits>(value)
  if (!isNumberOrNull(expiresAt) || !isNumberOrNull(rateLimit)) return undefined
  if (scope === null) return { scope, expiresAt, rateLimit }
  const { roles, namespaces, goals } = membersOf<NonNullable<KeyLimits['scope']>>(scope)
  const isFit = isListOrNull(roles, isRole) && isListOrNull(namespaces, isString) && isListOrNull(goals, isString)
  return isFit ? { scope: { roles, namespaces, goals }, expiresAt, rateLimit } : undefined
}

function isText(value: unknown, pattern: RegExp): value is string {
  return isString(value) && pattern.test(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isRole(value: unknown): value is Role {
  return (ROLES as readonly unknown[]).includes(value)
}

function isSecureUrl(value: unknown): value is string {
  return isText(value, /^https:/) && URL.canParse(value)
}

/** As the parser of addresses writes it, without what a shell or a terminal could take for something else. */
function plainUrl(text: string): string {
  return new URL(text).href.replace(/\/+$/, '')
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || typeof value === 'number'
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem)
}

function isListOrNull<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] | null {
  return value === null || isListOf(value, isItem)
}
