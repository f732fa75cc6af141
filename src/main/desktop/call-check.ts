import type { ControlFailure } from '../../shared/control/transport.ts'

/** Bytes of a call's input as JSON. */
export const MAX_INPUT_BYTES = 1_048_576
const MAX_METHOD_LENGTH = 64

export type CheckedCall =
  | { readonly isFine: true; readonly method: string; readonly input: unknown }
  | { readonly isFine: false; readonly failure: ControlFailure }

/**
 * Checks the shape of what a page sends as a call; the contract's schemas check the rest, in the bus. The input comes
 * out as plain JSON data, whatever else a page may have put into it.
 */
export function checkCall(args: readonly unknown[]): CheckedCall {
  const [method, input] = args
  if (args.length !== 2 || typeof method !== 'string' || method.length > MAX_METHOD_LENGTH) {
    return refused('invalid_request', 'A call has the name of a method and an input.')
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return refused('invalid_request', 'The input of a call is an object.')
  }
  const text = toJson(input)
  if (text === undefined) return refused('invalid_request', 'The input of a call is JSON data.')
  if (Buffer.byteLength(text) > MAX_INPUT_BYTES) {
    return refused('payload_too_large', `The input of a call is limited to ${MAX_INPUT_BYTES} bytes of JSON.`)
  }
  return { isFine: true, method, input: JSON.parse(text) as unknown }
}

function toJson(input: object): string | undefined {
  try {
    return JSON.stringify(input)
  } catch {
    return undefined
  }
}

function refused(code: string, message: string): CheckedCall {
  return { isFine: false, failure: { code, message } }
}
