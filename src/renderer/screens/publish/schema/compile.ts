import type { JsonNode } from '../../../lib/json/parse.ts'
import { formatNumber } from '../../../lib/text/numbers.ts'
import type { FormField, ObjectField, SimpleField } from './fields.ts'
import { isScalar, jsonOf, memberOf, numberOf, textOf, valuesOf } from './nodes.ts'

/** Objects in objects: beyond, a form helps nobody. */
const MAX_DEPTH = 5

/** The form for a JSON Schema; null for one that does not describe an object with known members. */
export function compileForm(schema: JsonNode): ObjectField | null {
  const field = compile(schema, { root: schema, refs: new Set(), depth: 0 })
  return field.kind === 'object' && field.members.length > 0 ? field : null
}

/** Names of the members that a form leaves to the JSON editor: `size`, `owner.address`. */
export function leftOut(field: ObjectField, before = ''): string[] {
  return field.members.flatMap(({ name, field: member }) => {
    if (member.kind === 'other') return [before + name]
    return member.kind === 'object' ? leftOut(member, `${before}${name}.`) : []
  })
}

interface Place {
  readonly root: JsonNode
  /** References that led here: a schema may contain itself. */
  readonly refs: ReadonlySet<string>
  readonly depth: number
}

function compile(given: JsonNode, before: Place): FormField {
  const { schema, isNullable, place } = unwrap(given, before)
  const common = {
    title: textOf(memberOf(given, 'title')) ?? textOf(memberOf(schema, 'title')) ?? null,
    hint: hintOf(given, schema),
    isNullable,
    initial: memberOf(given, 'default') ?? memberOf(schema, 'default') ?? memberOf(schema, 'const')
  }
  const options = optionsOf(schema)
  if (options !== undefined) return { kind: 'choice', options, ...common }
  if (COMBINING.some((keyword) => memberOf(schema, keyword) !== undefined)) return { kind: 'other', ...common }
  switch (typeOf(schema)) {
    case 'string':
      return { kind: 'text', ...common }
    case 'number':
      return { kind: 'number', isWhole: false, ...common }
    case 'integer':
      return { kind: 'number', isWhole: true, ...common }
    case 'object':
      return compileObject(schema, place, common) ?? { kind: 'other', ...common }
    case 'array': {
      const items = memberOf(schema, 'items')
      const item = items === undefined ? undefined : compile(items, place)
      if (!isSimple(item)) return { kind: 'other', ...common }
      return { kind: 'list', item, maxItems: numberOf(memberOf(schema, 'maxItems')) ?? Infinity, ...common }
    }
  }
  return { kind: 'other', ...common }
}

function compileObject(schema: JsonNode, place: Place, common: Omit<ObjectField, 'kind' | 'members'>): ObjectField | undefined {
  const properties = memberOf(schema, 'properties')
  if (properties?.kind !== 'object' || place.depth >= MAX_DEPTH) return undefined
  const required = new Set(valuesOf(memberOf(schema, 'required')).map(textOf))
  const inside = { ...place, depth: place.depth + 1 }
  const members = properties.members.map(({ name, value }) => ({
    name: String(name),
    field: compile(value, inside),
    isRequired: required.has(String(name))
  }))
  return { kind: 'object', members, ...common }
}

/** Keywords by which a value may take one of several shapes. */
const COMBINING = ['anyOf', 'oneOf', 'allOf', 'not', '$ref']

/** The schema behind references and behind "or null". */
function unwrap(given: JsonNode, before: Place): { schema: JsonNode; isNullable: boolean; place: Place } {
  let schema = given
  let place = before
  let isNullable = false
  for (;;) {
    const ref = textOf(memberOf(schema, '$ref'))
    const target = ref === undefined || place.refs.has(ref) ? undefined : resolve(ref, place.root)
    const parts = valuesOf(memberOf(schema, 'anyOf') ?? memberOf(schema, 'oneOf') ?? memberOf(schema, 'allOf'))
    const others = parts.filter((part) => textOf(memberOf(part, 'type')) !== 'null')
    if (ref !== undefined && target !== undefined) {
      place = { ...place, refs: new Set([...place.refs, ref]) }
      schema = target
    } else if (parts.length <= 2 && others.length === 1 && typeOf(schema) === undefined) {
      isNullable ||= parts.length === 2
      schema = others[0]!
    } else {
      return { schema, isNullable: isNullable || allowsNull(schema), place }
    }
  }
}

