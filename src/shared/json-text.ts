/**
 * JSON as text. Payloads and results are kept and handed out as the text that came in, because a JavaScript number
 * holds neither `12345678901234567890` nor `1.10`. Every function here takes text that JSON.parse has accepted.
 */

const QUOTE = 34
const BACKSLASH = 92
const COMMA = 44
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9
}

function skipSpace(text: string, at: number): number {
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

/** `at` is the opening quote; the answer is the index after the closing one. */
function endOfString(text: string, at: number): number {
  for (let quote = text.indexOf('"', at + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return quote + 1
  }
}

function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === QUOTE) return endOfString(text, at)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    let depth = 0
    for (let i = at; ; ) {
      const code = text.charCodeAt(i)
      if (code === QUOTE) {
        i = endOfString(text, i)
        continue
      }
      if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
      else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        depth--
        if (depth === 0) return i + 1
      }
      i++
    }
  }
  let i = at
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || isSpace(code)) break
  }
  return i
}

/** `at` is on the first character of a key; gives the decoded key and the index of its value. */
function readKey(text: string, at: number): { key: string; value: number } {
  const end = endOfString(text, at)
  const raw = text.slice(at, end)
  const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1)
  return { key, value: skipSpace(text, skipSpace(text, end) + 1) }
}

/**
 * The text of one member of a JSON object, without insignificant whitespace; undefined when the object has no such
 * member. Of repeated members the last counts, as it does for JSON.parse.
 */
export function memberText(objectText: string, name: string): string | undefined {
  let found: string | undefined
  let at = skipSpace(objectText, skipSpace(objectText, 0) + 1)
  while (objectText.charCodeAt(at) !== CLOSE_BRACE) {
    const { key, value } = readKey(objectText, at)
    const end = endOfValue(objectText, value)
    if (key === name) found = objectText.slice(value, end)
    at = skipSpace(objectText, end)
    if (objectText.charCodeAt(at) === COMMA) at = skipSpace(objectText, at + 1)
  }
  return found === undefined ? undefined : compactJson(found)
}

/** The same JSON without insignificant whitespace; strings and numbers keep their characters. */
export function compactJson(text: string): string {
  if (!/[ \n\r\t]/.test(text)) return text
  let out = ''
  let from = 0
  for (let i = 0; i < text.length; ) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) {
      i = endOfString(text, i)
    } else if (isSpace(code)) {
      out += text.slice(from, i)
      i = skipSpace(text, i)
      from = i
    } else {
      i++
    }
  }
  return out + text.slice(from)
}

/**
 * One text for all JSON texts that mean the same: key order, whitespace, escapes and the spelling of a number do not
 * count, its exact value does (`1.10` equals `1.1`, `12345678901234567890` does not equal `12345678901234567891`).
 */
export function canonicalJson(text: string): string {
  const open: Container[] = []
  let at = skipSpace(text, 0)
  for (;;) {
    // At the start of a value; containers are kept in a list of our own, since a body may nest deeper than calls can.
    const container = openContainer(text, at)
    let value: string
    if (container === undefined) {
      const end = endOfValue(text, at)
      value = canonicalScalar(text.slice(at, end))
      at = end
    } else {
      at = skipSpace(text, at + 1)
      if (!isClosing(text.charCodeAt(at))) {
        open.push(container)
        at = startOfMember(text, at, container)
        continue
      }
      value = container.close()
      at++
    }
    // Behind a value: it may be the last of one container or of several.
    for (;;) {
      const parent = open.at(-1)
      if (parent === undefined) return value
      parent.add(value)
      at = skipSpace(text, at)
      if (text.charCodeAt(at) === COMMA) {
        at = startOfMember(text, skipSpace(text, at + 1), parent)
        break
      }
      value = parent.close()
      open.pop()
      at++
    }
  }
}

interface Container {
  /** The key of the member that comes next; only objects have one. */
  key: string | undefined
  add(value: string): void
  close(): string
}

function openContainer(text: string, at: number): Container | undefined {
  const first = text.charCodeAt(at)
  if (first === OPEN_BRACKET) {
    const items: string[] = []
    return { key: undefined, add: (value) => void items.push(value), close: () => `[${items.join(',')}]` }
  }
  if (first !== OPEN_BRACE) return undefined
  const members = new Map<string, string>()
  const container: Container = {
    key: '',
    add: (value) => void members.set(container.key!, value),
    close: () => {
      const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1))
      return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
    }
  }
  return container
}

function isClosing(code: number): boolean {
  return code === CLOSE_BRACE || code === CLOSE_BRACKET
}

/** Reads the key of an object's next member, if it is one; gives the index of the value. */
function startOfMember(text: string, at: number, container: Container): number {
  if (container.key === undefined) return at
  const { key, value } = readKey(text, at)
  container.key = key
  return value
}

function canonicalScalar(raw: string): string {
  const first = raw.charCodeAt(0)
  if (first === QUOTE) return JSON.stringify(JSON.parse(raw))
  const isNumber = first === 45 || (first >= 48 && first <= 57)
  return isNumber ? canonicalNumber(raw) : raw
}

/** Digits without leading or trailing zeros and a power of ten, so that equal values get equal texts. */
function canonicalNumber(raw: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(raw) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  let end = digits.length
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--
  const significant = digits.slice(0, end)
  if (significant === '') return '0'
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)
  return `${sign}${significant}e${power}`
}
