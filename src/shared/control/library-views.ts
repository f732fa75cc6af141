import type { Visibility } from '../requests.ts'

export interface Template {
  readonly id: string
  readonly name: string
  readonly goal: string
  /** JSON text. */
  readonly payload: string
  readonly namespace: string
  readonly visibility: Visibility
  readonly priority: number
  readonly delay: number
  readonly maxAttempts: number
  readonly backoffBase: number
  readonly target: string | null
  readonly capability: string | null
  /** Id of the key it is published as. */
  readonly publisher: string
  /** JSON text of a JSON Schema for the payload; null for none. */
  readonly schema: string | null
  readonly updatedAt: number
}

export interface SavedView {
  readonly id: string
  readonly name: string
  readonly filter: string
}
