import { describe, expect, it } from 'vitest'
import { parseJson, type JsonNode } from '../../src/renderer/lib/json/parse.ts'
import type { FormField } from '../../src/renderer/screens/publish/schema/fields.ts'
import { inferSchema } from '../../src/renderer/screens/publish/schema/infer.ts'
import { withInitial } from '../../src/renderer/screens/publish/schema/initial.ts'
import { jsonOf, listOf, memberOf, textNode, valuesOf, withMember } from '../../src/renderer/screens/publish/schema/nodes.ts'
import { PayloadSchema } from '../../src/renderer/screens/publish/schema/payload-schema.ts'
import { shownText, typedNumber } from '../../src/renderer/screens/publish/schema/simple-value.ts'

const node = (text: string): JsonNode => parseJson(text)!
const schemaOf = (schema: unknown): PayloadSchema => new PayloadSchema(JSON.stringify(schema))

/** The field for one member's schema. */
function fieldFor(schema: object, rest: object = {}): FormField {
  return schemaOf({ type: 'object', properties: { member: schema }, ...rest }).form!.members[0]!.field
}

describe('JSON that is changed', () => {
  it('keeps every token that is not touched', () => {
    const text = '{"big":12345678901234567890,"p":[1.10,-0,1e400],"s":"\\u00e9","o":{"a":{},"b":[]}}'
    expect(jsonOf(node(text))).toBe(text)
    expect(jsonOf(withMember(node(text), 's', textNode('x')))).toBe(text.replace('"\\u00e9"', '"x"'))
    expect(jsonOf(withMember(node(text), 's', undefined))).toBe(text.replace('"s":"\\u00e9",', ''))
    expect(jsonOf(withMember(node(text), 'new', node('2.50')))).toBe(`${text.slice(0, -1)},"new":2.50}`)
  })

  it('makes one member of a repeated one, and takes the last for what counts', () => {
    expect(jsonOf(memberOf(node('{"a":1,"a":2}'), 'a')!)).toBe('2')
    expect(jsonOf(withMember(node('{"a":1,"b":0,"a":2}'), 'a', node('3')))).toBe('{"b":0,"a":3}')
    expect(jsonOf(withMember(node('{"a":1,"a":2}'), 'a', undefined))).toBe('{}')
  })

  it('makes an object where there is none', () => {
    expect(jsonOf(withMember(undefined, '__proto__', node('1')))).toBe('{"__proto__":1}')
    expect(jsonOf(listOf(valuesOf(node('[1,"a"]')).toReversed()))).toBe('["a",1]')
  })

  it('takes what nests deeper than calls can', () => {
    const text = '['.repeat(20_000) + ']'.repeat(20_000)
    expect(jsonOf(node(text))).toBe(text)
  })

  it.each([
    ['5', '5'],
    [' 1.10 ', '1.10'],
    ['12345678901234567890', '12345678901234567890'],
    ['-2e3', '-2e3'],
    ['1.', '"1."'],
    ['01', '"01"'],
    ['-', '"-"'],
    ['true', '"true"'],
    ['1, 2', '"1, 2"']
  ])('takes %j for a number if it is one', (typed, json) => {
    expect(jsonOf(typedNumber(typed))).toBe(json)
    if (json.startsWith('"')) expect(shownText(typedNumber(typed))).toBe(typed)
  })
})

