import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { ExactNumber, JsonText, readJson, writeJson } from '../../src/main/client/index.ts'
import { canonicalJson } from '../../src/shared/json-text.ts'
import { ClientRig } from './rig.ts'

const rig = await ClientRig.start()
afterAll(() => rig[Symbol.asyncDispose]())

const digits = fc.tuple(
  fc.constantFrom('', '-'),
  fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String), fc.nat().map(String)),
  fc.option(fc.stringMatching(/^[0-9]{1,30}$/)),
  fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'e-'), fc.nat({ max: 400 })))
)
const numberText = digits.map(
  ([sign, whole, fraction, exponent]) => sign + whole + (fraction === null ? '' : `.${fraction}`) + (exponent?.join('') ?? '')
)

/** JSON text with numbers of all kinds, keys and strings that look like numbers included. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    numberText,
    fc
      .oneof(fc.string({ unit: 'grapheme' }), numberText, fc.constantFrom('"', '\\', '\\"1', '\u2028', '__proto__'))
      .map((text) => JSON.stringify(text)),
    fc.constantFrom('null', 'true', 'false'),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), numberText, fc.constant('__proto__')), tie('json')), { maxLength: 4 })
      .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)} : ${value}`).join(',')}}`)
  )
}))

test('what is read exactly and written again means the same', () => {
  fc.assert(
    fc.property(json, (text) => {
      expect(canonicalJson(writeJson(readJson(text, 'exact')))).toBe(canonicalJson(text))
    }),
    { numRuns: 1000 }
  )
})

test('without exactness both are what the platform does', () => {
  fc.assert(
    fc.property(json, (text) => {
      expect(readJson(text, 'number')).toEqual(JSON.parse(text))
      expect(writeJson(JSON.parse(text))).toBe(JSON.stringify(JSON.parse(text)))
    })
  )
})

test.each([
  ['1', 1],
  ['1.10', 1.1],
  ['-0', -0],
  ['1e3', 1000],
  ['9007199254740991', 9007199254740991]
])('%s is a number', (text, value) => {
  expect(readJson(text, 'exact')).toBe(value)
})

test.each(['9007199254740993', '12345678901234567890', '0.10000000000000000000000001', '1e400', '-1e-999999999'])(
  '%s is an exact number',
  (text) => {
    const value = readJson(text, 'exact') as ExactNumber
    expect(value).toBeInstanceOf(ExactNumber)
    expect(value.text).toBe(text)
    expect(Number(value)).toBe(Number(text))
    expect(`${value.toString()}`).toBe(text)
  }
)

test('bigint, exact numbers and JSON text are written with their digits', () => {
  const value = {
    big: 12345678901234567890n,
    exact: new ExactNumber('1.10'),
    text: new JsonText('{ "a": 1.00 }'),
    list: [1n, undefined, { toJSON: () => 2n }],
    date: new Date(0),
    left: undefined
  }
  expect(writeJson(value)).toBe(
    '{"big":12345678901234567890,"exact":1.10,"text":{"a":1.00},"list":[1,null,2],"date":"1970-01-01T00:00:00.000Z"}'
  )
})

test('what is no JSON is refused', () => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  expect(() => writeJson(circle)).toThrow(TypeError)
  expect(() => writeJson(undefined)).toThrow(TypeError)
  expect(() => new JsonText('{a:1}')).toThrow(SyntaxError)
  for (const text of ['', '01', '1.', '.5', '+1', 'NaN', '1e', ' 1']) expect(() => new ExactNumber(text)).toThrow(SyntaxError)
})

test('digits survive the way from a publisher to a worker, back, and through the store', async () => {
  const client = rig.client({ numbers: 'exact' })
  const { id } = await client.publish('digits', { a: 12345678901234567890n, b: new ExactNumber('1.10'), c: 1.5 })
  const intent = (await client.claim({ goal: 'digits' }))!
  expect(intent.payloadText).toBe('{"a":12345678901234567890,"b":1.10,"c":1.5}')
  expect(intent.payload).toEqual({ a: new ExactNumber('12345678901234567890'), b: 1.1, c: 1.5 })
  await client.fulfill(id, intent.claimToken, [intent.payload, new JsonText('1.100')])
  const result = await client.getResult(id)
  expect(result.resultText).toBe('[{"a":12345678901234567890,"b":1.1,"c":1.5},1.100]')
  expect(result.result).toEqual([intent.payload, 1.1])
  await client.set('digits', 98765432109876543210n)
  expect(await client.get('digits')).toEqual(new ExactNumber('98765432109876543210'))
  expect(await rig.client().get('digits')).toBe(98765432109876540000)
})
