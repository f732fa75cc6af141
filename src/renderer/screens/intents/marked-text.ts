import type { FilterProblem } from '../../../shared/control/filter.ts'

/** A stretch of a filter's text. */
export interface Stretch {
  readonly text: string
  readonly isMarked: boolean
}

/** The text in stretches, those of problems marked. Problems neither overlap nor go backwards. */
export function markedText(text: string, problems: readonly FilterProblem[]): Stretch[] {
  const stretches: Stretch[] = []
  let from = 0
  for (const { at, length } of problems) {
    stretches.push({ text: text.slice(from, at), isMarked: false }, { text: text.slice(at, at + length), isMarked: true })
    from = at + length
  }
  return [...stretches, { text: text.slice(from), isMarked: false }].filter((stretch) => stretch.text !== '')
}
