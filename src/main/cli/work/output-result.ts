import { JsonText, TextResult } from '../../client/index.ts'
import { MAX_RESULT_BYTES } from '../../../shared/limits.ts'

/**
 * What a program wrote as the result of its intent: JSON where it is JSON, with every digit, else text; undefined when it
 * wrote nothing. Throws Error when it is larger than the bus takes.
 */
export function resultOf(output: Buffer): JsonText | TextResult | undefined {
  const text = output.toString('utf8').trimEnd()
  if (text.trim() === '') return undefined
  const result = parse(text) ?? new TextResult(text)
  const bytes = Buffer.byteLength(result instanceof JsonText ? result.text : JSON.stringify(text))
  if (bytes <= MAX_RESULT_BYTES) return result
  throw new Error(`The result has ${bytes} bytes as JSON, and the bus takes ${MAX_RESULT_BYTES}.`)
}

function parse(text: string): JsonText | undefined {
  try {
    return new JsonText(text)
  } catch {
    return undefined
  }
}
