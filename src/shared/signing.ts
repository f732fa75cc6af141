/**
 * The text that a request signature covers (SPEC 5.2). Servers and clients build it with the same functions; computing
 * the HMAC-SHA256 over it is left to the platform's own cryptography.
 */

/** Name and value of each query parameter, in the order they were sent. */
export type QueryPairs = readonly (readonly [name: string, value: string])[]

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** Percent-decodes as forms do: malformed escapes stay as they are, bytes that are not UTF-8 become U+FFFD. */
function percentDecode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    const bytes: number[] = []
    for (let i = 0; i < text.length; i++) {
      const hex = text[i] === '%' ? /^[0-9A-Fa-f]{2}/.exec(text.slice(i + 1, i + 3)) : null
      if (hex) {
        bytes.push(parseInt(hex[0], 16))
        i += 2
      } else {
        const point = text.codePointAt(i)!
        bytes.push(...encoder.encode(String.fromCodePoint(point)))
        if (point > 0xffff) i++
      }
    }
    return decoder.decode(new Uint8Array(bytes))
  }
}

/** Decodes the path of a request target for signing: `/set/a%20b` becomes `/set/a b`. */
export function decodePath(rawPath: string): string {
  return percentDecode(rawPath)
}

/** Decodes a query string as a form: `+` is a space, a bare `x` is `x=`, empty pieces are left out. */
export function parseQuery(rawQuery: string): [name: string, value: string][] {
  if (rawQuery === '') return []
  const pairs: [string, string][] = []
  for (const piece of rawQuery.split('&')) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = equals < 0 ? piece : piece.slice(0, equals)
    const value = equals < 0 ? '' : piece.slice(equals + 1)
    pairs.push([percentDecode(name.replaceAll('+', ' ')), percentDecode(value.replaceAll('+', ' '))])
  }
  return pairs
}

/** RFC 3986: everything but unreserved characters is encoded, `/` included. */
function percentEncode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`
  )
}

/** By code point, which is the order of other languages' strings; UTF-16 order differs above U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.codePointAt(i)! - b.codePointAt(i)!
  }
  return a.length - b.length
}

/** The path as signed, and behind `?` the query: sorted by name alone, repeated and blank values kept. */
export function canonicalPath(decodedPath: string, query: QueryPairs): string {
  if (query.length === 0) return decodedPath
  const sorted = [...query].sort(([a], [b]) => compareCodePoints(a, b))
  return `${decodedPath}?${sorted.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).join('&')}`
}

/** Everything before the body; the exact bytes of the body follow it. */
export function canonicalHead(method: string, path: string, timestamp: string, nonce: string): string {
  return `${method.toUpperCase()}\n${path}\n${timestamp}\n${nonce}\n`
}
