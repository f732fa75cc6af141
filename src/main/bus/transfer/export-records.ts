import { z } from 'zod'
import { historyLine, type StoredEvent } from '../../../shared/history.ts'
import { memberText } from '../../../shared/json-text.ts'
import * as limits from '../../../shared/limits.ts'
import { KEY_RATE, MAX_SCOPE_NAMES, ROLES } from '../../../shared/scope.ts'
import { checkLimits } from '../key-limits.ts'
import { parseId } from '../ids.ts'
import { STATUS, type StatusName } from '../intents/intent.ts'
import { badFile } from './format.ts'
import { opensAgain } from './moved.ts'
import type { FileRecord, ImportedIntent } from './records.ts'
import { sealedSecrets } from './sealing.ts'

/** Bytes of a payload or a result; some reference servers take a little more than SPEC says. */
export const MAX_VALUE_BYTES = 8_192
/** Characters of a history: what `appendHistory` lets grow, and one long event. */
const MAX_HISTORY = 20_000

const time = z.number().min(0).max(1e10)
const keyId = z.string().regex(/^(main|key_[0-9a-f]{16})$/)
const token = z.string().regex(limits.TOKEN_PATTERN).nullable()
const words = (most: number) => z.string().max(most).refine((text) => text.isWellFormed(), 'has half a character')
const short = words(256)
const isGoal = (text: string): boolean => text !== '' && [...text].length <= limits.GOAL_LENGTH.max
const goal = words(512).refine(isGoal, `must have 1 to ${limits.GOAL_LENGTH.max} characters`)

const event = z.discriminatedUnion('event', [
  z.object({ at: time, event: z.literal('claimed'), attempt: z.int().min(0).max(1e6), key: keyId, worker: short.optional() }),
  z.object({ at: time, event: z.literal('extended'), until: time, times: z.int().min(1) }),
  z.object({ at: time, event: z.literal('failed'), error: words(2_000), requeued_until: time.optional() }),
  z.object({ at: time, event: z.enum(['lease_lost', 'returned', 'moved', 'fulfilled', 'cancelled', 'retried', 'expired']) }),
  z.object({ at: time, event: z.literal('shortened'), dropped: z.int().min(0) })
])

const intent = z.object({
  type: z.literal('intent'),
  id: z.string(),
  status: z.enum(Object.keys(STATUS) as [StatusName, ...StatusName[]]),
  namespace: z.string().regex(limits.NAMESPACE_PATTERN),
  goal,
  visibility: z.enum(['private', 'public']),
  priority: z.int().min(limits.PRIORITY.min).max(limits.PRIORITY.max),
  publisher: keyId,
  target_worker: token,
  required_capability: token,
  created_at: time,
  run_at: time,
  expires_at: time,
  claim_attempts: z.int().min(0).max(1_000),
  max_attempts: z.int().min(limits.MAX_ATTEMPTS.min).max(limits.MAX_ATTEMPTS.max),
  backoff_base: z.number().min(limits.BACKOFF_BASE.min).max(limits.BACKOFF_BASE.max),
  claimed_at: time.nullable(),
  claimed_by: keyId.nullable(),
  worker: short.nullable(),
  claim_address: short.nullable(),
  finished_at: time.nullable(),
  error: words(2_000).nullable(),
  result_type: z.enum(['json', 'text']).nullable(),
  traceparent: z.string().max(128).nullable(),
  history: z.array(event).max(5_000)
})

const names = (pattern: z.ZodString) => z.array(pattern).min(1).max(MAX_SCOPE_NAMES).nullable()
const key = z.object({
  type: z.literal('key'),
  id: z.string().regex(/^key_[0-9a-f]{16}$/),
  owner: words(limits.MAX_OWNER_LENGTH * 2).min(1),
  created_at: time,
  revoked_at: time.nullable(),
  requests: z.int().min(0),
  last_used_at: time.nullable(),
  expires_at: z.number().positive().max(1e11).nullable(),
  rate_limit: z.int().min(KEY_RATE.min).max(KEY_RATE.max).nullable(),
  scope: z
    .object({
      roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length).nullable(),
      namespaces: names(z.string().regex(limits.NAMESPACE_PATTERN)),
      goals: names(z.string().min(1).max(512))
    })
    .nullable()
})

