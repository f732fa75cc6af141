import { z } from 'zod'
import * as limits from '../limits.ts'
import type * as backup from './backup-views.ts'
import { KEY_RATE, MAX_GOAL_PATTERN, MAX_SCOPE_NAMES, ROLES } from '../scope.ts'
import type * as network from './network-views.ts'
import { GIVEN_RIGHTS } from './rights.ts'
import { settingsSchema } from './settings.ts'
import type { DoctorCheck } from './doctor-views.ts'
import type { StorageView } from './storage-views.ts'
import type * as transfer from './transfer-views.ts'
import type { Anchors, BulkResult, Count, DeadGroup, Explanation, GapView, IntentPage, IntentView } from './intent-views.ts'
import type { KeyImpact, KeyView, NewKeyView } from './key-views.ts'
import type { SavedView, Template } from './library-views.ts'
import type { Overview, Statistics } from './overview-views.ts'
import type { BusStatus, SettingsView } from './status-views.ts'
import type { NamesView, UnservedGoal, WorkerView } from './worker-views.ts'

/**
 * The control contract: everything an operator does. Each method has a schema for its input, by which the bus checks it
 * once, whatever carried it. Times are Unix seconds, durations seconds; `payload` and `schema` are JSON text.
 */

const nothing = z.strictObject({})
const intentId = z.string().regex(/^[0-9a-f]{32}$/, 'must be the id of an intent: 32 hex digits')
const filter = z.string().max(1_000)
const cursor = z.string().max(64)
/** Asked for again where a call came over HTTP: a session alone must not read a secret. */
const password = z.string().max(limits.PASSWORD_LENGTH.max).optional()
const newPassword = z.string().min(limits.PASSWORD_LENGTH.min).max(limits.PASSWORD_LENGTH.max).regex(limits.SECRET_PATTERN)
const keyId = z.string().max(64)
const owner = z.string().trim().min(1).max(limits.MAX_OWNER_LENGTH)
const name = z.string().trim().min(1).max(80)
const token = z.string().regex(limits.TOKEN_PATTERN).nullable()

/** Of an export or import under way. */
const token32 = z.string().regex(/^[0-9a-f]{32}$/)
const passphrase = z.string().min(limits.PASSPHRASE_LENGTH.min).max(limits.PASSPHRASE_LENGTH.max)

const order = z.enum(['newest', 'oldest'])

const scope = z.strictObject({
  roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length).nullable().default(null),
  namespaces: z.array(z.string().regex(limits.NAMESPACE_PATTERN)).min(1).max(MAX_SCOPE_NAMES).nullable().default(null),
  goals: z.array(z.string().min(1).max(MAX_GOAL_PATTERN)).min(1).max(MAX_SCOPE_NAMES).nullable().default(null)
})

const keyLimits = {
  scope: scope.nullable().default(null),
  /** Unix seconds. */
  expiresAt: z.number().positive().max(1e11).nullable().default(null),
  rateLimit: z.int().min(KEY_RATE.min).max(KEY_RATE.max).nullable().default(null)
}

const publishFields = {
  goal: z.string().min(limits.GOAL_LENGTH.min).max(512),
  payload: z.string().max(100_000),
  namespace: z.string().regex(limits.NAMESPACE_PATTERN).default(limits.DEFAULT_NAMESPACE),
  visibility: z.enum(['private', 'public']).default('private'),
  priority: z.int().min(limits.PRIORITY.min).max(limits.PRIORITY.max).default(limits.PRIORITY.default),
  delay: z.number().min(limits.DELAY.min).max(limits.DELAY.max).default(limits.DELAY.default),
  maxAttempts: z.int().min(limits.MAX_ATTEMPTS.min).max(limits.MAX_ATTEMPTS.max).default(limits.MAX_ATTEMPTS.default),
  backoffBase: z.number().min(limits.BACKOFF_BASE.min).max(limits.BACKOFF_BASE.max).default(limits.BACKOFF_BASE.default),
  target: token.default(null),
  capability: token.default(null),
  /** The key it is published as: private intents can only be claimed with the key of their publisher. */
  publisher: keyId.default('main')
}

