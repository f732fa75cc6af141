/**
 * Patterns of the filter language: `*` stands for any characters, `?` for one; a backslash before one of these, or
 * before another backslash, takes it as it is.
 */

/** A piece of text that is meant as it is, or a wildcard. */
export type GlobPart = { readonly text: string } | '*' | '?'

/** A pattern piece by piece: pieces of text are never empty and never stand side by side. */
export function globParts(pattern: string): GlobPart[] {
  const parts: GlobPart[] = []
  let text = ''
  const flush = (): void => {
    if (text !== '') parts.push({ text })
    text = ''
  }
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!
    if (character === '*' || character === '?') {
      flush()
      parts.push(character)
    } else {
      if (character === '\\' && isEscapable(pattern[i + 1])) i++
      text += pattern[i]
    }
  }
  flush()
  return parts
}

/** The one text that a pattern matches; null when it has wildcards. */
export function literalOf(pattern: string): string | null {
  const parts = globParts(pattern)
  if (parts.length === 0) return ''
  const [only] = parts
  return parts.length === 1 && typeof only === 'object' ? only.text : null
}

/** The text that a pattern spells when wildcards are taken as they are. */
export function plainText(pattern: string): string {
  return globParts(pattern)
    .map((part) => (typeof part === 'string' ? part : part.text))
    .join('')
}

/** The pattern that matches exactly this text. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?\\]/g, '\\$&')
}

/** Whether a whole text matches a pattern; a `?` is one code point, as it is in SQLite. */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = globParts(pattern).flatMap((part): GlobPart[] =>
    typeof part === 'string' ? [part] : [...part.text].map((one) => ({ text: one }))
  )
  const characters = [...text]
  let token = 0
  let star = -1
  let resumeAt = 0
  for (let at = 0; at < characters.length; ) {
    const wanted = tokens[token]
    if (wanted === '*') {
      star = token++
      resumeAt = at
    } else if (wanted === '?' || wanted?.text === characters[at]) {
      token++
      at++
    } else if (star >= 0) {
      // The last star takes one more character: an earlier one need never be tried again.
      token = star + 1
      at = ++resumeAt
    } else {
      return false
    }
  }
  return tokens.slice(token).every((left) => left === '*')
}

/** Upper case to lower for A to Z only: case-insensitive as SQLite's LIKE is. */
export function foldCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function isEscapable(character: string | undefined): boolean {
  return character === '*' || character === '?' || character === '\\'
}
