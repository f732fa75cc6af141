import { parseQuery } from '../../../shared/signing.ts'
import { keepSlash, lowerHex, plus, strict } from './encodings.ts'
import { MAX_QUERY } from './mistakes.ts'

/** Stands where a secret was. */
export const MASK = '•••'

const ENCODINGS = [(text: string) => text, strict, plus, keepSlash, lowerHex, encodeURIComponent]

/** Forms of secrets that are looked for in a query; with more, or where it is too long to be looked into, all of it is taken out. */
const MAX_FORMS = 32 * ENCODINGS.length

/** Takes keys out of what an operator is shown of a request. */
export class Mask {
  readonly #secrets: readonly string[]
  readonly #hidesQuery: boolean

  /** `key`: the one that was presented; `isSecret` tells of a parameter of the query whether its value may be one. */
  constructor(key: string, query: string, isSecret: (name: string, value: string) => boolean) {
    const forms = query.length > MAX_QUERY ? undefined : formsIn(query, isSecret)
    this.#hidesQuery = forms === undefined
    // Longer ones first: one may be a part of another.
    this.#secrets = [...new Set([...formsOf(key), ...(forms ?? [])])].sort((a, b) => b.length - a.length)
  }

  /** The text without secrets; what generated keys look like is taken out in any case. */
  apply(text: string): string {
    const shown = this.#hidesQuery ? text.replace(/\?[^]+/, `?${MASK}`) : text
    return this.#secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), shown).replace(/tk_[0-9a-f]{16,}/gi, MASK)
  }
}

/** How the secrets of a query may be written; undefined where they are too many. */
function formsIn(query: string, isSecret: (name: string, value: string) => boolean): Set<string> | undefined {
  const forms = new Set<string>()
  for (const piece of query.split('&')) {
    const [[name, value] = ['', '']] = parseQuery(piece)
    if (value === '' || !isSecret(name, value)) continue
    forms.add(piece.slice(piece.indexOf('=') + 1))
    for (const form of formsOf(value)) forms.add(form)
    if (forms.size > MAX_FORMS) return undefined
  }
  return forms
}

function formsOf(secret: string): string[] {
  return ENCODINGS.map((encode) => encode(secret))
}
