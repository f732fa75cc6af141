import { historyLine } from '../../../shared/history.ts'
import { compactJson } from '../../../shared/json-text.ts'
import * as limits from '../../../shared/limits.ts'
import { NO_LIMITS } from '../../../shared/scope.ts'
import { STATUS } from '../intents/intent.ts'
import { digestOf, MAIN_KEY_ID } from '../keys.ts'
import { MAX_VALUE_BYTES } from './export-records.ts'
import { opensAgain } from './moved.ts'
import { isFromTomorrow, placeOfForeign } from './places.ts'
import type { ImportedIntent, ImportedKey, ImportedKeyValue } from './records.ts'
import type { Skips } from './skips.ts'

/** A row of the reference server: SQLite holds its columns to no type. */
export type Foreign = Readonly<Record<string, unknown>>

/** Who is who among its keys, which it keeps in clear. */
export interface KeyNames {
  /** Whether the key counts there. */
  isKnown(key: string): boolean
  /** The public id of a key here. */
  idOf(key: string): string
}

/** Thrown for a row that cannot come over. */
class RowProblem extends Error {}

/** What the reference server calls its states; `failed` is from before 7.6. */
const STATES: Readonly<Record<string, number>> = {
  open: STATUS.open,
  claimed: STATUS.claimed,
  fulfilled: STATUS.fulfilled,
  dead: STATUS.dead,
  failed: STATUS.dead
}
/** Why the dead letter of an intent was written that nobody claimed in time: here such a one is a tombstone. */
const UNCLAIMED = 'Expired unclaimed'

/** An intent, undefined with a reason where it cannot come over. */
export function readForeignIntent(row: Foreign, keys: KeyNames, skips: Skips, now: number): ImportedIntent | undefined {
  return attempt(skips, 'intents', textOf(row.id) ?? 'without an id', () => {
    const status = STATES[textOf(row.status) ?? '']
    if (status === undefined) throw new RowProblem('its status means nothing here')
    const intent = common(row, keys, textOf(row.id), timeOf(row.created_at))
    const claimedBy = textOf(row.claimed_by)
    const claim = {
      claimed_at: timeOf(row.claimed_at),
      claimed_by: claimedBy === null ? null : keys.idOf(claimedBy)
    }
    const attempts = wholeNumber(row.claim_attempts, 0, { min: 0, max: 1_000 })
    const rest = { ...intent, ...claim, claim_attempts: attempts, last_error: cut(textOf(row.last_error)) }
    if (status === STATUS.fulfilled) return fulfilled(rest, row)
    if (status === STATUS.dead) return dead(rest, timeOf(row.failed_at))
    const open = { ...rest, status: STATUS.open }
    return inTime(status === STATUS.claimed ? opensAgain(open, now) : open, now)
  })

  function fulfilled(intent: ImportedIntent, from: Foreign): ImportedIntent {
    const at = timeOf(from.completed_at) ?? intent.claimed_at ?? intent.created_at
    const history = claimedLine(intent) + historyLine({ at, event: 'fulfilled' })
    const result = resultOf(from)
    return inTime({ ...intent, status: STATUS.fulfilled, finished_at: at, last_error: null, history, ...result }, now)
  }

  function dead(intent: ImportedIntent, failedAt: number | null): ImportedIntent {
    const at = failedAt ?? intent.claimed_at ?? intent.created_at
    const error = intent.last_error ?? 'unknown'
    const history = claimedLine(intent) + historyLine({ at, event: 'failed', error })
    return inTime({ ...intent, status: STATUS.dead, finished_at: at, last_error: error, claimed_by: null, history }, now)
  }
}

