import { checkJson } from '../../../lib/json/check.ts'
import type { JsonNode } from '../../../lib/json/parse.ts'
import { textNode, textOf } from './nodes.ts'

/** What a control for text or a number shows of a value. */
export function shownText(node: JsonNode | undefined): string {
  return textOf(node) ?? (node?.kind === 'number' ? node.raw : '')
}

/** A number as it was typed, with its digits; what is no number stays text, which the schema then complains of. */
export function typedNumber(text: string): JsonNode {
  const raw = text.trim()
  return /^-?\d/.test(raw) && checkJson(raw) === null ? { kind: 'number', raw } : textNode(text)
}
