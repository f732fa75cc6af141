import type { KeyLimits } from '../../../shared/scope.ts'
import type { SealedSecrets } from './sealing.ts'

/** An intent as it is to be stored, but for its lanes; times are Unix seconds. One that was claimed comes as open. */
export interface ImportedIntent {
  readonly type: 'intent'
  /** Where it wants to stand, and the second half of its id: see `ids.ts`. */
  readonly n: number
  readonly tail: string
  readonly status: number
  readonly priority: number
  readonly run_at: number
  readonly claim_attempts: number
  readonly created_at: number
  readonly expires_at: number
  readonly claimed_at: number | null
  readonly finished_at: number | null
  readonly max_attempts: number
  readonly backoff_base: number
  readonly claimed_by: string | null
  readonly claim_address: string | null
  readonly worker: string | null
  readonly namespace: string
  readonly goal: string
  readonly publisher: string
  readonly visibility: 'private' | 'public'
  readonly target_worker: string | null
  readonly required_capability: string | null
  readonly last_error: string | null
  readonly result_type: 'json' | 'text' | null
  /** JSON text, as the payload. */
  readonly result: string | null
  readonly history: string
  readonly payload: string
  readonly traceparent: string | null
}

export interface ImportedKey {
  readonly type: 'key'
  readonly id: string
  readonly owner: string
  readonly createdAt: number
  readonly revokedAt: number | null
  readonly requests: number
  readonly lastUsedAt: number | null
  readonly limits: KeyLimits
  /** null where the file does not tell it, or only to who has the passphrase. */
  readonly digest: string | null
}

export interface ImportedTemplate {
  readonly type: 'template'
  readonly id: string
  /** JSON, as stored. */
  readonly content: string
  readonly updatedAt: number
}

export interface ImportedView {
  readonly type: 'saved_view'
  readonly id: string
  readonly name: string
  readonly filter: string
}

export interface ImportedKeyValue {
  readonly type: 'key_value'
  readonly keyId: string
  readonly name: string
  /** JSON text. */
  readonly value: string
  readonly expiresAt: number
}

export interface ImportedSettings {
  readonly type: 'settings'
  readonly values: Readonly<Record<string, unknown>>
}

/** What is added to the database. */
export type ImportRecord = ImportedIntent | ImportedKey | ImportedTemplate | ImportedView | ImportedKeyValue

/** All that a file can hold. */
export type FileRecord = ImportRecord | ImportedSettings | ({ readonly type: 'secrets' } & SealedSecrets)

/** Where to go on in a file; null at its start. Only who made it knows what it means. */
export type ImportPosition = Readonly<Record<string, string | number>> | null

/** Some records of a file. */
export interface ImportPage {
  readonly records: readonly ImportRecord[]
  /** null at the end. */
  readonly next: ImportPosition
}
