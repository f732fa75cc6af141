import type { JsonNode } from '../../../lib/json/parse.ts'
import type { ObjectField } from './fields.ts'
import { EMPTY_OBJECT, memberOf, withMember } from './nodes.ts'

/** The payload with what the schema gives as defaults for members that are not there; all else stays as it is. */
export function withInitial(field: ObjectField, node: JsonNode): JsonNode {
  if (node.kind !== 'object') return node
  return field.members.reduce<JsonNode>((filled, { name, field: member, isRequired }) => {
    const present = memberOf(filled, name)
    if (present === undefined && member.initial !== undefined) return withMember(filled, name, member.initial)
    // An optional object that is not wanted stays away.
    if (member.kind !== 'object' || (present === undefined && !isRequired)) return filled
    return withMember(filled, name, withInitial(member, present ?? EMPTY_OBJECT))
  }, node)
}
