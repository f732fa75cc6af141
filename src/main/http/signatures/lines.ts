import { hash } from 'node:crypto'
import type { Frame } from './frames.ts'

const MAX_LINE = 2_000

/** Makes a text fit to be shown. */
export type Show = (text: string) => string

/** What is signed, line by line. */
export function linesOf(fields: readonly string[], frame: Frame, shown: Show): string[] {
  // Line breaks within a part are not those between the parts.
  const text = frame.join(fields.map((field) => shown(field)))
  return text.split('\n').map((line) => shown(line))
}

/** A body without its text. */
export function summary(body: Buffer): string {
  return body.length === 0 ? '' : `${body.length} bytes, sha256 ${hash('sha256', body)}`
}

/** Control characters are shown as their escapes. */
export function show(text: string): string {
  return text.replace(/[\0-\x1f\x7f]/g, (character) => JSON.stringify(character).slice(1, -1)).slice(0, MAX_LINE)
}
