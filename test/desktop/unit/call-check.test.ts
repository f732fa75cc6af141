import { expect, test } from 'vitest'
import { checkCall, MAX_INPUT_BYTES } from '../../../src/main/desktop/call-check.ts'

function codeOf(...args: unknown[]): string | undefined {
  const call = checkCall(args)
  return call.isFine ? undefined : call.failure.code
}

const cycle: Record<string, unknown> = {}
cycle.self = cycle

test.each([
  ['nothing', []],
  ['no input', ['status.get']],
  ['a third argument', ['status.get', {}, {}]],
  ['a method that is no text', [1, {}]],
  ['a method that is a list', [['status.get'], {}]],
  ['a long method', ['x'.repeat(65), {}]],
  ['an input that is null', ['status.get', null]],
  ['an input that is a list', ['status.get', []]],
  ['an input that is text', ['status.get', '{}']],
  ['an input in circles', ['status.get', cycle]],
  ['a number that JSON lacks', ['status.get', { n: 1n }]]
])('%s is no call', (_what, args) => {
  expect(codeOf(...args)).toBe('invalid_request')
})

test('an input is limited in bytes, not in characters', () => {
  const room = MAX_INPUT_BYTES - '{"payload":""}'.length
  expect(codeOf('intents.publish', { payload: 'x'.repeat(room) })).toBeUndefined()
  expect(codeOf('intents.publish', { payload: 'x'.repeat(room + 1) })).toBe('payload_too_large')
  expect(codeOf('intents.publish', { payload: 'ü'.repeat(room / 2 + 1) })).toBe('payload_too_large')
})

test('a call comes out as plain data', () => {
  const call = checkCall(['intents.list', { filter: 'goal:a', cursor: undefined, at: new Date(0) }])
  expect(call).toStrictEqual({
    isFine: true,
    method: 'intents.list',
    input: { filter: 'goal:a', at: '1970-01-01T00:00:00.000Z' }
  })
})
