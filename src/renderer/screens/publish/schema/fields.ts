import type { JsonNode } from '../../../lib/json/parse.ts'

/** What a form shows for a JSON Schema. */

interface Common {
  /** The schema's title; null where the member's name must do. */
  readonly title: string | null
  /** What the schema says of it, and its limits in words. */
  readonly hint: string | null
  /** null is a value like any other. */
  readonly isNullable: boolean
  readonly initial: JsonNode | undefined
}

export interface TextField extends Common {
  readonly kind: 'text'
}

export interface NumberField extends Common {
  readonly kind: 'number'
  readonly isWhole: boolean
}

/** One of a few values; true and false, too. */
export interface ChoiceField extends Common {
  readonly kind: 'choice'
  readonly options: readonly { readonly label: string; readonly value: JsonNode }[]
}

export interface ObjectField extends Common {
  readonly kind: 'object'
  readonly members: readonly ObjectMember[]
}

export interface ObjectMember {
  readonly name: string
  readonly field: FormField
  readonly isRequired: boolean
}

export interface ListField extends Common {
  readonly kind: 'list'
  readonly item: SimpleField
  readonly maxItems: number
}

/** What a form cannot show: it is written as JSON. */
export interface OtherField extends Common {
  readonly kind: 'other'
}

export type SimpleField = TextField | NumberField | ChoiceField
export type FormField = SimpleField | ObjectField | ListField | OtherField
