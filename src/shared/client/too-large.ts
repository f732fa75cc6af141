import { memberText } from '../json-text.ts'
import { MAX_BODY_BYTES, MAX_PAYLOAD_BYTES, MAX_RESULT_BYTES } from '../limits.ts'

/**
 * What is too large in the body of a request, by the limits of SPEC 15: a sentence with its size and the limit. A bus that refuses a
 * body before it reads it can only speak of the whole. undefined where the body keeps to all of them.
 */
export function tooLarge(body: string): string | undefined {
  const parts = [
    { name: 'payload', bytes: bytesOf(memberText(body, 'payload')), limit: MAX_PAYLOAD_BYTES },
    { name: 'result', bytes: bytesOf(memberText(body, 'result')), limit: MAX_RESULT_BYTES },
    { name: 'request', bytes: bytesOf(body), limit: MAX_BODY_BYTES }
  ]
  const found = parts.find(({ bytes, limit }) => bytes > limit)
  return found && `The ${found.name} is too large: ${found.bytes} bytes of JSON, and ${found.limit} are allowed.`
}

function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : new TextEncoder().encode(text).length
}
