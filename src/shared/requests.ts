import { ProtocolError } from './errors.ts'
import { memberText } from './json-text.ts'
import * as limits from './limits.ts'

/**
 * From the JSON text of a request to a checked value. Malformed input is refused with a code of its own, never clamped
 * or coerced. `null` counts as missing for every optional field; unknown fields are ignored.
 */

export type Visibility = 'private' | 'public'
export type ResultType = 'json' | 'text'

/** A valid POST /intent (SPEC 7.2). `payload` is JSON text without insignificant whitespace. */
export interface PublishRequest {
  readonly goal: string
  readonly payload: string
  readonly namespace: string
  readonly visibility: Visibility
  readonly priority: number
  /** Seconds. */
  readonly delay: number
  readonly maxAttempts: number
  /** Seconds. */
  readonly backoffBase: number
  readonly targetWorker: string | null
  readonly requiredCapability: string | null
  /** Where the publisher's trace goes on (W3C Trace Context); the claim hands it to the worker. */
  readonly traceparent: string | null
}

/** A valid POST /claim (SPEC 7.3). */
export interface ClaimRequest {
  /** Any of them will do; none: any goal at all. */
  readonly goals: readonly string[]
  readonly namespace: string
  /** A key or the public id of one, as the client gave it. */
  readonly publisher: string | null
  readonly workerId: string | null
  readonly capabilities: readonly string[]
}

/** What every mutation of a claimed intent carries; null only where workers without tokens are let in. */
export interface TokenRequest {
  readonly claimToken: string | null
}
export interface ExtendRequest extends TokenRequest {
  readonly seconds: number
}
export interface FulfillRequest extends TokenRequest {
  /** JSON text, null when no result is stored. */
  readonly result: string | null
  readonly resultType: ResultType
}
export interface FailRequest extends TokenRequest {
  readonly error: string | null
}
export interface SetRequest {
  /** JSON text. */
  readonly value: string
  readonly ttl: number
}

type Fields = Readonly<Record<string, unknown>>

/** Version ff, and ids of zeros alone, mean nothing. */
const TRACEPARENT_PATTERN = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

const encoder = new TextEncoder()

/** Bytes of a text in UTF-8. */
function utf8Length(text: string): number {
  return encoder.encode(text).length
}

