import type { ErrorCode } from '../../../shared/errors.ts'
import type { Queries } from './queries.ts'
import type { Share } from './turns.ts'

export type QueryName = keyof Queries

/** What a question takes besides its share of the time. */
export type QueryArguments<N extends QueryName> =
  Parameters<Queries[N]> extends [...infer Given, Share] ? Given : Parameters<Queries[N]>

export type QueryAnswer<N extends QueryName> = Awaited<ReturnType<Queries[N]>>

/** What goes to the reading thread: a question, or that nobody waits for its answer any more. */
export type ToThread =
  | { readonly id: number; readonly name: QueryName; readonly args: readonly unknown[] }
  | { readonly id: number; readonly isGivenUp: true }

/** What comes back. `code`: of a refusal that the operator is meant to see. `isDamage`: the database could not be read. */
export type FromThread =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string; readonly code: ErrorCode | null; readonly isDamage: boolean }