describe('the form of a schema', () => {
  it.each<[object, object]>([
    [{ type: 'string', title: 'Picture', minLength: 1, maxLength: 9 }, { kind: 'text', title: 'Picture', hint: '1 to 9 characters.', isNullable: false }],
    [{ type: 'string', description: 'Who.', pattern: '^a$' }, { kind: 'text', title: null, hint: 'Who. Fits ^a$.' }],
    [{ type: 'number', maximum: 0.5 }, { kind: 'number', isWhole: false, hint: 'At most 0.5.' }],
    [{ type: 'integer', minimum: 1000 }, { kind: 'number', isWhole: true, hint: 'At least 1,000.' }],
    [{ type: ['integer', 'null'] }, { kind: 'number', isNullable: true }],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }], default: null }, { kind: 'text', isNullable: true, initial: node('null') }],
    [{ type: 'array', items: { type: 'string' }, maxItems: 3 }, { kind: 'list', maxItems: 3, item: { kind: 'text' } }],
    [{ type: 'array', items: { enum: ['a', 'b'] } }, { kind: 'list', maxItems: Infinity, item: { kind: 'choice' } }],
    [{ properties: { a: { type: 'string' } }, required: ['a'] }, { kind: 'object', members: [{ name: 'a', isRequired: true }] }],
    [{ type: 'array', items: { type: 'object' } }, { kind: 'other' }],
    [{ type: 'array' }, { kind: 'other' }],
    [{ type: 'object' }, { kind: 'other' }],
    [{ type: ['string', 'number'] }, { kind: 'other' }],
    [{ anyOf: [{ type: 'string' }, { type: 'number' }] }, { kind: 'other' }],
    [{ enum: [{ a: 1 }] }, { kind: 'other' }],
    [{}, { kind: 'other' }]
  ])('%j', (schema, field) => {
    expect(fieldFor(schema)).toMatchObject(field)
  })

  it.each<[object, string[], string[]]>([
    [{ type: 'boolean' }, ['true', 'false'], ['true', 'false']],
    [{ enum: ['fit', 3, 1.5, null] }, ['fit', '3', '1.5', 'null'], ['"fit"', '3', '1.5', 'null']],
    [{ const: 'only' }, ['only'], ['"only"']],
    [{ oneOf: [{ const: 1, title: 'Low' }, { const: 2 }] }, ['Low', '2'], ['1', '2']]
  ])('offers the values of %j', (schema, labels, values) => {
    const field = fieldFor(schema)
    const options = field.kind === 'choice' ? field.options : []
    expect(options.map(({ label }) => label)).toEqual(labels)
    expect(options.map(({ value }) => jsonOf(value))).toEqual(values)
  })

  it('keeps the digits of values in the schema', () => {
    const { form } = new PayloadSchema('{"properties":{"a":{"enum":[12345678901234567890,1.10],"default":1.10}}}')
    expect(jsonOf(withInitial(form!, node('{}')))).toBe('{"a":1.10}')
    const { field } = form!.members[0]!
    expect(field.kind === 'choice' && field.options.map(({ label }) => label)).toEqual(['12345678901234567890', '1.10'])
  })

  it('follows references within the schema, and stops where one leads back to itself', () => {
    const $defs = { 'a/b': { type: 'integer' }, tree: { type: 'object', properties: { left: { $ref: '#/$defs/tree' }, n: { $ref: '#/$defs/a~1b' } } } }
    expect(fieldFor({ $ref: '#/$defs/tree' }, { $defs })).toMatchObject({
      kind: 'object',
      members: [
        { name: 'left', field: { kind: 'other' } },
        { name: 'n', field: { kind: 'number', isWhole: true } }
      ]
    })
    expect(fieldFor({ allOf: [{ $ref: '#/$defs/a~1b' }], title: 'N' }, { $defs })).toMatchObject({ kind: 'number', title: 'N' })
    expect(fieldFor({ $ref: '#/%E0%A4%A' })).toMatchObject({ kind: 'other' })
  })

  it('is none for what describes no object, and names what it leaves out', () => {
    expect([{ type: 'string' }, { type: 'object' }, { properties: {} }, { anyOf: [{}, {}] }].map((schema) => schemaOf(schema).form)).toEqual(Array(4).fill(null))
    const { leftOut } = schemaOf({ properties: { a: {}, b: { type: 'string' }, c: { properties: { d: { not: {} } } } } })
    expect(leftOut).toEqual(['a', 'c.d'])
  })

  it('fills in defaults, and nothing that is there already or not wanted', () => {
    const { form } = schemaOf({
      required: ['needed'],
      properties: {
        size: { type: 'integer', default: 640 },
        kept: { type: 'string', default: 'other' },
        version: { const: 2 },
        needed: { properties: { deep: { type: 'boolean', default: false } } },
        optional: { properties: { deep: { type: 'boolean', default: true } } }
      }
    })
    expect(jsonOf(withInitial(form!, node('{"kept":"this","x":1.10}')))).toBe('{"kept":"this","x":1.10,"size":640,"version":2,"needed":{"deep":false}}')
    expect(jsonOf(withInitial(form!, node('{"optional":{}}')))).toContain('"optional":{"deep":true}')
    expect(jsonOf(withInitial(form!, node('[1]')))).toBe('[1]')
  })
})