/** Parses a request body that must be a JSON object; an empty body counts as `{}` when `emptyIsObject`. */
function readObject(body: string, emptyIsObject = false): Fields {
  if (body === '' && emptyIsObject) return {}
  if (body === '') throw new ProtocolError('invalid_request', 'The request needs a JSON body.')
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw new ProtocolError('invalid_json', `The request body is not valid JSON: ${(error as Error).message}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('invalid_request', 'The request body must be a JSON object.')
  }
  return value as Fields
}

/**
 * POST /intent (SPEC 7.2, 4.1). `traceparent`: that header, which says nothing when it is malformed. Throws 400
 * `invalid_…` for the field that is wrong, 413 for a payload too large.
 */
export function readPublish(body: string, traceparent?: string): PublishRequest {
  const fields = readObject(body)
  if (fields.goal === undefined || fields.goal === null) throw missing('goal')
  if (!Object.hasOwn(fields, 'payload')) throw missing('payload')
  const goal = checkGoal(fields.goal)
  const payload = memberText(body, 'payload')!
  if (exceeds(payload, limits.MAX_PAYLOAD_BYTES)) {
    throw new ProtocolError('payload_too_large', `payload is limited to ${limits.MAX_PAYLOAD_BYTES} bytes of JSON.`)
  }
  return {
    goal,
    payload,
    namespace: readNamespace(fields.namespace),
    visibility: readVisibility(fields.visibility),
    priority: readNumber(fields.priority, 'priority', limits.PRIORITY, 'integer'),
    delay: readNumber(fields.delay, 'delay', limits.DELAY),
    maxAttempts: readNumber(fields.max_attempts, 'max_attempts', limits.MAX_ATTEMPTS, 'integer'),
    backoffBase: readNumber(fields.backoff_base, 'backoff_base', limits.BACKOFF_BASE),
    targetWorker: readToken(fields.target_worker, 'target_worker'),
    requiredCapability: readToken(fields.required_capability, 'required_capability'),
    traceparent: traceparent !== undefined && TRACEPARENT_PATTERN.test(traceparent) ? traceparent : null
  }
}

/** The parts of a claim, as they were found in headers and query; undefined where absent. */
export interface ClaimParts {
  readonly goals: readonly string[]
  readonly namespace: string | undefined
  readonly publisher: string | undefined
  readonly workerId: string | undefined
  readonly capabilities: string | undefined
}

/** POST /claim (SPEC 7.3). Throws 400 `invalid_…`. */
export function readClaim(parts: ClaimParts): ClaimRequest {
  const goals = readGoals(parts.goals)
  const capabilities = readCapabilities(parts.capabilities)
  checkClaimSize(goals, capabilities)
  return {
    goals,
    namespace: readNamespace(parts.namespace),
    publisher: parts.publisher === undefined ? null : nonEmpty(parts.publisher, 'publisher'),
    workerId: readWorkerId(parts.workerId),
    capabilities
  }
}

/** One claim looks in so many places at most. Throws 400 `invalid_goal`. */
export function checkClaimSize(goals: readonly string[], capabilities: readonly string[]): void {
  if (goals.length <= 1 || goals.length * capabilities.length <= limits.MAX_GOALS_BY_CAPABILITIES) return
  throw new ProtocolError('invalid_goal', `Goals times capabilities are limited to ${limits.MAX_GOALS_BY_CAPABILITIES}.`)
}

/** The query parameter `wait` of claims and results, in seconds; undefined where it is absent. Throws 400 `invalid_wait`. */
export function readWait(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = /^\d{1,3}(\.\d{1,6})?$/.test(text) ? Number(text) : NaN
  if (seconds >= limits.WAIT.min && seconds <= limits.WAIT.max) return seconds
  throw new ProtocolError('invalid_wait', `wait must be a number of seconds from ${limits.WAIT.min} to ${limits.WAIT.max}.`)
}

/** POST /extend_claim (SPEC 7.4). Throws 400; a missing token is fine only with `allowTokenless`, here and below. */
export function readExtend(body: string, allowTokenless: boolean): ExtendRequest {
  const fields = readObject(body, true)
  return {
    claimToken: readClaimToken(fields, allowTokenless),
    seconds: readNumber(fields.seconds, 'seconds', limits.EXTENSION)
  }
}

/** POST /fulfill (SPEC 7.5). Throws 400, and 413 for a result too large. */
export function readFulfill(body: string, allowTokenless: boolean): FulfillRequest {
  const fields = readObject(body, true)
  const claimToken = readClaimToken(fields, allowTokenless)
  const resultType = readResultType(fields.result_type)
  if (fields.result === undefined || fields.result === null) return { claimToken, result: null, resultType: 'json' }
  if (resultType === 'text' && typeof fields.result !== 'string') {
    throw new ProtocolError('invalid_result', 'result must be a string when result_type is "text".')
  }
  const result = memberText(body, 'result')!
  if (exceeds(result, limits.MAX_RESULT_BYTES)) {
    throw new ProtocolError('result_too_large', `result is limited to ${limits.MAX_RESULT_BYTES} bytes of JSON.`)
  }
  return { claimToken, result, resultType }
}

/** POST /fail (SPEC 7.6). Throws 400 for the token only: whatever the error is, it is taken as text. */
export function readFail(body: string, allowTokenless: boolean): FailRequest {
  const fields = readObject(body, true)
  const claimToken = readClaimToken(fields, allowTokenless)
  const { error } = fields
  if (error === undefined || error === null) return { claimToken, error: null }
  const text = typeof error === 'string' ? error : memberText(body, 'error')!
  return { claimToken, error: cutText(text, limits.MAX_ERROR_LENGTH) }
}

/** POST /set (SPEC 7.9). Throws 400. */
export function readSet(body: string): SetRequest {
  const fields = readObject(body)
  if (!Object.hasOwn(fields, 'value')) throw missing('value')
  return { value: memberText(body, 'value')!, ttl: readNumber(fields.ttl, 'ttl', limits.TTL) }
}

/** The name of an entry of the key-value store, as decoded from the path. */
export function readStoreKey(name: string): string {
  const length = characters(name)
  if (length >= 1 && length <= limits.MAX_STORE_KEY_LENGTH && name.isWellFormed()) return name
  throw new ProtocolError('invalid_key', `A key has 1 to ${limits.MAX_STORE_KEY_LENGTH} characters.`)
}

/** The Idempotency-Key header; null when the request has none. */
export function readIdempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null
  if (header !== '' && header.length <= limits.MAX_IDEMPOTENCY_KEY_LENGTH) return header
  throw new ProtocolError(
    'invalid_idempotency_key',
    `Idempotency-Key must have 1 to ${limits.MAX_IDEMPOTENCY_KEY_LENGTH} characters.`
  )
}

/** POST /admin/generate_key (SPEC 8.2). */
export function readOwner(body: string): string {
  const { owner } = readObject(body)
  if (owner === undefined || owner === null) throw missing('owner')
  const isFine = typeof owner === 'string' && owner.trim() !== '' && owner.isWellFormed()
  if (isFine && characters(owner) <= limits.MAX_OWNER_LENGTH) return owner
  throw new ProtocolError('invalid_owner', `owner must be a text of 1 to ${limits.MAX_OWNER_LENGTH} characters.`)
}

/** POST /admin/revoke_key: a key, or the public id of one. */
export function readKeyToRevoke(body: string): string {
  const fields = readObject(body)
  if (fields.api_key === undefined || fields.api_key === null) throw missing('api_key')
  if (typeof fields.api_key === 'string' && fields.api_key !== '') return fields.api_key
  throw new ProtocolError('invalid_api_key', 'api_key must be a key or the id of one.')
}

/** POST /admin/purge (SPEC 8.3): the namespace to purge, null for all of the bus. */
export function readPurge(body: string): string | null {
  const fields = readObject(body, true)
  if (fields.confirm !== true) {
    throw new ProtocolError('invalid_confirm', 'A purge deletes intents for good; it needs "confirm": true.')
  }
  if (fields.namespace === undefined || fields.namespace === null) return null
  return readNamespace(fields.namespace)
}

/** SPEC 6.5's exact tokens out of a comma-separated list. */
function readCapabilities(list: string | undefined): string[] {
  if (list === undefined) return []
  const tokens = list.split(',').flatMap((token) => token.trim() || [])
  if (tokens.length > limits.MAX_CAPABILITIES) {
    throw new ProtocolError('invalid_capabilities', `A worker may offer at most ${limits.MAX_CAPABILITIES} capabilities.`)
  }
  const bad = tokens.find((token) => !limits.TOKEN_PATTERN.test(token))
  if (bad === undefined) return [...new Set(tokens)]
  throw new ProtocolError('invalid_capabilities', 'A capability has 1 to 64 characters of A-Z a-z 0-9 _ . : -.')
}

/** Any text names a worker; it is cut to 64 characters, and empty it counts as missing. */
function readWorkerId(text: string | undefined): string | null {
  return cutText(text?.trim() ?? '', limits.MAX_WORKER_ID_LENGTH) || null
}

function readClaimToken(fields: Fields, allowTokenless: boolean): string | null {
  const token = fields.claim_token
  if (token === undefined || token === null || token === '') {
    if (allowTokenless) return null
    throw missing('claim_token')
  }
  if (typeof token === 'string') return token
  throw new ProtocolError('invalid_claim_token', 'claim_token must be a string.')
}

function readResultType(value: unknown): ResultType {
  if (value === undefined || value === null) return 'json'
  if (value === 'json' || value === 'text') return value
  throw new ProtocolError('invalid_result_type', 'result_type must be "json" or "text".')
}

function checkGoal(value: unknown): string {
  if (typeof value === 'string' && value.isWellFormed()) {
    const length = characters(value)
    if (length >= limits.GOAL_LENGTH.min && length <= limits.GOAL_LENGTH.max) return value
  }
  throw new ProtocolError('invalid_goal', `goal must be a text of 1 to ${limits.GOAL_LENGTH.max} characters.`)
}

function readGoals(values: readonly string[]): string[] {
  const goals = [...new Set(values.map(checkGoal))]
  if (goals.length <= limits.MAX_GOALS) return goals
  throw new ProtocolError('invalid_goal', `A claim can ask for ${limits.MAX_GOALS} goals at most.`)
}

function readNamespace(value: unknown): string {
  if (value === undefined || value === null) return limits.DEFAULT_NAMESPACE
  if (typeof value === 'string' && limits.NAMESPACE_PATTERN.test(value)) return value
  throw new ProtocolError('invalid_namespace', 'namespace must have 1 to 64 characters of A-Z a-z 0-9 . _ -.')
}

function readVisibility(value: unknown): Visibility {
  if (value === undefined || value === null) return 'private'
  if (value === 'private' || value === 'public') return value
  throw new ProtocolError('invalid_visibility', 'visibility must be "private" or "public".')
}

type TokenField = 'target_worker' | 'required_capability'

function readToken(value: unknown, field: TokenField): string | null {
  if (value === undefined || value === null || value === '') return null
  if (typeof value === 'string' && limits.TOKEN_PATTERN.test(value)) return value
  throw new ProtocolError(`invalid_${field}`, `${field} must have 1 to 64 characters of A-Z a-z 0-9 _ . : -.`)
}

type NumberField = 'priority' | 'delay' | 'max_attempts' | 'backoff_base' | 'seconds' | 'ttl'
interface NumberRange {
  readonly min: number
  readonly max: number
  readonly default: number
}

function readNumber(value: unknown, field: NumberField, range: NumberRange, kind?: 'integer'): number {
  if (value === undefined || value === null) return range.default
  const isRightKind = typeof value === 'number' && (kind === undefined || Number.isInteger(value))
  if (isRightKind && value >= range.min && value <= range.max) return value
  const noun = kind === 'integer' ? 'a whole number' : 'a number'
  throw new ProtocolError(`invalid_${field}`, `${field} must be ${noun} from ${range.min} to ${range.max}.`)
}

function nonEmpty(value: string, field: 'publisher'): string {
  if (value !== '') return value
  throw new ProtocolError(`invalid_${field}`, `${field} must not be empty.`)
}

function missing(field: string): ProtocolError {
  return new ProtocolError('invalid_request', `Missing ${field}.`)
}

/** Length in characters, not in UTF-16 units. */
function characters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Cuts to a number of characters without splitting one; half characters become U+FFFD. */
function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text.toWellFormed()
  return Array.from(text.slice(0, limit * 2)).slice(0, limit).join('').toWellFormed()
}

/** A character takes at most three bytes per UTF-16 unit: most texts need no counting. */
function exceeds(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && utf8Length(text) > bytes
}
