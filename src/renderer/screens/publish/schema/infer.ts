import type { JsonNode } from '../../../lib/json/parse.ts'
import { isWord } from './nodes.ts'

/** A JSON Schema that a payload fits, as a beginning: every member is required, and nothing is limited yet. */
export function inferSchema(payload: JsonNode): Record<string, unknown> {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...describe(payload) }
}

function describe(node: JsonNode): Record<string, unknown> {
  switch (node.kind) {
    case 'object': {
      const properties = new Map(node.members.map(({ name, value }) => [String(name), describe(value)]))
      return { type: 'object', properties: Object.fromEntries(properties), required: [...properties.keys()] }
    }
    case 'array':
      return node.members.length === 0 ? { type: 'array' } : { type: 'array', items: describe(node.members[0]!.value) }
    case 'string':
      return { type: 'string' }
    case 'number':
      return { type: /[.eE]/.test(node.raw) ? 'number' : 'integer' }
    case 'word':
      return isWord(node, 'null') ? {} : { type: 'boolean' }
  }
}
