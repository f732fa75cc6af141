import { writtenTerms, type WrittenTerm } from './lexer.ts'
import type { Filter, FilterTerm, Test } from './terms.ts'
import { UNITS } from './values.ts'

/** The text of a filter's terms, each in its shortest form: `parseFilter` reads the same terms from it. */
export function formatFilter({ terms }: Filter): string {
  return terms.map(formatTerm).join(' ')
}

/**
 * The filter with `field:value` in it, in the place of whatever it asked of that field. `field` may be a path
 * (`payload.order`); `value` is as it would stand in quotes, so text that is meant as it is goes through `escapeGlob`.
 */
export function withTerm(text: string, field: string, value: string): string {
  const term = `${field}:${formatValue(value)}`
  const rest = without(text, (written) => !written.isNegated && fieldOf(written) === field)
  // A quote that was never closed would swallow what comes behind it.
  const isOpen = writtenTerms(rest).some((written) => !written.value.isClosed)
  return (isOpen ? [term, rest] : [rest, term]).filter((part) => part !== '').join(' ')
}

/** The filter without anything that it asks of a field, which may be a path. */
export function withoutField(text: string, field: string): string {
  return without(text, (written) => fieldOf(written) === field)
}

function without(text: string, isUnwanted: (written: WrittenTerm) => boolean): string {
  return writtenTerms(text)
    .filter((written) => !isUnwanted(written))
    .map(({ at, length }) => text.slice(at, at + length))
    .join(' ')
}

function fieldOf({ field, path }: WrittenTerm): string | null {
  return field === null ? null : field + formatPath(path)
}

function formatTerm({ isNegated, test }: FilterTerm): string {
  const term = test.field === 'text' ? formatWord(test.text) : `${test.field}${formatTest(test)}`
  return isNegated ? `-${term}` : term
}

/** Everything behind the name of the field. */
function formatTest(test: Exclude<Test, { field: 'text' }>): string {
  switch (test.field) {
    case 'status':
      return `:${test.statuses.join(',')}`
    case 'visibility':
      return `:${test.visibility}`
    case 'has':
      return `:${test.what}`
    case 'id':
      return `:${test.prefix}`
    case 'priority':
    case 'attempts':
      return `:${test.comparison === '=' ? '' : test.comparison}${test.value}`
    case 'age':
      return `:${test.comparison}${formatAge(test.seconds)}`
    case 'payload':
    case 'result':
      return `${formatPath(test.path)}:${test.isText ? inQuotes(test.pattern) : formatValue(test.pattern)}`
    default:
      return `:${formatValue(test.pattern)}`
  }
}

function formatAge(seconds: number): string {
  const [unit, size] = Object.entries(UNITS).findLast(([, unitSize]) => seconds % unitSize === 0)!
  return `${seconds / size}${unit}`
}

function formatPath(path: readonly string[]): string {
  return path.map((key) => (/^[^\s".:]+$/.test(key) ? `.${key}` : `."${key.replace(/["\\]/g, '\\$&')}"`)).join('')
}

/** A value for behind a colon, from a pattern: without quotes where it means the same without. */
export function formatValue(pattern: string): string {
  const isBare = /^[^\s"]\S*$/.test(pattern) && !pattern.replaceAll('\\\\', '').includes('\\')
  return isBare ? pattern.replaceAll('\\\\', '\\') : inQuotes(pattern)
}

function inQuotes(pattern: string): string {
  return `"${pattern.replace(/\\[*?\\]|["\\]/g, (found) => (found.length === 2 ? found : `\\${found}`))}"`
}

function formatWord(text: string): string {
  const [only, ...others] = writtenTerms(text)
  const isOneWord = only?.field === null && others.length === 0 && only.length === text.length
  return isOneWord && !only.isNegated && !only.value.isQuoted ? text : inQuotes(text.replace(/[\\*?]/g, '\\$&'))
}
