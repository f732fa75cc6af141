import { literalOf, plainText } from './glob.ts'
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
  if (field === null && value.pattern === '') return 'There is nothing between the quotes.'
  const test = field === null ? ({ field: 'text', text: plainText(value.pattern) } as const) : readTest(written)
  if (typeof test !== 'string' && searchedFor(test).includes('\0')) return 'A filter cannot look for the character U+0000 within a text.'
  return test
}

/** What is held against parts of texts. To SQLite it would end at a U+0000, and match more than it says. */
function searchedFor(test: Test): string {
  if (test.field === 'text') return test.text
  if (!('pattern' in test)) return ''
  return test.field === 'error' || literalOf(test.pattern) === null ? test.pattern : ''
}
