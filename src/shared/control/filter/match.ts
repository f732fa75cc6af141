import type { IntentChange } from '../intent-views.ts'
import { foldCase, globParts, literalOf, matchesGlob, plainText } from './glob.ts'
import type { Comparison, Filter, FilterTerm, Test } from './terms.ts'

type Verdict = boolean | 'unknown'

/** Whether an intent matches a filter, as far as one change of it tells. A deleted intent matches nothing. */
export function matchesChange({ terms }: Filter, change: IntentChange): Verdict {
  if (change.event === 'deleted') return false
  const verdicts = terms.map((term) => passes(term, change))
  if (verdicts.includes(false)) return false
  return verdicts.includes('unknown') ? 'unknown' : true
}

/** Whether an error is one that `error:` asks for: it fits a pattern with a `*`, or contains the text. */
export function matchesError(pattern: string, error: string): boolean {
  if (isErrorPattern(pattern)) return matchesGlob(foldCase(pattern), foldCase(error))
  return foldCase(error).includes(foldCase(plainText(pattern)))
}

/** A `?` alone is more likely a question mark of the message than a wildcard. */
export function isErrorPattern(pattern: string): boolean {
  return globParts(pattern).includes('*')
}

/** Holds two numbers against each other. */
export function compares(left: number, comparison: Comparison, right: number): boolean {
  switch (comparison) {
    case '=':
      return left === right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

/** Unix seconds at which an intent was published, which the first 14 digits of its id tell to the millisecond. */
export function publishedAt(id: string): number {
  return parseInt(id.slice(0, 14), 16) / 2_048_000
}

function passes({ isNegated, test }: FilterTerm, change: IntentChange): Verdict {
  const verdict = holds(test, change)
  return verdict === 'unknown' || !isNegated ? verdict : !verdict
}

function holds(test: Test, change: IntentChange): Verdict {
  const isNew = change.event === 'published'
  // Neither has an attempt or an error yet.
  const isFresh = isNew || change.event === 'retried'
  switch (test.field) {
    case 'status':
      return test.statuses.includes(change.status)
    case 'goal':
      return matches(test.pattern, change.goal)
    case 'ns':
      return matches(test.pattern, change.namespace)
    case 'worker':
      // The change tells who let go of it; what is open has no worker any more.
      return matchesKnown(test.pattern, change.status === 'open' ? null : change.worker)
    case 'key':
      // Of other events the key is that of whoever caused them.
      return isNew ? matchesKnown(test.pattern, change.key) : 'unknown'
    case 'id':
      return change.id.startsWith(test.prefix)
    case 'age':
      return compares(change.at - publishedAt(change.id), test.comparison, test.seconds)
    case 'attempts': {
      const attempts = isFresh ? 0 : change.attempts
      return attempts === undefined ? 'unknown' : compares(attempts, test.comparison, test.value)
    }
    case 'error': {
      const error = isFresh ? null : change.error
      if (error === undefined) return 'unknown'
      return error !== null && matchesError(test.pattern, error)
    }
    case 'has':
      return test.what === 'error' ? hasError(change) : change.status === 'fulfilled' ? 'unknown' : false
    case 'text':
      return containsText(test.text, change)
    case 'priority':
    case 'visibility':
    case 'target':
    case 'capability':
    case 'payload':
    case 'result':
      return 'unknown'
  }
}

function matches(pattern: string, text: string): boolean {
  const literal = literalOf(pattern)
  return literal === null ? matchesGlob(pattern, text) : literal === text
}

function matchesKnown(pattern: string, text: string | null | undefined): Verdict {
  if (text === undefined) return 'unknown'
  return text !== null && matches(pattern, text)
}

function hasError({ event, error }: IntentChange): Verdict {
  if (event === 'published' || event === 'retried') return false
  return error === undefined ? 'unknown' : error !== null
}

/** A change holds neither payload nor result, so what is not found in it may still be there. */
function containsText(text: string, { goal, id, error }: IntentChange): Verdict {
  const wanted = foldCase(text)
  return [goal, id, error ?? ''].some((where) => foldCase(where).includes(wanted)) || 'unknown'
}
