/** C0 but for tab and newline, DEL and C1, and what turns the direction of text round or is not seen at all. */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g

/**
 * Text of others on one line of a terminal. Anybody may publish a goal that holds escape sequences: they must be seen, and
 * must not move a cursor, set a title or answer a question.
 */
export function cleanLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*|\t/g, ' ').replace(UNSEEN, escape)
}

/** Text of others that may have several lines. */
export function cleanLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN, escape)
}

/** The same JSON, in which everything that acts or hides is an escape of JSON itself. */
export function cleanJson(json: string): string {
  return json.replace(UNSEEN, (character) => `\\u${hex(character, 4)}`)
}

function escape(character: string): string {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0')
}
