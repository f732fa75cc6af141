/** A term as it is written, before its value is looked at. */
export interface WrittenTerm {
  readonly at: number
  readonly length: number
  readonly isNegated: boolean
  /** What stands before the colon, in lower case; null for a word or phrase. */
  readonly field: string | null
  /** The keys between field and colon: `payload.order:`. */
  readonly path: readonly string[]
  readonly value: WrittenValue
}

export interface WrittenValue {
  readonly at: number
  readonly length: number
  /** A pattern (glob.ts). */
  readonly pattern: string
  readonly isQuoted: boolean
  /** False for a quote without its partner. */
  readonly isClosed: boolean
}

/** A name, any keys behind it, and the colon. Keys in quotes may hold anything. */
const HEAD = /([A-Za-z][A-Za-z_]*)((?:\.(?:"(?:[^"\\]|\\[^])*"|[^\s".:]*))*):/y
const KEY = /\.(?:"((?:[^"\\]|\\[^])*)"|([^\s".:]*))/g
const WORD = /\S*/y
const SPACE = /\s*/y

/** Takes a filter apart into its terms. Any text at all is a sequence of terms. */
export function writtenTerms(text: string): WrittenTerm[] {
  const terms: WrittenTerm[] = []
  for (let at = match(SPACE, text, 0).length; at < text.length; ) {
    const term = readTerm(text, at)
    terms.push(term)
    at += term.length
    at += match(SPACE, text, at).length
  }
  return terms
}

function readTerm(text: string, at: number): WrittenTerm {
  // A minus by itself is a word like any other.
  const isNegated = text[at] === '-' && /\S/.test(text[at + 1] ?? ' ')
  const start = isNegated ? at + 1 : at
  HEAD.lastIndex = start
  const head = HEAD.exec(text)
  const value = readValue(text, start + (head?.[0].length ?? 0))
  const path = [...(head?.[2] ?? '').matchAll(KEY)].map(([, quoted, bare]) => (quoted === undefined ? bare! : unquote(quoted)))
  return {
    at,
    length: value.at + value.length - at,
    isNegated,
    field: head?.[1]!.toLowerCase() ?? null,
    path,
    value
  }
}

function readValue(text: string, at: number): WrittenValue {
  if (text[at] !== '"') {
    const word = match(WORD, text, at)
    // Outside quotes a backslash is a character like any other.
    return { at, length: word.length, pattern: word.replaceAll('\\', '\\\\'), isQuoted: false, isClosed: true }
  }
  let end = at + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  const isClosed = end < text.length
  const inside = text.slice(at + 1, end)
  return { at, length: Math.min(text.length, end + 1) - at, pattern: patternInQuotes(inside), isQuoted: true, isClosed }
}

/** In quotes a backslash takes a quote as it is; a backslash before anything that needs none is itself. */
function patternInQuotes(inside: string): string {
  return inside.replace(/\\([^]?)/g, (escape, next: string) =>
    next === '"' ? '"' : next === '*' || next === '?' || next === '\\' ? escape : `\\\\${next}`
  )
}

function unquote(inside: string): string {
  return inside.replace(/\\(["\\])/g, '$1')
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)![0]
}
