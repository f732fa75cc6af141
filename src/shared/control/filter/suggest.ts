import { STATUS_NAMES } from '../intent-views.ts'
import type { NamesView } from '../worker-views.ts'
import { formatValue } from './edit.ts'
import { escapeGlob } from './glob.ts'
import { writtenTerms, type WrittenTerm } from './lexer.ts'
import { FIELDS, type Field } from './terms.ts'

/** Something to put into a filter in the place of the characters from `from` to `to`. */
export interface Suggestion {
  readonly from: number
  readonly to: number
  readonly insert: string
  readonly label: string
  /** What it means, in a few words. */
  readonly detail: string
}

const MAX_SUGGESTIONS = 20

const MEANINGS: Readonly<Record<Field, string>> = {
  status: 'open, claimed, fulfilled, dead or expired',
  goal: 'a goal; * for any characters',
  ns: 'a namespace',
  worker: 'the worker that has or had it',
  key: 'the key of its publisher, or main',
  error: 'part of its last error',
  priority: 'a number, also >=500',
  attempts: 'how often it was claimed, also >1',
  age: 'since it was published: <1h, >2d',
  capability: 'the capability it requires',
  target: 'the worker it is meant for',
  visibility: 'private or public',
  id: 'the first digits of its id',
  has: 'error or result',
  payload: 'a value in its payload: payload.order:42',
  result: 'a value in its result: result.ok:true'
}

/** The only values that a field takes. */
const CHOICES: Readonly<Partial<Record<Field, readonly string[]>>> = {
  status: STATUS_NAMES,
  visibility: ['private', 'public'],
  has: ['error', 'result']
}

/** What can be written without knowing the intents: each field, as `goal:` or `payload.`, and the only values of some. */
export const FILTER_WORDS: readonly { readonly begin: string; readonly detail: string; readonly values: readonly string[] }[] = FIELDS.map(
  (field) => ({ begin: beginOf(field), detail: MEANINGS[field], values: CHOICES[field] ?? [] })
)

/** What may come where the caret stands, best first. `names`: the names in use. */
export function suggest(text: string, caret: number, names: NamesView): Suggestion[] {
  const term = writtenTerms(text).find(({ at, length }) => at < caret && caret <= at + length)
  const found = term === undefined || term.field === null ? fields(text, caret, term, names) : values(text, caret, term.field, term, names)
  return found.slice(0, MAX_SUGGESTIONS)
}

function fields(text: string, caret: number, term: WrittenTerm | undefined, names: NamesView): Suggestion[] {
  const from = term === undefined ? caret : term.at + (term.isNegated ? 1 : 0)
  const to = term === undefined ? caret : term.at + term.length
  const prefix = text.slice(from, caret).toLowerCase()
  const matching = FIELDS.filter((field) => field.startsWith(prefix)).map((field): Suggestion => {
    const insert = beginOf(field)
    return { from, to, insert, label: insert, detail: MEANINGS[field] }
  })
  if (prefix === '') return matching
  const goals = ranked(prefix, goalNames(names)).map((goal) => whole(from, to, 'goal', goal))
  return [...matching, ...goals]
}

function beginOf(field: Field): string {
  return field === 'payload' || field === 'result' ? `${field}.` : `${field}:`
}

function values(text: string, caret: number, field: string, { value }: WrittenTerm, names: NamesView): Suggestion[] {
  const from = value.at
  const to = value.at + value.length
  const typed = text.slice(from, Math.max(from, caret)).replace(/^"/, '').toLowerCase()
  // Several statuses may stand there with commas between them; the last one is being written.
  const begun = field === 'status' ? typed.lastIndexOf(',') + 1 : 0
  const before = typed.slice(0, begun)
  return ranked(typed.slice(begun), known(field, names)).map((name) => {
    return { from, to, insert: before + formatValue(escapeGlob(name)), label: name, detail: field }
  })
}

function known(field: string, names: NamesView): readonly string[] {
  switch (field) {
    case 'goal':
      return goalNames(names)
    case 'ns':
      return names.namespaces.map(({ namespace }) => namespace)
    case 'worker':
    case 'target':
      return names.workers
    case 'capability':
      return names.capabilities
    case 'key':
      return ['main']
    default:
      return CHOICES[field as Field] ?? []
  }
}

function goalNames(names: NamesView): readonly string[] {
  return [...new Set(names.goals.map(({ goal }) => goal))]
}

function whole(from: number, to: number, field: string, name: string): Suggestion {
  const insert = `${field}:${formatValue(escapeGlob(name))}`
  return { from, to, insert, label: insert, detail: field }
}

/** The names that contain what was typed: those that begin with it first, each group in the order given. */
function ranked(typed: string, all: readonly string[]): string[] {
  const containing = all.filter((name) => name.toLowerCase().includes(typed))
  return [
    ...containing.filter((name) => name.toLowerCase().startsWith(typed)),
    ...containing.filter((name) => !name.toLowerCase().startsWith(typed))
  ]
}
