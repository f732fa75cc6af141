/**
 * The language of filters: `status:dead goal:send_* -ns:lab error:"timed out" payload.order:42 some words`. Every term
 * must hold; a minus turns one round. The bus reads it to search, the interface to complete, edit and follow it.
 */
export { formatFilter, withoutField, withTerm } from './filter/edit.ts'
export { escapeGlob } from './filter/glob.ts'
export { matchesChange } from './filter/match.ts'
export { parseFilter } from './filter/parse.ts'
export { FILTER_WORDS, suggest, type Suggestion } from './filter/suggest.ts'
export type { Filter, FilterProblem, FilterTerm } from './filter/terms.ts'
