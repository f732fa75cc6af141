import { IntentBusError } from './errors.ts'

/** Members are as the protocol says; what a bus tells of itself is believed. */
export type Fields = Readonly<Record<string, any>>

/** The JSON object of an answer. Throws IntentBusError `invalid_answer` when it is none: no bus answers like that. */
export function readObject(text: string, baseUrl: string): Fields {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Told below, whatever it was.
  }
  throw new IntentBusError(`What answers at ${baseUrl} is not an intent bus: its answer is no JSON object.`, {
    code: 'invalid_answer'
  })
}
