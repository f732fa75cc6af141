import type { SignatureFailureView } from '../../../shared/control/network-views.ts'

/** A line of what was signed over, cut where the two sides begin to differ. */
export interface ComparedLine {
  readonly number: number
  readonly text: string
  /** What is the same up to the first difference, and the rest from there on; null for a line that does not hold it. */
  readonly marked: { readonly same: string; readonly other: string } | null
}

/** What the bus signed over, and what the client must have signed over; null where no usual mistake explains it. */
export function comparedLines({ expected, found, difference }: SignatureFailureView): {
  readonly bus: readonly ComparedLine[]
  readonly client: readonly ComparedLine[] | null
} {
  const cut = (lines: readonly string[]): ComparedLine[] =>
    lines.map((text, i) => {
      const isMarked = difference !== null && difference.line === i + 1
      const at = (difference?.column ?? 1) - 1
      return { number: i + 1, text, marked: isMarked ? { same: text.slice(0, at), other: text.slice(at) } : null }
    })
  return { bus: cut(expected), client: found === null ? null : cut(found) }
}
