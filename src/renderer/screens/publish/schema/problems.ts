import type { OutputUnit } from '@cfworker/json-schema'
import { pointerTo } from './nodes.ts'

/** Something in a payload that its schema does not allow. */
export interface SchemaProblem {
  /** JSON pointer to the value; empty for the whole payload. */
  readonly pointer: string
  /** What is wrong and what to do about it, as a sentence. */
  readonly text: string
  /** The value is not there: no news to somebody who has not come so far. */
  readonly isMissing: boolean
}

/** Keywords whose complaint is only that something inside them has one. */
const WRAPPERS = new Set([
  '$ref', '$recursiveRef', 'allOf', 'if', 'properties', 'patternProperties', 'additionalProperties', 'unevaluatedProperties',
  'dependentSchemas', 'items', 'prefixItems', 'additionalItems', 'unevaluatedItems'
])

/** Keywords that try several schemas: what each of them says confuses. */
const CHOICES = new Set(['anyOf', 'oneOf', 'contains'])

const TYPE_WORDS: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null'
}

/** How the validator puts it, and how it is put here. `$1` is what the parentheses caught. */
const WORDINGS: Readonly<Record<string, readonly [said: RegExp, text: string]>> = {
  enum: [/any of \[(.*)\]\.$/s, 'This must be one of $1.'],
  const: [/match (.*)\.$/s, 'This must be $1.'],
  minimum: [/less than (\S+)\.$/, 'This must be at least $1.'],
  maximum: [/greater than (\S+)\.$/, 'This must be at most $1.'],
  exclusiveMinimum: [/less than (\S+)\.$/, 'This must be more than $1.'],
  exclusiveMaximum: [/equal to (\S+)\.$/, 'This must be less than $1.'],
  multipleOf: [/multiple of (\S+)\.$/, 'This must be a multiple of $1.'],
  minLength: [/< (\d+)\)/, 'This needs at least $1 characters.'],
  maxLength: [/> (\d+)\)/, 'This may have at most $1 characters.'],
  minItems: [/< (\d+)\)/, 'This needs at least $1 items.'],
  maxItems: [/> (\d+)\)/, 'This may have at most $1 items.'],
  pattern: [/()/, 'This does not fit the pattern that the schema asks for.'],
  format: [/format "(.*)"/, 'This is no proper $1.'],
  uniqueItems: [/indexes (\d+) and (\d+)/, 'No item may be there twice; items $1 and $2 are the same, counted from 0.'],
  anyOf: [/()/, 'This fits none of the shapes that the schema allows.'],
  oneOf: [/()/, 'This must fit exactly one of the shapes that the schema allows.'],
  false: [/()/, 'The schema does not allow this here.']
}

/** What a validator found, for people: one sentence for each place, the first that it gave. */
export function readProblems(units: readonly OutputUnit[]): SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>()
  let skipped: string | null = null
  for (const unit of units) {
    if (skipped !== null && unit.keywordLocation.startsWith(skipped)) continue
    skipped = CHOICES.has(unit.keyword) ? `${unit.keywordLocation}/` : null
    if (WRAPPERS.has(unit.keyword)) continue
    const problem = readUnit(unit)
    if (!problems.has(problem.pointer)) problems.set(problem.pointer, problem)
  }
  return [...problems.values()]
}

function readUnit({ keyword, instanceLocation, error }: OutputUnit): SchemaProblem {
  const pointer = decode(instanceLocation)
  const missing = keyword === 'required' ? /property "(.*)"\.$/s.exec(error)?.[1] : undefined
  if (missing !== undefined) return { pointer: pointerTo(pointer, missing), text: 'This is needed: fill it in.', isMissing: true }
  if (keyword === 'type') return { pointer, text: `This must be ${typeWords(error)}.`, isMissing: false }
  const [said, text] = WORDINGS[keyword] ?? [/^(.*)$/s, '$1']
  const caught = said.exec(error)
  return { pointer, text: caught === null ? error : text.replace(/\$(\d)/g, (_, i: string) => caught[Number(i)] ?? ''), isMissing: false }
}

/** `Expected "string", "null".` as `a text or null`. */
function typeWords(error: string): string {
  const names = [...error.slice(error.indexOf('Expected')).matchAll(/"(\w+)"/g)].map(([, name]) => TYPE_WORDS[name!] ?? name!)
  return names.join(' or ')
}

/** `#/a%20b` as the JSON pointer `/a b`. */
function decode(location: string): string {
  return decodeURI(location.slice(1).replaceAll('%23', '#'))
}
