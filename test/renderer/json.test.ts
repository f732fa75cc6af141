import { describe, expect, it } from 'vitest'
import { checkJson, payloadBytes } from '../../src/renderer/lib/json/check.ts'
import { parseJson, prettyJson, treeRows } from '../../src/renderer/lib/json/parse.ts'

describe('JSON as it was written', () => {
  it('keeps the digits of numbers and the escapes of strings', () => {
    expect(parseJson('{"n": 12345678901234567890, "p": [1.10, -0, 1e400], "s": "\\u00e9\\"}"}')).toEqual({
      kind: 'object',
      members: [
        { name: 'n', value: { kind: 'number', raw: '12345678901234567890' } },
        {
          name: 'p',
          value: {
            kind: 'array',
            members: ['1.10', '-0', '1e400'].map((raw, name) => ({ name, value: { kind: 'number', raw } }))
          }
        },
        { name: 's', value: { kind: 'string', raw: '"\\u00e9\\"}"' } }
      ]
    })
  })

  it('shows a repeated member twice', () => {
    const root = parseJson('{"a":1,"a":2}')!
    expect(treeRows(root, () => true).map(({ path, name }) => [path, name])).toEqual([
      ['$', null],
      ['$/0', 'a'],
      ['$/1', 'a']
    ])
  })

  it('takes what nests deeper than calls can', () => {
    const text = '['.repeat(3_500) + ']'.repeat(3_500)
    expect(treeRows(parseJson(text)!, () => true)).toHaveLength(3_500)
  })

  it('is undefined for anything else', () => {
    expect(['', '{', '{"a":1,}', 'nil', '01'].map(parseJson)).toEqual(Array(5).fill(undefined))
  })

  it('indents without touching a token', () => {
    expect(prettyJson('{"a":[1.10,{}],"b":{"c":[]},"d":"x: {,}"}')).toBe(
      '{\n  "a": [\n    1.10,\n    {}\n  ],\n  "b": {\n    "c": []\n  },\n  "d": "x: {,}"\n}'
    )
  })
})

it('indents what nests absurdly deep without making it endless', () => {
  const deep = '['.repeat(3_500) + ']'.repeat(3_500)
  expect(prettyJson(deep).length).toBeLessThan(1_000_000)
  expect(JSON.stringify(JSON.parse(prettyJson(deep)))).toBe(deep)
})

describe('the place where text stops being JSON', () => {
  it.each([
    ['', 0, 'missing a value'],
    ['{"a":1,}', 7, 'no comma may stand before }'],
    ['[1,]', 3, 'a value'],
    ['{"a" 1}', 5, 'a colon'],
    ['{"a":1 "b":2}', 7, 'a comma or }'],
    ['{a:1}', 1, 'a "key" in double quotes or }'],
    ["{'a':1}", 1, 'double quotes'],
    ['{"a":tru}', 5, 'a value'],
    ['[1}', 2, 'a comma or ]'],
    ['{"a":"b', 5, 'does not end'],
    ['{"a":1', 6, 'missing a comma or }'],
    ['{} {}', 3, 'nothing more'],
    ['[01]', 1, 'a value']
  ])('%s', (text, at, message) => {
    expect(checkJson(text)).toEqual({ at, message: expect.stringContaining(message) as string })
  })

  it('has none in JSON', () => {
    expect(['{}', ' [1, "\\u00e9", null] ', '-1.5e3', 'true', '"x"'].map(checkJson)).toEqual(Array(5).fill(null))
  })
})

describe('bytes of a payload', () => {
  it.each([
    ['{ "a" : "é" }', 10],
    ['"a b"', 5],
    [' {oops ', 5]
  ])('%s', (text, bytes) => {
    expect(payloadBytes(text)).toBe(bytes)
  })
})
