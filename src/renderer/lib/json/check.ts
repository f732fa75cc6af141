import { compactJson } from '../../../shared/json-text.ts'

/** What is wrong with text that should be JSON, and where. */
export interface JsonProblem {
  readonly message: string
  /** Index of the character where it stops being JSON. */
  readonly at: number
}

/** null for proper JSON. Browsers tell the place in different ways or not at all, so it is found here. */
export function checkJson(text: string): JsonProblem | null {
  try {
    JSON.parse(text)
    return null
  } catch {
    return findProblem(text)
  }
}

/** Bytes of a payload as the bus counts them: UTF-8 without insignificant whitespace; of text that is no JSON, as it is. */
export function payloadBytes(text: string): number {
  const counted = checkJson(text) === null ? compactJson(text) : text.trim()
  return new TextEncoder().encode(counted).length
}

/** What may come next: `item` and `member` are the first of their container, which may also end there. */
type Expected = 'value' | 'item' | 'key' | 'member' | 'colon' | 'more'

const TOKEN =
  /\s+|[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b/gy

function findProblem(text: string): JsonProblem {
  const open: string[] = []
  let expected: Expected = 'value'
  let at = 0
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.trim() !== '') {
      const next = step(token, expected, open)
      if (next === undefined) return { message: explain(token, expected, open), at }
      expected = next
    }
    at += token.length
  }
  return { message: explain(text.slice(at), expected, open), at }
}

/** What may come behind a token; undefined where it must not stand. Keeps track of the containers that are open. */
function step(token: string, expected: Expected, open: string[]): Expected | undefined {
  const container = open.at(-1)
  switch (token) {
    case '{':
    case '[':
      if (expected !== 'value' && expected !== 'item') return undefined
      open.push(token)
      return token === '{' ? 'member' : 'item'
    case '}':
      return close(open, container === '{' && (expected === 'member' || expected === 'more'))
    case ']':
      return close(open, container === '[' && (expected === 'item' || expected === 'more'))
    case ',':
      if (expected !== 'more' || container === undefined) return undefined
      return container === '{' ? 'key' : 'value'
    case ':':
      return expected === 'colon' ? 'value' : undefined
  }
  if (expected === 'key' || expected === 'member') return token.startsWith('"') ? 'colon' : undefined
  return expected === 'value' || expected === 'item' ? 'more' : undefined
}

function close(open: string[], isAllowed: boolean): Expected | undefined {
  if (!isAllowed) return undefined
  open.pop()
  return 'more'
}

/** `found`: the text from the bad place on. */
function explain(found: string, expected: Expected, open: readonly string[]): string {
  if (found.startsWith("'")) return 'JSON takes double quotes.'
  if (found.startsWith('"') && expected !== 'colon' && expected !== 'more') {
    return 'This string does not end, or holds a character that must be escaped.'
  }
  const end = open.at(-1) === '{' ? '}' : ']'
  const wanted = {
    value: 'a value: a "text", a number, true, false, null, { or [',
    item: 'a value or ]',
    key: 'a "key" in double quotes; no comma may stand before }',
    member: 'a "key" in double quotes or }',
    colon: 'a colon',
    more: open.length === 0 ? 'nothing more' : `a comma or ${end}`
  }[expected]
  return found === '' ? `Here is still missing ${wanted}.` : `Here should be ${wanted}.`
}