export const methods = {
  'status.get': nothing,

  'settings.get': nothing,
  /** Changes what is given. A new port is listened on before the old one is let go. */
  'settings.change': settingsSchema.partial(),

  'bus.pause': z.strictObject({ paused: z.boolean() }),
  'bus.cleanup': nothing,
  /** Deletes the intents of a namespace, or all of them for null. */
  'bus.purge': z.strictObject({ namespace: z.string().regex(limits.NAMESPACE_PATTERN).nullable(), confirm: z.literal(true) }),
  /** Tries again to open a bus that is stopped, or a port that was taken. `recovery`: what is to be done about a damaged database. */
  'bus.start': z.strictObject({ recovery: z.enum(['newest', 'empty', 'readable']).optional() }),

  'backups.list': nothing,
  /** Answered when the backup is there and was read again. */
  'backups.make': nothing,
  /** The newest good backup, read again for it: what `newest` means everywhere. */
  'backups.newest': nothing,
  /**
   * The backup is read again first, and refused where it is not good. Answered before it happens: the bus closes and comes back with
   * the backup, and tells in its notices what is missing since.
   */
  'backups.restore': z.strictObject({ id: z.string().max(64), confirm: z.literal(true) }),

  /** How large the database is, how much room the disk has, and what cleanup did. */
  'storage.view': nothing,
  /** Looks whether all is well with the bus; reads the whole database for it. */
  'doctor.run': nothing,

  'overview.get': nothing,
  'statistics.get': z.strictObject({ range: z.enum(['hour', 'day']) }),
  'names.list': nothing,
  /** Times in which nothing could run, that were over after a moment: the newest 1,000, oldest first. */
  'gaps.list': z.strictObject({ after: z.number().min(0).max(1e11).default(0) }),

  'intents.list': z.strictObject({
    filter: filter.default(''),
    order: order.default('newest'),
    cursor: cursor.optional(),
    limit: z.int().min(1).max(1_000).default(100)
  }),
  'intents.anchors': z.strictObject({
    filter: filter.default(''),
    order: order.default('newest'),
    /** Rows from one anchor to the next. */
    size: z.int().min(50).max(1_000),
    cursor: cursor.optional(),
    limit: z.int().min(1).max(1_000).default(200)
  }),
  'intents.count': z.strictObject({
    filter: filter.default(''),
    /** Counts only what was published after this intent. */
    newerThan: intentId.optional(),
    /** Counting stops here. */
    limit: z.int().min(1).max(10_000_000).default(10_000_000)
  }),
  'intents.detail': z.strictObject({ id: intentId }),
  'intents.explain': z.strictObject({ id: intentId }),
  'intents.publish': z.strictObject({
    ...publishFields,
    idempotencyKey: z.string().min(1).max(limits.MAX_IDEMPOTENCY_KEY_LENGTH).optional()
  }),
  'intents.cancel': z.strictObject({ id: intentId }),
  'intents.retry': z.strictObject({ id: intentId }),
  /** Publishes the same again, as the same key if that still exists; the answer is the new intent's id. */
  'intents.duplicate': z.strictObject({ id: intentId }),
  /** Over some intents, or over all that a filter matches and that are not newer than `asOf`. */
  'intents.bulk': z.strictObject({
    action: z.enum(['cancel', 'retry']),
    target: z.union([
      z.strictObject({ ids: z.array(intentId).min(1).max(10_000) }),
      z.strictObject({ filter, asOf: intentId })
    ]),
    /** Names this action in the frames that tell how far it is. */
    token: z.string().max(64).optional()
  }),
  'dead.groups': nothing,

  'keys.list': nothing,
  'keys.create': z.strictObject({ owner, ...keyLimits }),
  'keys.rename': z.strictObject({ id: keyId, owner }),
  /** Sets all limits of a key anew; those that are left out are none from then on. */
  'keys.limit': z.strictObject({ id: keyId, ...keyLimits }),
  'keys.impact': z.strictObject({ id: keyId }),
  'keys.revoke': z.strictObject({ id: keyId }),
  'keys.revealMain': z.strictObject({ password }),
  'keys.rotateMain': z.strictObject({ password }),

  /** Who the bus takes the caller for. */
  'access.whoami': nothing,
  /** The password for browsers. */
  'access.revealPassword': z.strictObject({ password }),
  'access.changePassword': z.strictObject({ password, next: newPassword }),
  /** Ends the sessions of all browsers but the one that asks. */
  'access.endSessions': nothing,

  'sessions.list': nothing,
  'sessions.end': z.strictObject({ id: z.string().max(64) }),

  'sharing.get': nothing,
  /** Has the bus look at its own sharing as another machine would. */
  'sharing.check': nothing,
  /** A new root and a new key: whoever trusted the ones before must pair again. */
  'sharing.replaceIdentity': z.strictObject({ password, confirm: z.literal(true) }),

  'pairing.get': nothing,
  /** Shows a new code, in place of one that is shown. */
  'pairing.start': nothing,
  'pairing.stop': nothing,
  'pairing.decide': z.discriminatedUnion('allow', [
    z.strictObject({
      id: z.string().max(64),
      allow: z.literal(true),
      name: owner,
      limits: z.strictObject(keyLimits).default({ scope: null, expiresAt: null, rateLimit: null }),
      rights: z.array(z.enum(GIVEN_RIGHTS)).default(['watch'])
    }),
    z.strictObject({ id: z.string().max(64), allow: z.literal(false) })
  ]),

  /** Requests whose signature did not count, newest first; the bus remembers some while it runs. */
  'signatures.failures': nothing,

  'audit.list': z.strictObject({ before: z.int().positive().optional(), limit: z.int().min(1).max(500).default(100) }),

  'workers.list': nothing,
  'workers.forget': z.strictObject({ ref: z.string().max(200) }),

  'templates.list': nothing,
  'templates.save': z.strictObject({
    id: z.string().max(64).nullable().default(null),
    name,
    ...publishFields,
    schema: z.string().max(100_000).nullable().default(null)
  }),
  'templates.remove': z.strictObject({ id: z.string().max(64) }),
  /** Publishes what a template says, with another payload where one is given. */
  'templates.run': z.strictObject({ id: z.string().max(64), payload: z.string().max(100_000).optional() }),

  'views.list': nothing,
  'views.save': z.strictObject({ id: z.string().max(64).nullable().default(null), name, filter }),
  'views.remove': z.strictObject({ id: z.string().max(64) }),

  /** Begins a file of everything that moves to another bus. `passphrase`: encrypts keys and passwords in it; null leaves them out. */
  'transfer.export': z.strictObject({ passphrase: passphrase.nullable().default(null), password }),
  /** A part of that file; they are read in their order. */
  'transfer.read': z.strictObject({ id: token32, part: z.int().min(0) }),
  /** The import that there is. */
  'transfer.get': nothing,
  /** The same, as soon as an import does something else than `state`, or after 15 seconds. */
  'transfer.wait': z.strictObject({ id: token32, state: z.enum(['checking', 'importing']) }),
  /**
   * A piece of a file that is to be imported, in Base64. `id` null: the first one, which tells the `size` of all parts in bytes where
   * that is known. `wal`: of the log beside a SQLite database.
   */
  'transfer.upload': z.strictObject({
    id: token32.nullable(),
    size: z.int().min(0).nullable().default(null),
    name: z.string().trim().min(1).max(255),
    part: z.enum(['file', 'wal']).default('file'),
    offset: z.int().min(0),
    data: z.base64().max(800_000)
  }),
  /** The file is complete: looks through it, which may take minutes; `transfer.get` says what came of it. */
  'transfer.check': z.strictObject({ id: token32 }),
  /** Imports a file that was checked. `takeOver`: main key and password of the old bus replace those of this one. */
  'transfer.start': z.strictObject({
    id: token32,
    passphrase: passphrase.nullable().default(null),
    takeSettings: z.boolean().default(false),
    takeOver: z.boolean().default(false),
    password,
    confirm: z.literal(true)
  }),
  /** Stops an import and forgets its file. */
  'transfer.drop': z.strictObject({ id: token32 }),

  /** Opens the log or the data folder on the desktop; elsewhere refused. */
  'desktop.show': z.strictObject({ what: z.enum(['log', 'data']) })
} as const