/** A reference within the schema: `#/$defs/size`. */
function resolve(ref: string, root: JsonNode): JsonNode | undefined {
  if (!ref.startsWith('#/')) return undefined
  const names = ref.slice(2).split('/')
  return names.map(decodeName).reduce<JsonNode | undefined>((node, name) => memberOf(node, name), root)
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return name
  }
}

function typeNames(schema: JsonNode): string[] {
  const type = memberOf(schema, 'type')
  return (type?.kind === 'array' ? valuesOf(type) : [type]).flatMap((name) => textOf(name) ?? [])
}

/** The one type that a value has beside null; undefined for several. */
function typeOf(schema: JsonNode): string | undefined {
  const names = typeNames(schema).filter((name) => name !== 'null')
  if (names.length === 0 && memberOf(schema, 'properties') !== undefined) return 'object'
  return names.length === 1 ? names[0] : undefined
}

function allowsNull(schema: JsonNode): boolean {
  return typeNames(schema).includes('null')
}

function optionsOf(schema: JsonNode): { label: string; value: JsonNode }[] | undefined {
  const constant = memberOf(schema, 'const')
  const values = constant === undefined ? memberOf(schema, 'enum') : { kind: 'array' as const, members: [{ name: 0, value: constant }] }
  if (values !== undefined) return valuesOf(values).every(isScalar) ? valuesOf(values).map((value) => option(value)) : undefined
  const parts = valuesOf(memberOf(schema, 'oneOf') ?? memberOf(schema, 'anyOf'))
  const named = parts.flatMap((part) => {
    const value = memberOf(part, 'const')
    return value !== undefined && isScalar(value) ? [option(value, textOf(memberOf(part, 'title')))] : []
  })
  if (parts.length > 0 && named.length === parts.length) return named
  return typeOf(schema) === 'boolean' ? TRUTHS.map((value) => option(value)) : undefined
}

const TRUTHS: readonly JsonNode[] = ['true', 'false'].map((raw) => ({ kind: 'word', raw }))

function option(value: JsonNode, title?: string): { label: string; value: JsonNode } {
  return { label: title ?? textOf(value) ?? jsonOf(value), value }
}

function isSimple(field: FormField | undefined): field is SimpleField {
  return field?.kind === 'text' || field?.kind === 'number' || field?.kind === 'choice'
}

/** The description and what limits the value, as sentences. */
function hintOf(given: JsonNode, schema: JsonNode): string | null {
  const description = textOf(memberOf(given, 'description')) ?? textOf(memberOf(schema, 'description'))
  const limits = [
    rangeText(schema, 'minimum', 'maximum', (from, to) => `From ${from} to ${to}.`),
    rangeText(schema, 'minLength', 'maxLength', (from, to) => `${from} to ${to} characters.`),
    rangeText(schema, 'minItems', 'maxItems', (from, to) => `${from} to ${to} items.`),
    patternText(schema)
  ]
  return [description, ...limits].filter(Boolean).join(' ') || null
}

function rangeText(schema: JsonNode, min: string, max: string, both: (from: string, to: string) => string): string | null {
  const [from, to] = [numberOf(memberOf(schema, min)), numberOf(memberOf(schema, max))]
  const unit = min === 'minimum' ? '' : min === 'minLength' ? ' characters' : ' items'
  const show = (value: number): string => (Number.isInteger(value) ? formatNumber(value) : String(value))
  if (from !== undefined && to !== undefined) return both(show(from), show(to))
  if (from !== undefined) return `At least ${show(from)}${unit}.`
  return to === undefined ? null : `At most ${show(to)}${unit}.`
}

function patternText(schema: JsonNode): string | null {
  const pattern = textOf(memberOf(schema, 'pattern'))
  const format = textOf(memberOf(schema, 'format'))
  if (pattern !== undefined) return `Fits ${pattern}.`
  return format === undefined ? null : `Format: ${format}.`
}
