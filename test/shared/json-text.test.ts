import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson, compactJson, memberText } from '../../src/shared/json-text.ts'

test.each([
  ['{"payload":1}', '1'],
  ['{ "a" : [1, 2] , "payload" : { "x" : [ 1.10 , "a b" ] } }', '{"x":[1.10,"a b"]}'],
  ['{"payload":12345678901234567890}', '12345678901234567890'],
  ['{"payload":1.10}', '1.10'],
  ['{"payload":-0.0e-10 }', '-0.0e-10'],
  ['{"payload":null}', 'null'],
  ['{"payload":"}\\"]{,:"}', '"}\\"]{,:"'],
  ['{"payload":"\\\\"}', '"\\\\"'],
  ['{"payload":1,"payload":2}', '2'],
  ['{"p\\u0061yload":3}', '3'],
  ['{"inner":{"payload":1},"payload":[]}', '[]'],
  ['\n{\t"payload"\r:\n""}\n', '""']
])('the payload of %s is %s', (body, payload) => {
  expect(memberText(body, 'payload')).toBe(payload)
})

test('a member that is not there has no text', () => {
  expect(memberText('{}', 'payload')).toBeUndefined()
  expect(memberText('{"inner":{"payload":1},"text":"\\"payload\\":1"}', 'payload')).toBeUndefined()
})

test('whatever JSON.parse takes, the text of a member means the same', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), fc.nat(4), (others, value, indent) => {
      const body = JSON.stringify({ ...others, payload: value }, null, indent)
      const text = memberText(body, 'payload')!
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(compactJson(text)).toBe(text)
      expect(text).toBe(JSON.stringify(value))
    })
  )
})

test.each([
  ['{"a":1,"b":2}', '{ "b": 2, "a": 1 }'],
  ['1.10', '1.1'],
  ['100', '1e2'],
  ['1E+2', '100.0'],
  ['0.001', '1e-3'],
  ['-0', '0.0e5'],
  ['"\\u0041\\/"', '"A/"'],
  ['{"a":1,"a":2}', '{"a":2}'],
  ['[ true , null ]', '[true,null]']
])('%s and %s mean the same', (a, b) => {
  expect(canonicalJson(a)).toBe(canonicalJson(b))
})

test.each([
  ['12345678901234567890', '12345678901234567891'],
  ['1', '"1"'],
  ['[1,2]', '[2,1]'],
  ['{"a":1}', '{"a":1,"b":null}'],
  ['1', '-1'],
  ['0.1', '0.10000000000000000001'],
  ['"a"', '"A"']
])('%s and %s do not mean the same', (a, b) => {
  expect(canonicalJson(a)).not.toBe(canonicalJson(b))
})

test('shuffled keys and spaces never change what a text means, another value does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const textA = JSON.stringify(a)
      expect(canonicalJson(JSON.stringify(reversed(a), null, 2))).toBe(canonicalJson(textA))
      const isSame = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
      expect(canonicalJson(JSON.stringify(b)) === canonicalJson(textA)).toBe(isSame)
    })
  )
})

test('the deepest body that fits into a request is canonical in time', () => {
  const deep = '['.repeat(4_090) + ']'.repeat(4_090)
  expect(canonicalJson(deep)).toBe(deep)
})

test('the work grows with the length of a number, not with its square', () => {
  // Squared, this would outlast any patience.
  const digits = `1${'0'.repeat(1_000_000)}1`
  expect(canonicalJson(`[${digits}]`)).toBe(`[${digits}e0]`)
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).reverse().map(([key, inner]) => [key, reversed(inner)]))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, sorted(inner)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