describe('what does not fit a schema', () => {
  const problems = (schema: object, payload: unknown) =>
    schemaOf({ type: 'object', properties: { 'a/b %': schema } })
      .problemsOf(JSON.stringify({ 'a/b %': payload }))
      .map(({ pointer, text }) => [pointer, text])

  it.each<[object, unknown, string]>([
    [{ type: 'integer' }, 1.5, 'This must be a whole number.'],
    [{ type: ['string', 'null'] }, 1, 'This must be a text or null.'],
    [{ type: 'number', minimum: 1 }, 0, 'This must be at least 1.'],
    [{ type: 'number', maximum: 1 }, 2, 'This must be at most 1.'],
    [{ exclusiveMinimum: 1 }, 1, 'This must be more than 1.'],
    [{ exclusiveMaximum: 1 }, 1, 'This must be less than 1.'],
    [{ multipleOf: 0.5 }, 1.2, 'This must be a multiple of 0.5.'],
    [{ minLength: 2 }, '😀', 'This needs at least 2 characters.'],
    [{ maxLength: 1 }, 'ab', 'This may have at most 1 characters.'],
    [{ pattern: '^a' }, 'b', 'This does not fit the pattern that the schema asks for.'],
    [{ format: 'email' }, 'b', 'This is no proper email.'],
    [{ enum: ['a', 1] }, 'b', 'This must be one of "a",1.'],
    [{ const: { x: 1 } }, 'b', 'This must be {"x":1}.'],
    [{ minItems: 1 }, [], 'This needs at least 1 items.'],
    [{ uniqueItems: true }, [1, 1], 'No item may be there twice; items 0 and 1 are the same, counted from 0.'],
    [{ anyOf: [{ type: 'string' }, { type: 'boolean' }] }, 1, 'This fits none of the shapes that the schema allows.'],
    [false, 1, 'The schema does not allow this here.']
  ] as [object, unknown, string][])('%j', (schema, payload, text) => {
    expect(problems(schema, payload)).toEqual([['/a~1b %', text]])
  })

  it('is said of the value itself, however deep, once for each', () => {
    const schema = schemaOf({ properties: { list: { items: { required: ['n'], properties: { n: { type: 'integer', minimum: 1 } } } } }, additionalProperties: false })
    expect(schema.problemsOf('{"list":[{"n":0},{},{"n":"x"}],"other":1}')).toEqual([
      { pointer: '/list/0/n', text: 'This must be at least 1.', isMissing: false },
      { pointer: '/list/1/n', text: 'This is needed: fill it in.', isMissing: true },
      { pointer: '/list/2/n', text: 'This must be a whole number.', isMissing: false },
      { pointer: '/other', text: 'The schema does not allow this here.', isMissing: false }
    ])
    expect(schema.problemsOf('{"list":[{"n":12345678901234567890}]}')).toEqual([])
    expect(schema.problemsOf('no JSON')).toEqual([])
  })

  it('follows the draft that the schema names', () => {
    const exclusive = { properties: { n: { minimum: 1, exclusiveMinimum: true } } }
    expect(schemaOf({ $schema: 'http://json-schema.org/draft-04/schema#', ...exclusive }).problemsOf('{"n":1}')).toHaveLength(1)
  })

  it.each([
    ['[]', 'A schema is a JSON object.'],
    ['nothing', 'A schema is a JSON object.'],
    ['{"$ref":"#/$defs/none"}', /^The schema has a mistake: Unresolved \$ref/]
  ])('is nothing for a schema with a mistake: %s', (text, mistake) => {
    const schema = new PayloadSchema(text)
    expect(schema.mistake).toMatch(mistake)
    expect(schema.problemsOf('{}')).toEqual([])
  })

  it('tells of a mistake that shows only with a value', () => {
    expect(schemaOf({ properties: { a: { pattern: '(' } } }).problemsOf('{"a":"x"}')).toEqual([
      { pointer: '', text: expect.stringMatching(/^The schema cannot be checked: /), isMissing: false }
    ])
  })
})

it('begins a schema that fits the payload it was made from', () => {
  const payload = '{"name":"Ada","n":1,"share":0.5,"on":true,"none":null,"tags":["a"],"empty":[],"owner":{"mail":"x"}}'
  const schema = schemaOf(inferSchema(node(payload)))
  expect(schema.problemsOf(payload)).toEqual([])
  expect(schema.problemsOf('{}').map(({ pointer }) => pointer)).toContain('/owner')
  expect(schema.form!.members.map(({ name, field }) => [name, field.kind])).toEqual([
    ['name', 'text'],
    ['n', 'number'],
    ['share', 'number'],
    ['on', 'choice'],
    ['none', 'other'],
    ['tags', 'list'],
    ['empty', 'other'],
    ['owner', 'object']
  ])
})
