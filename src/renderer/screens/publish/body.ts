import { pasteableJson } from '../../lib/text/commands.ts'
import { bodyMembers } from '../../lib/text/publish-body.ts'
import type { Publication } from './draft.ts'

/** The body of a POST /intent (SPEC 7.2) that publishes the same, as one JSON text without insignificant whitespace, ready to be pasted. */
export function publicationBody(publication: Publication): string {
  return pasteableJson(`{${bodyMembers(publication).map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')}}`)
}
