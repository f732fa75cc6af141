import { STATUS_NAMES, type StatusName } from '../intent-views.ts'
import { plainText } from './glob.ts'
import type { WrittenTerm } from './lexer.ts'
import { FIELDS, PATTERN_FIELDS, type Comparison, type Field, type PatternField, type Test } from './terms.ts'

const NUMBER = /^(<=|>=|<|>|=)?(\d{1,9})$/
const AGE = /^(<=|>=|<|>)(\d{1,9})([smhd])$/
/** Seconds. */
export const UNITS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

const ID_PREFIX = /^[0-9a-f]{1,32}$/

/** What a term with a field asks for, or a sentence that says what is wrong with it. */
export function readTest({ field: name, path, value }: WrittenTerm): Test | string {
  const field = name as Field
  if (!FIELDS.includes(field)) return `There is no field \`${name}\`; put the words in quotes to search for them.`
  const isJson = field === 'payload' || field === 'result'
  if (!isJson && path.length > 0) return `\`${field}\` has no keys; only \`payload.\` and \`result.\` do.`
  if (value.pattern === '') return `\`${field}:\` needs a value.`
  if (isJson) {
    if (path.length === 0) return `Say where to look: \`${field}.order:42\`; a word without a field searches everywhere.`
    return { field, path, pattern: value.pattern, isText: value.isQuoted }
  }
  if (isPatternField(field)) return { field, pattern: value.pattern }
  return readPlain(field, plainText(value.pattern), value.pattern)
}

type PlainField = Exclude<Field, PatternField | 'payload' | 'result'>

function readPlain(field: PlainField, text: string, pattern: string): Test | string {
  switch (field) {
    case 'error':
      return { field, pattern }
    case 'status':
      return readStatuses(text)
    case 'priority':
    case 'attempts':
      return readNumber(field, text)
    case 'age':
      return readAge(text)
    case 'visibility':
      if (text === 'private' || text === 'public') return { field, visibility: text }
      return '`visibility` is `private` or `public`.'
    case 'has':
      if (text === 'error' || text === 'result') return { field, what: text }
      return '`has` takes `error` or `result`.'
    case 'id': {
      const prefix = text.toLowerCase()
      return ID_PREFIX.test(prefix) ? { field, prefix } : '`id` takes the first of the 32 hex digits of an id.'
    }
  }
}

function readStatuses(text: string): Test | string {
  const names = text.toLowerCase().split(',')
  const unknown = names.find((name) => !STATUS_NAMES.includes(name as StatusName))
  if (unknown !== undefined) return `\`${unknown}\` is not a status; there are ${STATUS_NAMES.join(', ')}.`
  return { field: 'status', statuses: STATUS_NAMES.filter((name) => names.includes(name)) }
}

function readNumber(field: 'priority' | 'attempts', text: string): Test | string {
  const [, comparison = '=', digits] = NUMBER.exec(text) ?? []
  if (digits === undefined) return `\`${field}\` takes a whole number: \`${field}:5\` or \`${field}:>=5\`.`
  return { field, comparison: comparison as Comparison, value: Number(digits) }
}

function readAge(text: string): Test | string {
  const [, comparison, digits, unit] = AGE.exec(text) ?? []
  if (unit === undefined) return '`age` takes a time with s, m, h or d: `age:<1h` for younger, `age:>2d` for older.'
  const seconds = Number(digits) * UNITS[unit as keyof typeof UNITS]
  return { field: 'age', comparison: comparison as Exclude<Comparison, '='>, seconds }
}

function isPatternField(field: Field): field is PatternField {
  return PATTERN_FIELDS.includes(field as PatternField)
}
