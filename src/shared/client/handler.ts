import type { ClaimedIntent } from './answers.ts'

/** What a handler is given beside the payload. */
export interface HandlerContext {
  readonly intent: ClaimedIntent
  /** Aborted at once when the lease is lost, or the intent is handed back because the worker stops. */
  readonly signal: AbortSignal
  /**
   * Says how far the work is, to the worker's `onProgress`, and makes sure of the lease. The bus has no place for progress.
   * Rejects with the signal's reason when the work should end.
   */
  progress(note: unknown): Promise<void>
}

/**
 * Does the work of an intent. What it returns is the result, stored as JSON; undefined stores none. What it throws fails the
 * intent with that message. It may run more than once for an intent: delivery is at least once (SPEC 2).
 */
export type Handler = (payload: unknown, context: HandlerContext) => unknown

/** A result that is stored as text and not as JSON. */
export class TextResult {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** How the work on an intent ended. */
export type Outcome =
  | { readonly status: 'fulfilled'; readonly result: unknown }
  | { readonly status: 'failed'; readonly error: Error }
  | { readonly status: 'lost'; readonly error: Error }
