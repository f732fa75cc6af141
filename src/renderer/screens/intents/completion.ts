import type { Suggestion } from '../../../shared/control/filter.ts'

/** A filter into which a completion was put. */
export interface Completed {
  readonly text: string
  readonly caret: number
  /** The term is finished: the next one may begin behind the caret. */
  readonly isFinished: boolean
}

export function complete(text: string, { from, to, insert }: Suggestion): Completed {
  const isFinished = !/[.:]$/.test(insert)
  const rest = text.slice(to)
  const space = isFinished && !rest.startsWith(' ') ? ' ' : ''
  return { text: `${text.slice(0, from)}${insert}${space}${rest}`, caret: from + insert.length + (isFinished ? 1 : 0), isFinished }
}
