import type { JsonMember, JsonNode } from '../../../lib/json/parse.ts'

/** Reading and changing JSON that stays as it was written: what is not touched keeps its digits and escapes. */

type Scalar = Extract<JsonNode, { readonly raw: string }>

export const EMPTY_OBJECT: JsonNode = { kind: 'object', members: [] }
export const EMPTY_LIST: JsonNode = { kind: 'array', members: [] }

/** A text as a node. */
export function textNode(text: string): Scalar {
  return { kind: 'string', raw: JSON.stringify(text) }
}

/** The decoded text of a string; undefined for anything else. */
export function textOf(node: JsonNode | undefined): string | undefined {
  return node?.kind === 'string' ? (JSON.parse(node.raw) as string) : undefined
}

/** The value of a number; undefined for anything else. */
export function numberOf(node: JsonNode | undefined): number | undefined {
  return node?.kind === 'number' ? Number(node.raw) : undefined
}

export function isWord(node: JsonNode | undefined, word: 'true' | 'false' | 'null'): boolean {
  return node?.kind === 'word' && node.raw === word
}

export function isScalar(node: JsonNode): node is Scalar {
  return 'raw' in node
}

/** Items of an array, or values of an object. */
export function valuesOf(node: JsonNode | undefined): JsonNode[] {
  return node !== undefined && 'members' in node ? node.members.map(({ value }) => value) : []
}

/** A member of an object; of repeated ones the last counts, as it does for JSON.parse. */
export function memberOf(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.findLast((member) => member.name === name)?.value : undefined
}

/** The object with a member set, or without it for undefined. No object counts as an empty one. */
export function withMember(node: JsonNode | undefined, name: string, value: JsonNode | undefined): JsonNode {
  const members: readonly JsonMember[] = node?.kind === 'object' ? node.members : []
  const at = members.findLastIndex((member) => member.name === name)
  const isOther = (member: JsonMember, i: number): boolean => i === at || member.name !== name
  if (value === undefined) return { kind: 'object', members: members.filter((member) => member.name !== name) }
  if (at < 0) return { kind: 'object', members: [...members, { name, value }] }
  return { kind: 'object', members: members.with(at, { name, value }).filter(isOther) }
}

export function listOf(values: readonly JsonNode[]): JsonNode {
  return { kind: 'array', members: values.map((value, name) => ({ name, value })) }
}

/** JSON text without insignificant whitespace. Depth is bounded by memory only. */
export function jsonOf(root: JsonNode): string {
  let out = ''
  const waiting: (JsonNode | string)[] = [root]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      out += next
    } else if ('raw' in next) {
      out += next.raw
    } else {
      const [start, end] = next.kind === 'object' ? ['{', '}'] : ['[', ']']
      out += start
      waiting.push(end)
      next.members.toReversed().forEach(({ name, value }, i, { length }) => {
        const key = typeof name === 'string' ? `${JSON.stringify(name)}:` : ''
        waiting.push(value, i === length - 1 ? key : `,${key}`)
      })
    }
  }
  return out
}

/** The place of a member, as a JSON pointer. */
export function pointerTo(parent: string, name: string | number): string {
  return `${parent}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