const ownId = z.string().regex(/^[0-9a-f]{8,64}$/)
/** What templates were when version 1 of the format was made: what operators may save by now decides nothing about older files. */
const templateContent = z.strictObject({
  name: z.string().trim().min(1).max(80),
  goal: z.string().min(1).max(512),
  payload: z.string().max(100_000),
  namespace: z.string().regex(limits.NAMESPACE_PATTERN).default(limits.DEFAULT_NAMESPACE),
  visibility: z.enum(['private', 'public']).default('private'),
  priority: z.int().min(limits.PRIORITY.min).max(limits.PRIORITY.max).default(limits.PRIORITY.default),
  delay: z.number().min(limits.DELAY.min).max(limits.DELAY.max).default(limits.DELAY.default),
  maxAttempts: z.int().min(limits.MAX_ATTEMPTS.min).max(limits.MAX_ATTEMPTS.max).default(limits.MAX_ATTEMPTS.default),
  backoffBase: z.number().min(limits.BACKOFF_BASE.min).max(limits.BACKOFF_BASE.max).default(limits.BACKOFF_BASE.default),
  target: token.default(null),
  capability: token.default(null),
  publisher: z.string().max(64).default('main'),
  schema: z.string().max(100_000).nullable().default(null)
})
const template = z.object({ type: z.literal('template'), id: ownId, updated_at: time, template: templateContent })
const savedView = z.object({ type: z.literal('saved_view'), id: ownId, name: z.string().trim().min(1).max(80), filter: z.string().max(1_000) })
const keyValue = z.object({ type: z.literal('key_value'), key: keyId, name: short.min(1), expires_at: time })
/** No setting is more than a scalar; what is comes as one that means nothing here. */
const settingValue = z.unknown().transform((value) => (['string', 'number', 'boolean'].includes(typeof value) ? value : null))
const MAX_SETTINGS = 100
const values = z.record(z.string().max(64), settingValue).refine((all) => Object.keys(all).length <= MAX_SETTINGS, 'are too many')
const settings = z.object({ type: z.literal('settings'), values })
const secrets = sealedSecrets.extend({ type: z.literal('secrets') })

const schemas = { intent, key, template, saved_view: savedView, key_value: keyValue, settings, secrets } as const

/**
 * Reads a line behind the header. `now` (Unix seconds): what was claimed comes free at that time. Throws `invalid_request`
 * with what is wrong, but not in which line.
 */
export function readRecord(text: string, now: number): FileRecord {
  const value = parseObject(text)
  const type = value.type
  if (typeof type !== 'string' || !Object.hasOwn(schemas, type)) throw badFile('there is no such kind of line')
  switch (type as keyof typeof schemas) {
    case 'intent':
      return toIntent(checked(intent, value), text, now)
    case 'key': {
      const { id, owner, created_at, revoked_at, requests, last_used_at, scope, expires_at, rate_limit } = checked(key, value)
      const kept = checkLimits({ scope, expiresAt: expires_at, rateLimit: rate_limit })
      const times = { createdAt: created_at, revokedAt: revoked_at, lastUsedAt: last_used_at }
      return { type: 'key', id, owner, ...times, requests, limits: kept, digest: null }
    }
    case 'template': {
      const { id, updated_at, template: content } = checked(template, value)
      return { type: 'template', id, content: JSON.stringify(content), updatedAt: updated_at }
    }
    case 'saved_view':
      return checked(savedView, value)
    case 'key_value': {
      const { key: holder, name, expires_at } = checked(keyValue, value)
      return { type: 'key_value', keyId: holder, name, value: jsonMember(text, 'value'), expiresAt: expires_at }
    }
    case 'settings':
      return checked(settings, value)
    case 'secrets':
      return checked(secrets, value)
  }
}

function toIntent(fields: z.infer<typeof intent>, text: string, now: number): ImportedIntent {
  const { id, status, error, history, ...rest } = fields
  const place = parseId(id)
  if (place === undefined || place.n < 1) throw badFile('id: is not the id of an intent')
  const isFinished = status !== 'open' && status !== 'claimed'
  if (isFinished !== (fields.finished_at !== null)) throw badFile('finished_at: does not go with the status')
  const stored = history.map((one) => historyLine(one as StoredEvent)).join('')
  if (stored.length > MAX_HISTORY) throw badFile('history: is too long')
  const record: ImportedIntent = {
    ...rest,
    ...place,
    status: STATUS[status],
    last_error: error,
    result: optionalMember(text, 'result'),
    history: stored,
    payload: jsonMember(text, 'payload')
  }
  return status === 'claimed' ? opensAgain(record, now) : record
}

export function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badFile('is not JSON')
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw badFile('is no JSON object')
}

function checked<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]!
  throw badFile(`${path.join('.')}: ${message}`)
}

/** A member as the text it came in: its numbers keep every digit. */
function jsonMember(text: string, name: string): string {
  const value = optionalMember(text, name)
  if (value === null) throw badFile(`${name}: is missing`)
  return value
}

function optionalMember(text: string, name: string): string | null {
  const value = memberText(text, name)
  if (value === undefined) return null
  if (Buffer.byteLength(value) <= MAX_VALUE_BYTES) return value
  throw badFile(`${name}: has more than ${MAX_VALUE_BYTES} bytes`)
}
