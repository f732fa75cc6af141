/** Columns that text takes on a terminal. All of it must be clean: no control characters, no styles. */

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** What terminals draw two columns wide: the East Asian ranges, and characters that are pictures by themselves. */
const WIDE = new RegExp(
  [
    '[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97c\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f\\uff01-\\uff60]',
    '[\\uffe0-\\uffe6\\u{1f300}-\\u{1faff}\\u{20000}-\\u{3fffd}]',
    '\\p{Emoji_Presentation}'
  ].join('|'),
  'u'
)
const PLAIN = /^[\u0020-\u007e\u00a0-\u02ff]*$/
/** Marks that stand above or below what is before them. */
const ONLY_MARKS = /^\p{Mark}+$/u

export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment)
  return width
}

/** The beginning of a text that has so many columns; where something is left out, the last one is `…`. */
export function cutToWidth(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text
  if (columns <= 0) return ''
  let cut = ''
  let width = 0
  for (const { segment } of graphemes.segment(text)) {
    width += graphemeWidth(segment)
    if (width > columns - 1) break
    cut += segment
  }
  return `${cut}…`
}

/** Fills up with spaces; text that is longer stays as it is. */
export function padToWidth(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, columns - textWidth(text)))
  return align === 'left' ? text + spaces : spaces + text
}

function graphemeWidth(segment: string): number {
  if (ONLY_MARKS.test(segment)) return 0
  // U+FE0F asks for the picture of a character that is also a letter.
  return WIDE.test(segment) || segment.includes('\ufe0f') ? 2 : 1
}
