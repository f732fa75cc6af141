import { plainText } from './glob.ts'
import { writtenTerms, type WrittenTerm } from './lexer.ts'
import type { Filter, FilterProblem, FilterTerm, Test } from './terms.ts'
import { readTest } from './values.ts'

/** More than anybody writes, and few enough for one SQL expression. */
const MAX_TERMS = 50

/** Reads a filter. Never throws: what means nothing is among the problems, with its place. */
export function parseFilter(text: string): Filter {
  const terms: FilterTerm[] = []
  const problems: FilterProblem[] = []
  for (const [i, written] of writtenTerms(text).entries()) {
    const { at, length, isNegated } = written
    const test = i < MAX_TERMS ? readWritten(written) : `A filter has ${MAX_TERMS} terms at most.`
    if (typeof test === 'string') problems.push({ at, length, message: test })
    else terms.push({ at, length, isNegated, test })
    if (i === MAX_TERMS) break
  }
  return { terms, problems }
}

function readWritten(written: WrittenTerm): Test | string {
  const { field, value } = written
  if (!value.isClosed) return 'The closing quote is missing.'
  if (field !== null) return readTest(written)
  const text = plainText(value.pattern)
  return text === '' ? 'There is nothing between the quotes.' : { field: 'text', text }
}