export type MethodName = keyof typeof methods

/** What a method takes, as its caller writes it, and as its handler gets it. */
export type Input<M extends MethodName> = z.input<(typeof methods)[M]>
export type CheckedInput<M extends MethodName> = z.output<(typeof methods)[M]>

interface Outputs {
  'status.get': BusStatus
  'settings.get': SettingsView
  'settings.change': SettingsView
  'bus.pause': null
  'bus.cleanup': Readonly<Record<string, number>>
  'bus.purge': null
  'bus.start': BusStatus
  'backups.list': backup.BackupsView
  'backups.make': backup.BackupView
  'backups.newest': backup.BackupView
  'backups.restore': backup.BackupView
  'storage.view': StorageView
  'doctor.run': readonly DoctorCheck[]
  'overview.get': Overview
  'statistics.get': Statistics
  'names.list': NamesView
  'gaps.list': readonly GapView[]
  'intents.list': IntentPage
  'intents.anchors': Anchors
  'intents.count': Count
  'intents.detail': IntentView
  'intents.explain': Explanation
  'intents.publish': { readonly id: string }
  'intents.cancel': null
  'intents.retry': null
  'intents.duplicate': { readonly id: string }
  'intents.bulk': BulkResult
  'dead.groups': readonly DeadGroup[]
  'keys.list': readonly KeyView[]
  'keys.create': NewKeyView
  'keys.rename': null
  'keys.limit': null
  'keys.impact': KeyImpact
  'keys.revoke': null
  'keys.revealMain': { readonly secret: string }
  'keys.rotateMain': { readonly secret: string }
  'access.whoami': network.WhoView
  'access.revealPassword': { readonly secret: string }
  'access.changePassword': null
  'access.endSessions': { readonly ended: number }
  'sessions.list': readonly network.SessionView[]
  'sessions.end': null
  'sharing.get': network.SharingView
  'sharing.check': readonly network.SharingCheck[]
  'sharing.replaceIdentity': network.SharingView
  'pairing.get': network.PairingView
  'pairing.start': network.PairingView
  'pairing.stop': network.PairingView
  'pairing.decide': network.PairingView
  'signatures.failures': readonly network.SignatureFailureView[]
  'audit.list': network.AuditPage
  'workers.list': { readonly workers: readonly WorkerView[]; readonly unserved: readonly UnservedGoal[] }
  'workers.forget': null
  'templates.list': readonly Template[]
  'templates.save': Template
  'templates.remove': null
  'templates.run': { readonly id: string }
  'views.list': readonly SavedView[]
  'views.save': SavedView
  'views.remove': null
  'transfer.export': transfer.ExportView
  'transfer.read': transfer.ExportPart
  'transfer.get': { readonly import: transfer.ImportView | null }
  'transfer.wait': transfer.ImportView
  'transfer.upload': transfer.ImportView
  'transfer.check': transfer.ImportView
  'transfer.start': transfer.ImportView
  'transfer.drop': null
  'desktop.show': null
}

export type Output<M extends MethodName> = Outputs[M]
