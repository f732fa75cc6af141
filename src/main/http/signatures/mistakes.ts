import { parseQuery, type QueryPairs } from '../../../shared/signing.ts'
import { keepSlash, lowerHex, plus, strict } from './encodings.ts'

/** Deeper JSON is not tried in other writings: it would grow with every level. */
const MAX_DEPTH = 16
/** Characters of a body that is tried in place of the one that came. */
const MAX_LENGTH = 16_384
/** Characters of a query that is tried in other writings. */
export const MAX_QUERY = 2_048

/** A text that a client may have put into its signature in place of the right one, and what it did wrong then. */
export interface Mistake {
  readonly text: string
  /** The end of a sentence: "The client signed …". */
  readonly what: string
}

/** What a request was, as far as its signature covers it. `path` and `query` as they were sent. */
export interface SentTarget {
  readonly path: string
  readonly query: string
  readonly host: string
  /** The path as it is to be signed. */
  readonly canonical: string
  readonly decodedPath: string
}

/** How else the path may have been signed. */
export function pathMistakes(target: SentTarget): Mistake[] {
  const { path, query, host, canonical, decodedPath } = target
  const sent = query === '' ? path : `${path}?${query}`
  return without(canonical, [
    ...(query === '' || query.length > MAX_QUERY ? [] : queryMistakes(target)),
    { text: sent, what: query === '' ? 'the path as it is sent, percent-encoded' : 'path and query as they are sent' },
    { text: `http://${host}${sent}`, what: 'the whole address in place of its path' },
    { text: `https://${host}${sent}`, what: 'the whole address in place of its path' },
    { text: `${host}${sent}`, what: 'host and path in place of the path' },
    { text: canonical.slice(1), what: 'the path without its first slash' },
    { text: canonical.endsWith('/') ? canonical.slice(0, -1) : `${canonical}/`, what: 'the path with another slash at its end' },
    ...(query === '' ? [{ text: `${decodedPath}?`, what: 'a question mark behind the path, where there is no query' }] : [])
  ])
}

function queryMistakes({ path, query, decodedPath }: SentTarget): Mistake[] {
  const pairs = parseQuery(query)
  const byName = sorted(pairs, ([a], [b]) => compare(a, b))
  const byBoth = sorted(pairs, (a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  const rawSorted = query.split('&').sort().join('&')
  const behind = (text: string): string => `${decodedPath}?${text}`
  return [
    { text: decodedPath, what: 'the path without its query' },
    { text: path, what: 'the path without its query, percent-encoded' },
    { text: behind(join(pairs, strict)), what: 'the query in the order it is sent, not sorted by name' },
    { text: behind(query), what: 'the query as it is sent, neither sorted nor encoded alike' },
    { text: behind(rawSorted), what: 'the query sorted, but encoded otherwise' },
    { text: behind(join(byBoth, strict)), what: 'the query sorted by name and value, not by name alone' },
    { text: behind(join(byName, plus)), what: 'the query with + for spaces, not %20' },
    { text: behind(join(pairs, plus)), what: 'the query in the order it is sent, with + for spaces' },
    { text: behind(join(byName, keepSlash)), what: 'the query with its slashes as they are, not as %2F' },
    { text: behind(join(byName, encodeURIComponent)), what: "the query with some of !'()* as they are, not percent-encoded" },
    { text: behind(join(byName, lowerHex)), what: 'the query with escapes in lower case' },
    { text: behind(join(byName, (text) => text)), what: 'the query without percent-encoding' },
    { text: behind(join(pairs, (text) => text)), what: 'the query neither sorted nor percent-encoded' }
  ]
}

/** How else the body may have been signed. */
export function bodyMistakes(body: string): Mistake[] {
  if (body === '') {
    const texts = ['{}', 'null', '""', 'undefined', '\n']
    return texts.map((text) => ({ text, what: `${JSON.stringify(text)} as the body, where none is sent` }))
  }
  return without(body, [
    { text: '', what: 'no body' },
    { text: `${body}\n`, what: 'the body with a line break at its end' },
    { text: body.trimEnd(), what: 'the body without the line break or spaces at its end' },
    { text: body.replaceAll('\r\n', '\n'), what: 'the body with LF line breaks, where CRLF is sent' },
    { text: body.replaceAll(/\r?\n/g, '\r\n'), what: 'the body with CRLF line breaks' },
    ...writings(body)
  ])
}

/** The same JSON as others write it. */
function writings(body: string): Mistake[] {
  if (body.length > MAX_LENGTH || depthOf(body) > MAX_DEPTH) return []
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return []
  }
  const compact = JSON.stringify(value)
  const python = pythonJson(value)
  const inOrder = sortKeys(value)
  const texts: [text: string, how: string][] = [
    [compact, 'parsed and written again without spaces'],
    [JSON.stringify(inOrder), 'with its members sorted'],
    [python, "as Python's json.dumps writes it"],
    [asciiJson(python), "as Python's json.dumps writes it"],
    [asciiJson(compact), 'with escapes for all that is not ASCII'],
    [pythonJson(inOrder), "as Python's json.dumps writes it with sort_keys"],
    [asciiJson(pythonJson(inOrder)), "as Python's json.dumps writes it with sort_keys"],
    [compact.replaceAll('/', '\\/'), 'with escaped slashes, as PHP writes it'],
    ...[2, 4, '\t'].map((indent): [string, string] => [JSON.stringify(value, null, indent), 'pretty-printed'])
  ]
  return texts
    .filter(([text]) => text.length <= MAX_LENGTH)
    .map(([text, how]) => ({ text, what: `the body ${how}, not the bytes that are sent` }))
}

/** How deep brackets are nested, those in strings included. */
function depthOf(body: string): number {
  let depth = 0
  let deepest = 0
  for (const character of body) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth)
    else if (character === ']' || character === '}') depth--
  }
  return deepest
}

function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${pythonJson(member)}`)
    .join(', ')}}`
}

function asciiJson(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compare(a, b))
      .map(([name, member]) => [name, sortKeys(member)])
  )
}

function sorted(pairs: QueryPairs, by: (a: QueryPairs[number], b: QueryPairs[number]) => number): QueryPairs {
  return [...pairs].sort(by)
}

function join(pairs: QueryPairs, encode: (text: string) => string): string {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Each text once, and not the right one. */
function without(right: string, mistakes: readonly Mistake[]): Mistake[] {
  const seen = new Set([right])
  return mistakes.filter(({ text }) => !seen.has(text) && seen.add(text))
}
