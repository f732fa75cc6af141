/**
 * JSON as it was written. JSON.parse turns `12345678901234567890` and `1.10` into other numbers, and forgets a member
 * that is repeated; whoever reads a payload wants to see what was sent.
 */

/** A value, with what it was written as. */
export type JsonNode =
  | { readonly kind: 'object' | 'array'; readonly members: readonly JsonMember[] }
  /** `raw`: the token itself, quotes and escapes included. */
  | { readonly kind: 'string' | 'number' | 'word'; readonly raw: string }

export interface JsonMember {
  /** Decoded key, or the index in an array. */
  readonly name: string | number
  readonly value: JsonNode
}

const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|([^\s{}[\],:"]+))/gy

interface OpenContainer {
  readonly kind: 'object' | 'array'
  readonly members: JsonMember[]
  /** The key of the member whose value comes next. */
  name: string | undefined
}

/** Parses text that JSON.parse accepts; undefined for any other. Depth is bounded by the text only. */
export function parseJson(text: string): JsonNode | undefined {
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  const open: OpenContainer[] = []
  let root: JsonNode | undefined
  const add = (value: JsonNode): void => {
    const parent = open.at(-1)
    if (parent === undefined) root = value
    else parent.members.push({ name: parent.name ?? parent.members.length, value })
    if (parent !== undefined) parent.name = undefined
  }
  for (const [, mark, quoted, bare] of text.matchAll(TOKEN)) {
    const parent = open.at(-1)
    if (mark === '{' || mark === '[') {
      open.push({ kind: mark === '{' ? 'object' : 'array', members: [], name: undefined })
    } else if (mark === '}' || mark === ']') {
      const { kind, members } = open.pop()!
      add({ kind, members })
    } else if (quoted !== undefined) {
      if (parent?.kind === 'object' && parent.name === undefined) parent.name = JSON.parse(quoted) as string
      else add({ kind: 'string', raw: quoted })
    } else if (bare !== undefined) {
      add({ kind: /^[-\d]/.test(bare) ? 'number' : 'word', raw: bare })
    }
  }
  return root
}

/** Levels that are indented: else 7 KB of brackets would become 25 MB of spaces. */
const MAX_INDENTED = 64

/** The same JSON with two spaces for each level; every token stays as it was written. */
export function prettyJson(text: string): string {
  let out = ''
  let depth = 0
  const line = (): string => `\n${'  '.repeat(Math.min(depth, MAX_INDENTED))}`
  let before = ''
  for (const [, mark, quoted, bare] of text.matchAll(TOKEN)) {
    if (mark === '}' || mark === ']') {
      depth--
      if (before !== '{' && before !== '[') out += line()
    } else if (before === '{' || before === '[' || before === ',') {
      out += line()
    }
    if (mark === '{' || mark === '[') depth++
    out += mark ?? quoted ?? bare ?? ''
    if (mark === ':') out += ' '
    before = mark ?? ''
  }
  return out
}

/** A line of a tree in which some containers are open. */
export interface TreeRow {
  /** Names from the root, as text that no other row has. */
  readonly path: string
  readonly name: string | number | null
  readonly node: JsonNode
  /** 1 for the root. */
  readonly level: number
  readonly isOpen: boolean
}

/** The visible rows from top to bottom. `isOpen` decides for each container, by its path. */
export function treeRows(root: JsonNode, isOpen: (path: string, level: number) => boolean): TreeRow[] {
  const rows: TreeRow[] = []
  const waiting: Omit<TreeRow, 'isOpen'>[] = [{ path: '$', name: null, node: root, level: 1 }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, node, level } = next
    const isContainer = 'members' in node && node.members.length > 0
    const shows = isContainer && isOpen(path, level)
    rows.push({ ...next, isOpen: shows })
    if (!shows) continue
    // Repeated members have the same name, so the place counts.
    const children = node.members.map(({ name, value }, i) => ({ path: `${path}/${i}`, name, node: value, level: level + 1 }))
    waiting.push(...children.reverse())
  }
  return rows
}