/** A dead letter whose intent is gone from the table of intents. */
export function readDeadLetter(row: Foreign, keys: KeyNames, skips: Skips, now: number): ImportedIntent | undefined {
  return attempt(skips, 'intents', textOf(row.intent_id) ?? 'without an id', () => {
    // Of its life nothing is told but the end.
    const at = timeOf(row.created_at)
    const intent = common(row, keys, textOf(row.intent_id), at)
    const reason = cut(textOf(row.reason)) ?? 'unknown'
    const attempts = wholeNumber(row.attempts, 0, { min: 0, max: 1_000 })
    const ended = { ...intent, claim_attempts: attempts, finished_at: at, expires_at: at! }
    if (reason === UNCLAIMED) {
      return inTime({ ...ended, status: STATUS.expired, history: historyLine({ at: at!, event: 'expired' }) }, now)
    }
    const history = historyLine({ at: at!, event: 'failed', error: reason })
    return inTime({ ...ended, status: STATUS.dead, last_error: reason, history }, now)
  })
}

/** A key in clear; it goes on working here, as its digest. */
export function readForeignKey(row: Foreign, keys: KeyNames, skips: Skips, now: number): ImportedKey | undefined {
  const owner = cut(textOf(row.owner)?.trim() || null, limits.MAX_OWNER_LENGTH) ?? 'unknown'
  return attempt(skips, 'keys', owner, () => {
    const secret = textOf(row.api_key)
    if (secret === null || secret.length > MAX_KEY_LENGTH || !limits.SECRET_PATTERN.test(secret)) throw new RowProblem('it is no key that a request can carry')
    const id = keys.idOf(secret)
    if (id === MAIN_KEY_ID) throw new RowProblem('it is the main key of this bus')
    const requests = wholeNumber(row.total_requests, 0, { min: 0, max: 1e15 })
    const times = { createdAt: timeOf(row.created_at) ?? now, revokedAt: null, lastUsedAt: null }
    return { type: 'key', id, owner, ...times, requests, limits: NO_LIMITS, digest: digestOf(secret) }
  })
}

/** A value of the key-value store, whose name begins with its key in clear. */
export function readForeignValue(row: Foreign, keys: KeyNames, skips: Skips, now: number): ImportedKeyValue | undefined {
  const { key, name } = holderOf(textOf(row.key) ?? '', keys)
  return attempt(skips, 'keyValues', name, () => {
    const value = textOf(row.value)
    const expiresAt = timeOf(row.expires_at)
    if (value === null || name === '' || name.length > limits.MAX_STORE_KEY_LENGTH) throw new RowProblem('it is not a text under a name')
    if (expiresAt === null || expiresAt <= now) throw new RowProblem('its time is over')
    if (key !== null && key.startsWith('tk_') && !keys.isKnown(key)) throw new RowProblem('its key was revoked')
    const keyId = key === null ? MAIN_KEY_ID : keys.idOf(key)
    return { type: 'key_value', keyId, name, value: fitting(JSON.stringify(value)), expiresAt: Math.min(expiresAt, now + limits.TTL.max) }
  })
}

/** Characters of a key that a request can carry. */
const MAX_KEY_LENGTH = 512

/** Keys may hold colons, so those that are known are looked for first. */
function holderOf(text: string, keys: KeyNames): { key: string | null; name: string } {
  for (let colon = text.indexOf(':'); colon >= 0 && colon <= MAX_KEY_LENGTH; colon = text.indexOf(':', colon + 1)) {
    if (keys.isKnown(text.slice(0, colon))) return { key: text.slice(0, colon), name: text.slice(colon + 1) }
  }
  const colon = text.indexOf(':')
  // The first versions had no keys.
  return colon < 0 ? { key: null, name: text } : { key: text.slice(0, colon), name: text.slice(colon + 1) }
}

