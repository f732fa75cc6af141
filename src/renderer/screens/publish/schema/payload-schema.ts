import { Validator, type Schema, type SchemaDraft } from '@cfworker/json-schema'
import { parseJson } from '../../../lib/json/parse.ts'
import { compileForm, leftOut } from './compile.ts'
import type { ObjectField } from './fields.ts'
import { readProblems, type SchemaProblem } from './problems.ts'

/** What a template's JSON Schema says of its payload: a form, and whether the payload fits. */
export class PayloadSchema {
  /** JSON text. */
  readonly text: string
  /** null for a schema that no form can show. */
  readonly form: ObjectField | null
  /** Names of the members that the form leaves to the JSON editor. */
  readonly leftOut: readonly string[]
  /** Why the schema cannot be used; null when it can. */
  readonly mistake: string | null
  readonly #validator: Validator | null

  constructor(text: string) {
    this.text = text
    const node = parseJson(text)
    const isSchema = node?.kind === 'object'
    this.form = isSchema ? compileForm(node) : null
    this.leftOut = this.form === null ? [] : leftOut(this.form)
    const validator = isSchema ? makeValidator(text) : 'A schema is a JSON object.'
    this.#validator = typeof validator === 'string' ? null : validator
    this.mistake = typeof validator === 'string' ? validator : null
  }

  /** How a payload does not fit; nothing for text that is no JSON, which is another matter. */
  problemsOf(payload: string): readonly SchemaProblem[] {
    if (this.#validator === null || parseJson(payload) === undefined) return []
    try {
      return readProblems(this.#validator.validate(JSON.parse(payload)).errors)
    } catch (error) {
      // A reference that leads nowhere shows only where it is followed.
      return [{ pointer: '', text: `The schema cannot be checked: ${firstLine(error)}`, isMissing: false }]
    }
  }
}

function makeValidator(text: string): Validator | string {
  try {
    const schema = JSON.parse(text) as Schema
    const validator = new Validator(schema, draftOf(schema.$schema), false)
    // Most mistakes show with any value.
    validator.validate({})
    return validator
  } catch (error) {
    return `The schema has a mistake: ${firstLine(error)}`
  }
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n')[0]!
}

/** Drafts differ in details; without a word the newest counts. */
function draftOf(uri: unknown): SchemaDraft {
  const name = typeof uri === 'string' ? /draft-0?(4|7)|2019-09|2020-12/.exec(uri) : null
  return ((name?.[1] ?? name?.[0]) as SchemaDraft | undefined) ?? '2020-12'
}
