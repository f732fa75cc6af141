import { compactJson } from '../../../shared/json-text.ts'

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g
const INDENT = '  '

/** JSON text on several lines; numbers and strings keep their characters. */
export function prettyJson(json: string): string {
  let out = ''
  let depth = 0
  let before = ''
  for (const [token] of compactJson(json).matchAll(TOKENS)) {
    const isClosing = token === '}' || token === ']'
    const isEmpty = before === '{' || before === '['
    if (isClosing) depth--
    if (isClosing ? !isEmpty : isEmpty || before === ',') out += `\n${INDENT.repeat(depth)}`
    out += token === ':' ? ': ' : token
    if (token === '{' || token === '[') depth++
    before = token
  }
  return out
}