/** What an intent and its dead letter both tell. */
function common(row: Foreign, keys: KeyNames, id: string | null, createdAt: number | null): ImportedIntent {
  if (id === null) throw new RowProblem('it has no id')
  if (createdAt === null) throw new RowProblem('nothing tells when it was published')
  const goal = textOf(row.goal)?.trim() ?? ''
  if (goal === '' || [...goal].length > limits.GOAL_LENGTH.max || !goal.isWellFormed()) throw new RowProblem('its goal is no goal')
  const namespace = textOf(row.namespace) ?? limits.DEFAULT_NAMESPACE
  if (!limits.NAMESPACE_PATTERN.test(namespace)) throw new RowProblem('its namespace is no namespace')
  const publisher = textOf(row.publisher)
  return {
    type: 'intent',
    ...placeOfForeign(id, createdAt),
    status: STATUS.open,
    priority: wholeNumber(row.priority, limits.PRIORITY.default, limits.PRIORITY),
    run_at: timeOf(row.run_at) ?? createdAt,
    claim_attempts: 0,
    created_at: createdAt,
    expires_at: timeOf(row.expires_at) ?? createdAt + limits.INTENT_LIFETIME,
    claimed_at: null,
    finished_at: null,
    max_attempts: wholeNumber(row.max_attempts, limits.MAX_ATTEMPTS.default, limits.MAX_ATTEMPTS),
    backoff_base: Math.min(Math.max(numberOf(row.backoff_base) ?? limits.BACKOFF_BASE.default, limits.BACKOFF_BASE.min), limits.BACKOFF_BASE.max),
    claimed_by: null,
    claim_address: null,
    worker: null,
    namespace,
    goal,
    publisher: publisher === null ? MAIN_KEY_ID : keys.idOf(publisher),
    visibility: row.visibility === 'public' ? 'public' : 'private',
    target_worker: token(row.target_worker, 'target worker'),
    required_capability: token(row.required_capability, 'required capability'),
    last_error: null,
    result_type: null,
    result: null,
    history: '',
    payload: jsonOf(row.payload),
    traceparent: null
  }
}

/** A result of JSON is kept as JSON text, one of text as text. */
function resultOf({ result, result_type }: Foreign): Pick<ImportedIntent, 'result' | 'result_type'> {
  const text = textOf(result)
  if (text === null) return { result: null, result_type: null }
  if (result_type === 'text') return { result: fitting(JSON.stringify(text)), result_type: 'text' }
  try {
    return { result: jsonOf(text), result_type: 'json' }
  } catch {
    // The reference server gives out what it cannot read as text, too.
    return { result: fitting(JSON.stringify(text)), result_type: 'text' }
  }
}

function jsonOf(value: unknown): string {
  const text = textOf(value)
  if (text === null) throw new RowProblem('its payload is missing or too large')
  try {
    JSON.parse(text)
  } catch {
    throw new RowProblem('its payload is not JSON')
  }
  return fitting(compactJson(text))
}

function fitting(json: string): string {
  if (Buffer.byteLength(json) <= MAX_VALUE_BYTES) return json
  throw new RowProblem(`it holds more than ${MAX_VALUE_BYTES} bytes of JSON`)
}

function claimedLine({ claimed_at: at, claimed_by: key, claim_attempts: attempt }: ImportedIntent): string {
  return at === null || key === null ? '' : historyLine({ at, event: 'claimed', attempt, key })
}

function inTime(intent: ImportedIntent, now: number): ImportedIntent {
  if (isFromTomorrow(intent, now)) throw new RowProblem('it is from a day that is still to come')
  return intent
}

function attempt<T>(skips: Skips, what: 'intents' | 'keys' | 'keyValues', example: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error
    skips.add(what, error.message, example)
    return undefined
  }
}

/** An empty column and an empty text mean the same there. */
function token(value: unknown, what: string): string | null {
  const text = textOf(value)
  if (text === null || text === '') return null
  if (limits.TOKEN_PATTERN.test(text)) return text
  throw new RowProblem(`its ${what} is no name`)
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value.toWellFormed() : null
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Unix seconds; 0 stands for none there. */
function timeOf(value: unknown): number | null {
  const time = numberOf(value)
  return time !== null && time >= 1 && time <= 1e10 ? time : null
}

function wholeNumber(value: unknown, fallback: number, { min, max }: { readonly min: number; readonly max: number }): number {
  const number = numberOf(value)
  return number === null ? fallback : Math.min(Math.max(Math.floor(number), min), max)
}

function cut(text: string | null, most: number = limits.MAX_ERROR_LENGTH): string | null {
  return text === null ? null : [...text.slice(0, most * 2)].slice(0, most).join('').toWellFormed()
}
