import { globParts, literalOf, plainText } from '../../../shared/control/filter/glob.ts'
import { isErrorPattern } from '../../../shared/control/filter/match.ts'
import { JSON_FIELDS, type FilterTerm, type JsonTest, type Test } from '../../../shared/control/filter/terms.ts'
import { STATUS } from '../intents/intent.ts'

/** An expression over the columns of `intents` and the values it names. */
export interface Condition {
  readonly sql: string
  readonly values: Readonly<Record<string, string | number>>
  /** The columns it reads. */
  readonly columns: readonly string[]
}

const COLUMNS = {
  goal: 'goal',
  ns: 'namespace',
  worker: 'worker',
  key: 'publisher',
  target: 'target_worker',
  capability: 'required_capability',
  visibility: 'visibility',
  priority: 'priority',
  attempts: 'claim_attempts'
} as const

/** Decimal digits that SQLite, which reads all but integers as floating point, tells apart. */
const EXACT_DIGITS = 15
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const JSON_WORDS = new Set(['true', 'false', 'null'])

/** The terms as one expression; `now` is Unix time in seconds. */
export function conditionOf(terms: readonly FilterTerm[], now: number): Condition {
  const writer = new ConditionWriter(now)
  const parts = terms.map(({ isNegated, test }) => {
    const sql = writer.test(test)
    // What is NULL does not match, so its contrary does.
    return isNegated ? `(${sql}) IS NOT TRUE` : `(${sql})`
  })
  return { sql: parts.join(' AND ') || 'TRUE', values: writer.values, columns: [...writer.columns] }
}

class ConditionWriter {
  readonly values: Record<string, string | number> = {}
  readonly columns = new Set<string>()
  readonly #now: number

  constructor(now: number) {
    this.#now = now
  }

  test(test: Test): string {
    switch (test.field) {
      case 'status':
        return `${this.#column('status')} IN (${test.statuses.map((name) => STATUS[name]).join(', ')})`
      case 'visibility':
        return `${this.#column('visibility')} = ${this.#value(test.visibility)}`
      case 'id':
        return this.#like(this.#id(), `${test.prefix}%`)
      case 'priority':
      case 'attempts':
        return `${this.#column(COLUMNS[test.field])} ${test.comparison} ${this.#value(test.value)}`
      case 'age':
        return `${this.#value(this.#now)} - ${this.#column('created_at')} ${test.comparison} ${this.#value(test.seconds)}`
      case 'error':
        return this.#like(this.#column('last_error'), errorPattern(test.pattern))
      case 'has':
        return `${this.#column(test.what === 'error' ? 'last_error' : 'result')} IS NOT NULL`
      case 'payload':
      case 'result':
        return this.#jsonValue(test)
      case 'text':
        return this.#text(test.text)
      default: {
        const column = this.#column(COLUMNS[test.field])
        const literal = literalOf(test.pattern)
        return literal === null ? this.#glob(column, test.pattern) : `${column} = ${this.#value(literal)}`
      }
    }
  }

  #glob(expression: string, pattern: string): string {
    return `${expression} GLOB ${this.#value(globPattern(pattern))}`
  }

  #like(expression: string, pattern: string): string {
    return `${expression} LIKE ${this.#value(pattern)} ESCAPE '\\'`
  }

  #text(text: string): string {
    const raw = containing(text)
    const inJson = [...new Set(spellings(text))].map(containing)
    const places = [
      this.#like(this.#column('goal'), raw),
      ...JSON_FIELDS.flatMap((field) => inJson.map((spelling) => this.#like(this.#column(field), spelling))),
      this.#like(this.#column('last_error'), raw),
      // Only such a word can be in an id, and spelling an id out costs more than all the rest.
      ...(/^[0-9a-f]{1,32}$/i.test(text) ? [this.#like(this.#id(), raw)] : [])
    ]
    return places.join(' OR ')
  }

  /** `n` and `tail` as the 32 digits of the id (ids.ts). */
  #id(): string {
    return `(printf('%014x', n) || ${this.#column('tail')})`
  }

  #jsonValue({ field, path, pattern, isText }: JsonTest): string {
    const at = this.#value(`$${path.map((key) => `.${JSON.stringify(key)}`).join('')}`)
    const column = this.#column(field)
    const type = `json_type(${column}, ${at})`
    const extracted = `json_extract(${column}, ${at})`
    const text = plainText(pattern)
    const literal = literalOf(pattern)
    let test = literal === null ? this.#glob(extracted, pattern) : `${extracted} = ${this.#value(literal)}`
    let types = `'text'`
    // Without quotes a value may be text or what JSON calls it.
    if (!isText && JSON_NUMBER.test(text)) {
      const isExact = text.replace(/[eE].*|\D/g, '').length <= EXACT_DIGITS
      test += isExact ? ` OR ${extracted} = ${this.#value(Number(text))}` : ` OR ${column} -> ${at} = ${this.#value(text)}`
      types += `, 'integer', 'real'`
    } else if (!isText && JSON_WORDS.has(text)) {
      test += ` OR ${type} = '${text}'`
      types += `, '${text}'`
    }
    // SQLite refuses to look into what is nested a thousand deep, and would fail the whole question.
    return `CASE WHEN json_valid(${column}) THEN (${test}) AND ${type} IN (${types}) END`
  }

  #column(name: string): string {
    this.columns.add(name)
    return name
  }

  #value(value: string | number): string {
    const name = `v${Object.keys(this.values).length}`
    this.values[name] = value
    return `@${name}`
  }
}

/** How a text may be spelt within JSON: with the escapes that it must have, and as encoders that keep to ASCII do. */
function spellings(text: string): string[] {
  const escaped = JSON.stringify(text).slice(1, -1)
  const inAscii = escaped.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return [text, escaped, inAscii]
}

function containing(text: string): string {
  return `%${escapeLike(text)}%`
}

function errorPattern(pattern: string): string {
  return isErrorPattern(pattern) ? likePattern(pattern) : containing(plainText(pattern))
}

function likePattern(pattern: string): string {
  return globParts(pattern)
    .map((part) => (part === '*' ? '%' : part === '?' ? '_' : escapeLike(part.text)))
    .join('')
}

function escapeLike(text: string): string {
  return text.replace(/[%_\\]/g, '\\$&')
}

/** In SQLite's notation, where a wildcard in brackets is an ordinary character. */
function globPattern(pattern: string): string {
  return globParts(pattern)
    .map((part) => (typeof part === 'string' ? part : part.text.replace(/[*?[]/g, '[$&]')))
    .join('')
}
