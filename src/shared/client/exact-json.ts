import { canonicalJson, compactJson } from '../json-text.ts'
import { randomHex } from './random.ts'

/**
 * JSON in and out without losing digits. A JavaScript number holds neither `12345678901234567890` nor
 * `0.10000000000000000001`; where that matters, values carry the text itself.
 */

/** `number`: all numbers are JavaScript's. `exact`: those that it cannot hold arrive as `ExactNumber`. */
export type NumberStyle = 'number' | 'exact'

/** JSON text that is sent as it is: for payloads and results that were JSON before, and must keep every character. */
export class JsonText {
  readonly text: string

  /** Throws SyntaxError when `text` is no JSON. */
  constructor(text: string) {
    JSON.parse(text)
    this.text = compactJson(text)
  }

  toString(): string {
    return this.text
  }
}

/** A number of JSON with all its digits. */
export class ExactNumber {
  readonly text: string

  /** Throws SyntaxError when `text` is not a number as JSON writes it. */
  constructor(text: string) {
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text)) throw new SyntaxError(`${text} is not a JSON number.`)
    this.text = text
  }

  toString(): string {
    return this.text
  }

  /** The nearest JavaScript number: arithmetic and comparisons with it are no longer exact. */
  valueOf(): number {
    return Number(this.text)
  }
}

/** Like JSON.stringify, but bigint, ExactNumber and JsonText are written with their own digits. Throws TypeError as it does. */
export function writeJson(value: unknown): string {
  // No text of the value can contain a mark that is drawn anew each time.
  const mark = randomHex(16)
  const texts: string[] = []
  const text = JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key, given: unknown) {
    // The holder has what was there before toJSON.
    const exact = exactText(this[key]) ?? exactText(given)
    if (exact === undefined) return given
    texts.push(exact)
    return mark
  }) as string | undefined
  if (text === undefined) throw new TypeError(`JSON has no ${typeof value}.`)
  if (texts.length === 0) return text
  let next = 0
  return text.replaceAll(`"${mark}"`, () => texts[next++]!)
}

/** What is written for a value that stands for its own digits. */
function exactText(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value)
  return value instanceof ExactNumber || value instanceof JsonText ? value.text : undefined
}

/** Parses JSON. Throws SyntaxError. */
export function readJson(text: string, numbers: NumberStyle): unknown {
  const plain: unknown = JSON.parse(text)
  if (numbers === 'number') return plain
  const mark = randomHex(16)
  let isMarked = false
  // Outside of strings JSON has digits only in numbers.
  const marked = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, (token) => {
    if (token.startsWith('"') || isHeldByNumber(token)) return token
    isMarked = true
    return `"${mark}${token}"`
  })
  if (!isMarked) return plain
  return JSON.parse(marked, (_key, value: unknown) => {
    return typeof value === 'string' && value.startsWith(mark) ? new ExactNumber(value.slice(mark.length)) : value
  })
}

/** Whether a number keeps its value on its way through JavaScript's and back to text; its spelling may change. */
function isHeldByNumber(token: string): boolean {
  const text = String(Number(token))
  return text === token || canonicalJson(text) === canonicalJson(token)
}
