import { UsageError } from '../exit.ts'

/** The id of an intent. Throws UsageError for what cannot be one. */
export function intentId(text: string): string {
  if (/^[0-9a-f]{32}$/.test(text)) return text
  throw new UsageError(`"${text}" is not the id of an intent: that has 32 hex digits.`, '`intent-bus list` shows ids.')
}
