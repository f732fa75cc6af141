import { STATUS_NAMES, type Counts } from '../../../shared/control/intent-views.ts'
import { ProtocolError } from '../../../shared/errors.ts'

/** An export: NDJSON, a header first, then everything with its `type`, and at last a line that says that nothing is missing. */
export const FORMAT = 'intent-bus-export'
export const VERSION = 1

/** The longest line is a template with a long payload and a long schema, all of it escaped. */
export const MAX_LINE_BYTES = 2_097_152

/** The last line: `lines` before it, and the SHA-256 of all their bytes. */
export interface End {
  readonly type: 'end'
  readonly lines: number
  readonly sha256: string
}

/** Counts to add to. */
export interface MutableCounts {
  intents: Record<keyof Counts, number>
  keys: number
  templates: number
  savedViews: number
  keyValues: number
}

export function noCounts(): MutableCounts {
  const intents = Object.fromEntries(STATUS_NAMES.map((name) => [name, 0])) as MutableCounts['intents']
  return { intents, keys: 0, templates: 0, savedViews: 0, keyValues: 0 }
}

/** A file whose end is missing. */
export function cutOff(): ProtocolError {
  return badFile('The file ends too early: it was cut off on its way here. Copy it again, or export it anew.')
}

/** A file that cannot be imported, with a sentence for the user. */
export function badFile(problem: string): ProtocolError {
  return new ProtocolError('invalid_request', problem)
}
